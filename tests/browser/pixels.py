"""What is drawn on the canvas of a plot."""

from playwright.sync_api import FloatRect, Locator

# The rows of the canvas, counted in CSS pixels from its top, in which a line has its colour, more or less.
ROWS = """(host, index) => {
  const canvas = host.shadowRoot.querySelector("canvas");
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const [red, green, blue] = parse(host.theme.color(`trace-${index}`));
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const rows = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const distance = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue);
    if (data[at + 3] < 200 || distance > 40) continue;
    const row = Math.floor(at / 4 / canvas.width / devicePixelRatio);
    rows.set(row, (rows.get(row) ?? 0) + 1);
  }
  return Object.fromEntries(rows);
}"""


# Whether a press in the middle or near an edge of a button in a shadow root is one on that button.
IS_FREE = """(button) => {
  const { left, top, right, bottom } = button.getBoundingClientRect();
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const places = [[x, y], [left + 1, y], [right - 1, y], [x, top + 1], [x, bottom - 1]];
  return places.every(([x, y]) => button.contains(document.elementFromPoint(x, y)?.shadowRoot?.elementFromPoint(x, y)));
}"""


def is_free(button: Locator) -> bool:
    """Whether nothing covers it."""
    free: bool = button.evaluate(IS_FREE)
    return free


def rows_of(plot: Locator, line: int = 0) -> dict[int, int]:
    """Row of the canvas -> how many pixels of it have the colour of the line; {} before anything is drawn."""
    if plot.locator("canvas").count() == 0:
        return {}
    rows: dict[str, int] = plot.evaluate(ROWS, line)
    return {int(row): count for row, count in rows.items()}


def main_row(plot: Locator, line: int = 0) -> int | None:
    """Where a line that is level lies; None before it is drawn."""
    rows = rows_of(plot, line)
    return max(rows, key=lambda row: rows[row]) if rows else None


def box_of(locator: Locator) -> FloatRect:
    """Where it is, in CSS pixels."""
    box = locator.bounding_box()
    assert box is not None
    return box
