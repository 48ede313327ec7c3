"""The image on a real server and IOC: every numeric type, colours, range, read-out, sizes from PVs."""

import io
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import serious_findings
from tests.browser.element_page import ElementPage
from tests.browser.pixels import box_of
from tests.iocs import CIOC
from tests.timing import wait_for

BLACK, WHITE, NOTHING = [0, 0, 0, 255], [255, 255, 255, 255], [0, 0, 0, 0]
# FTVL -> values of 2 x 2 pixels, the least and the greatest first.
TYPES: dict[str, list[float]] = {
    "CHAR": [-128, 127, 0, 0],
    "UCHAR": [0, 255, 128, 128],
    "SHORT": [-32768, 32767, 0, 0],
    "USHORT": [0, 65535, 32768, 32768],
    "LONG": [-2147483648, 2147483647, 0, 0],
    "ULONG": [0, 4294967295, 2147483648, 2147483648],
    "INT64": [-1000, 1000, 0, 0],
    "FLOAT": [-1.5, 1.5, 0, 0],
    "DOUBLE": [-1e300, 1e300, 0, 0],
}
DATABASE = (
    "".join(
        f'record(waveform, "$(P){kind}") {{ field(FTVL, "{kind}") field(NELM, "4") field(PINI, "YES") '
        f"field(INP, {values}) }}\n"
        for kind, values in TYPES.items()
    )
    + """
record(waveform, "$(P)wide") { field(FTVL, "SHORT") field(NELM, "6") field(PINI, "YES") field(EGU, "counts")
    field(INP, [1,10,100,1000,50,60]) }
record(waveform, "$(P)hole") { field(FTVL, "DOUBLE") field(NELM, "4") field(PINI, "YES") field(INP, [0,1,0,1]) }
record(waveform, "$(P)empty") { field(FTVL, "SHORT") field(NELM, "4") field(PINI, "YES") }
record(longout, "$(P)width") { field(DOL, "3") field(PINI, "YES") }
"""
)
PIXELS = """(host) => {
  const canvas = host.shadowRoot.querySelector("[part=image]");
  if (canvas.hidden || !host.range) return null;
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  return [width, height, Array.from({ length: width * height }, (_, at) => [...data.slice(4 * at, 4 * at + 4)])];
}"""


def image_of(page: ElementPage, pv: str, attributes: str = "") -> Locator:
    page.show(f'<epics-image id="image" pv="$(P){pv}" {attributes}></epics-image>')
    return page.host("image")


def pixels(image: Locator) -> list[list[int]]:
    drawn: list[Any] = wait_for(lambda: image.evaluate(PIXELS), what="an image")
    return list(drawn[2])


def test_every_numeric_type_is_drawn(page: ElementPage) -> None:
    page.show("".join(f'<epics-image id="{kind}" pv="$(P){kind}" width="2" colormap="gray"></epics-image>'
                      for kind in TYPES))  # fmt: skip
    for kind, values in TYPES.items():
        image = page.host(kind)
        image.scroll_into_view_if_needed()
        drawn = pixels(image)
        if kind == "CHAR":  # as all of Channel Access sees it: without a sign
            assert drawn[2:] == [BLACK, BLACK], kind
            assert drawn[0] == WHITE, kind
            continue
        assert drawn[:2] == [BLACK, WHITE], kind
        assert drawn[2] == drawn[3], kind
        assert 120 <= drawn[2][0] <= 136, kind
        assert image.evaluate("(image) => image.range") == pytest.approx(values[:2]), kind


def test_the_width_may_come_from_a_pv(page: ElementPage, plot_ioc: CIOC) -> None:
    image = image_of(page, "wide", 'width="$(P)width" colormap="gray"')
    wait_for(lambda: image.evaluate("(image) => image.size") == [3, 2], what="3 by 2 pixels")
    assert len(pixels(image)) == 6
    plot_ioc.shell(f"dbpf {page.prefix}width 2")
    wait_for(lambda: image.evaluate("(image) => image.size") == [2, 3], what="2 by 3 pixels")
    plot_ioc.shell(f"dbpf {page.prefix}width 3")
    canvas = image.locator("[part=image]")
    wait_for(lambda: "3 by 2 pixels" in (canvas.get_attribute("aria-label") or ""), what="the image in words")
    assert page.subscriptions() == ["wide", "width"]


def test_the_range_may_be_fixed_and_held(page: ElementPage, plot_ioc: CIOC) -> None:
    image = image_of(page, "hole", 'width="2" colormap="gray" min="0" max="2"')
    assert pixels(image)[0] == BLACK
    assert pixels(image)[1][0] in range(120, 136)
    image = image_of(page, "hole", 'width="2" colormap="gray"')
    pixels(image)
    hold = image.get_by_role("button", name="Hold the range")
    hold.click()
    expect(hold).to_have_attribute("aria-pressed", "true")
    plot_ioc.shell(f"dbpf {page.prefix}hole '[0,4,0,4]'")
    wait_for(lambda: image.evaluate("(image) => image.update.value[1]") == 4, what="the new values")
    assert image.evaluate("(image) => image.range") == [0, 1]
    hold.click()
    wait_for(lambda: image.evaluate("(image) => image.range") == [0, 4], what="the range of the values")
    plot_ioc.shell(f"dbpf {page.prefix}hole '[0,1,0,1]'")


