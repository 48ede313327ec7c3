"""The panel of the selected PV: strip chart, waveform, envelope, text, and what the metadata says."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.timing import wait_for

# How many pixels of the canvas have the colour of the plotted line, more or less.
COUNT_LINE_PIXELS = """(canvas) => {
  const colour = getComputedStyle(canvas).getPropertyValue("--line").trim();
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const distance = Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue);
    if (data[i + 3] > 200 && distance < 40) count += 1;
  }
  return count;
}"""


def line_pixels(canvas: Locator) -> int:
    count: int = canvas.evaluate(COUNT_LINE_PIXELS)
    return count


def test_without_a_value_nothing_is_drawn(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}nowhere"
    live.open(name, plot=name)
    expect(live.page.locator(".detail-status")).to_contain_text("Not found")
    expect(live.page.locator(".plot-note")).to_have_text("No value yet")
    expect(live.page.locator("canvas")).to_have_count(0)


@pytest.mark.parametrize(
    ("record", "picture"),
    [("fast", "strip"), ("mbbi", "strip"), ("wf_short", "wave"), ("large", "envelope")],
)
def test_numbers_are_drawn(live: LivePage, ioc: CIOC, record: str, picture: str) -> None:
    name = f"{ioc.prefix}{record}"
    live.open(name, plot=name)
    expect(live.page.locator("#detail")).to_have_attribute("data-picture", picture)
    canvas = live.page.locator("canvas")
    expect(canvas).to_be_visible()
    assert wait_for(lambda: line_pixels(canvas) > 20, what="a line on the canvas")


def test_another_row_gets_another_plot(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("wf_short", "wf_text", "large")]
    live.open(*names, plot=names[0])
    expect(live.page.locator("canvas")).to_be_visible()
    live.row(names[1]).click()
    expect(live.page.locator(".whole-text")).to_have_text("Text in an array of characters")
    expect(live.page.locator("canvas")).to_have_count(0)
    live.row(names[2]).click()
    expect(live.page.locator("canvas")).to_be_visible()
    live.page.get_by_role("button", name="Close the panel").click()
    expect(live.page.locator("#detail")).to_be_hidden()


def test_the_span_of_the_strip_chart_is_chosen(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}fast"
    live.open(name, plot=name)
    five = live.page.get_by_role("button", name="5 min")
    five.click()
    expect(five).to_have_attribute("aria-pressed", "true")
    expect(live.page.get_by_role("button", name="1 min")).to_have_attribute("aria-pressed", "false")


def test_the_cursor_reads_the_plot(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}wf_double"
    live.open(name, plot=name)
    live.page.locator(".u-over").hover(position={"x": 2, "y": 40})
    expect(live.page.locator(".readout")).to_have_text("0  -1.5000 A")


def test_the_metadata_is_told(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ai"
    live.open(name, plot=name)
    facts = live.page.locator(".facts")
    for fact in ("Typedouble", "Display-100.000 … 100.000", "Warning-50.000 … 50.000", "Alarm-90.000 … 90.000"):
        expect(facts.locator("div", has_text=fact)).to_have_count(1)


def test_long_waveforms_are_asked_for_as_envelopes(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}large"
    live.open(name, plot=name)
    expect(live.cell(name, "value")).to_contain_text("…")
    assert [pv["pvname"] for pv in live.ask("list")["pvs"]] == [name]
    connects = [request for request in live.requests if request["action"] == "connect"]
    assert ["reduce" in request for request in connects] == [False, True]