def test_what_is_no_number_is_left_out(page: ElementPage, plot_ioc: CIOC) -> None:
    plot_ioc.shell(f"dbpf {page.prefix}hole '[0,NaN,0,1]'")
    image = image_of(page, "hole", 'width="2" colormap="gray"')
    wait_for(lambda: pixels(image) == [BLACK, NOTHING, BLACK, WHITE], what="a hole")
    plot_ioc.shell(f"dbpf {page.prefix}hole '[0,1,0,1]'")


def test_a_missing_last_row_is_left_out(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="4" height="2" colormap="gray"')
    assert pixels(image)[6:] == [NOTHING, NOTHING]


def test_colours_are_chosen(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3"')
    before = pixels(image)
    image.get_by_role("combobox", name="Colours").select_option("inferno")
    wait_for(lambda: pixels(image) != before, what="other colours")
    assert image.get_attribute("colormap") == "inferno"
    expect(image.locator("[part=high]")).to_have_text("1000 counts")
    expect(image.locator("[part=low]")).to_have_text("1 counts")


def test_logarithmic_colours(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3" colormap="gray"')
    assert pixels(image)[1][0] < 8
    image.get_by_role("button", name="Logarithmic").click()
    wait_for(lambda: abs(pixels(image)[1][0] - 85) <= 1, what="10 at a third of the way from 1 to 1000")


def test_pointer_and_keys_read_a_pixel(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3"')
    pixels(image)
    canvas = image.locator("[part=image]")
    readout = image.locator("[part=readout]")
    canvas.hover(position={"x": box_of(canvas)["width"] * 0.99, "y": 5})
    expect(readout).to_have_text("x 2, y 0: 100 counts")
    page.page.mouse.move(0, 0)
    expect(readout).to_have_text("")
    canvas.focus()
    canvas.press("ArrowDown")
    expect(readout).to_have_text("x 1, y 1: 50 counts")
    canvas.press("Shift+ArrowRight")
    expect(readout).to_have_text("x 2, y 1: 60 counts")
    expect(image.get_by_role("status")).to_have_text("x 2, y 1: 60 counts")


def test_pause_holds_the_picture(page: ElementPage, plot_ioc: CIOC) -> None:
    image = image_of(page, "hole", 'width="2" colormap="gray" paused')
    wait_for(lambda: image.evaluate("(image) => image.update.value?.length") == 4, what="the first values")
    expect(image.locator("[part=note]")).to_have_text("No image yet")
    image.get_by_role("button", name="Pause").click()
    before = pixels(image)
    image.get_by_role("button", name="Pause").click()
    plot_ioc.shell(f"dbpf {page.prefix}hole '[1,1,0,1]'")
    wait_for(lambda: image.evaluate("(image) => image.update.value[0]") == 1, what="the new values")
    assert pixels(image) == before
    image.get_by_role("button", name="Pause").click()
    wait_for(lambda: pixels(image)[0] == WHITE, what="the newest picture")
    plot_ioc.shell(f"dbpf {page.prefix}hole '[0,1,0,1]'")


def test_read_out_follows_a_width_that_changes(page: ElementPage, plot_ioc: CIOC) -> None:
    image = image_of(page, "wide", 'width="$(P)width"')
    pixels(image)
    canvas = image.locator("[part=image]")
    canvas.press("ArrowRight")
    expect(image.locator("[part=readout]")).to_have_text("x 2, y 1: 60 counts")
    plot_ioc.shell(f"dbpf {page.prefix}width 2")
    expect(canvas).to_have_js_property("width", 2)
    expect(image.locator("[part=readout]")).to_have_text("x 2, y 1: – counts")
    plot_ioc.shell(f"dbpf {page.prefix}width 3")


def test_picture_of_another_pv_is_not_kept(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3"')
    pixels(image)
    image.evaluate("(image, pv) => { image.pv = pv; }", f"{page.prefix}nowhere")
    expect(image.locator("[part=note]")).to_have_text("No image yet")
    assert image.evaluate("(image) => image.range") is None


def test_picture_goes_when_the_pv_is_no_array_any_more(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3"')
    pixels(image)
    image.evaluate("(image) => { image.onUpdate({ ...image.update, value: 5 }, 0); image.render(); }")
    expect(image.locator("[part=note]")).to_have_text("No image yet")


def test_it_is_saved_as_a_picture(page: ElementPage) -> None:
    image = image_of(page, "wide", 'width="3"')
    pixels(image)
    with page.page.expect_download() as download:
        image.get_by_role("button", name="Save as PNG").click()
    assert io.BytesIO(download.value.path().read_bytes()).read(8) == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("pv", "attributes", "note"),
    [
        ("width", 'width="2"', "No array of numbers"),
        ("nowhere", 'width="2"', "No image yet"),
        ("wide", 'width="$(P)nowhere"', "The width of the image is not known"),
        ("wide", 'width="60000" height="60000"', "The image is too large"),
        ("empty", "", "The width of the image is not known"),
    ],
)
def test_what_cannot_be_drawn_is_told(page: ElementPage, pv: str, attributes: str, note: str) -> None:
    expect(image_of(page, pv, attributes).locator("[part=note]")).to_have_text(note)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(page: ElementPage, scheme: Any) -> None:
    page.page.emulate_media(color_scheme=scheme)
    image = image_of(page, "wide", 'width="3" label="Camera"')
    page.page.evaluate("document.body.style.background = 'Canvas'")
    pixels(image)
    assert serious_findings(page.page) == []
