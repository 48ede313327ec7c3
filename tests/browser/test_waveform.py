"""The waveform on a real server and IOC: a million points, of which the server sends what can be seen."""

import csv
import io
import statistics
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import serious_findings
from tests.browser.element_page import ElementPage
from tests.browser.pixels import box_of, rows_of
from tests.iocs import CIOC
from tests.timing import scaled, wait_for

MILLION = 1_000_000
PERIOD = 1000
DATABASE = """
record(waveform, "$(P)million") { field(FTVL, "DOUBLE") field(NELM, "1000000") field(PINI, "YES") field(EGU, "V") }
record(waveform, "$(P)short") {
    field(FTVL, "SHORT") field(NELM, "9") field(PINI, "YES") field(INP, [3,1,4,1,5,9,2,6,5])
}
record(waveform, "$(P)float") {
    field(FTVL, "FLOAT") field(NELM, "9") field(PINI, "YES") field(INP, [1,10,100,-5,1000])
}
record(waveform, "$(P)big") { field(FTVL, "INT64") field(NELM, "4") field(PINI, "YES") field(INP, [1,2,3,4]) }
record(waveform, "$(P)empty") { field(FTVL, "DOUBLE") field(NELM, "9") field(PINI, "YES") }
record(ao, "$(P)scalar") { field(DOL, "1") field(PINI, "YES") }
"""
STARTUP = [f"dbpf $(P)million '[{','.join([','.join(map(str, range(PERIOD)))] * (MILLION // PERIOD))}]'"]
SHOWN = """(plot) => {
  const { value, first, count, reduced } = plot.curves[0]?.shown ?? {};
  return value ? { first, count, reduced, length: value.length, type: value.constructor.name } : null;
}"""
READ = "(plot, indexes) => indexes.map((index) => { const x = plot.curves[0].read(index); return x === x ? x : null; })"
# How long each frame takes while a person turns the wheel.
FRAMES = """(plot) => new Promise((done) => {
  const times = [];
  const step = (time) => {
    times.push(time);
    plot.zoomBy(times.length % 20 < 10 ? 0.6 : 1 / 0.6);
    if (times.length < 60) requestAnimationFrame(step);
    else done(times.slice(1).map((time, at) => time - times[at]));
  };
  requestAnimationFrame(step);
})"""


def plot_of(page: ElementPage, pv: str, attributes: str = "") -> Locator:
    page.show(f'<epics-waveform id="plot" pv="{pv}" {attributes}></epics-waveform>')
    return page.host("plot")


def shown(plot: Locator, **expected: Any) -> dict[str, Any]:
    """What the plot has of the array, once it is as expected."""

    def look() -> Any:
        what = plot.evaluate(SHOWN)
        return what if what and expected.items() <= what.items() else None

    found: dict[str, Any] = wait_for(look, 30, f"the array with {expected}")
    return found


def connects(page: ElementPage) -> list[dict[str, Any]]:
    return [request for request in page.requests if request["action"] == "connect"]


def test_zoomed_out_it_asks_for_an_envelope(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)million")
    what = shown(plot, count=MILLION)
    (request,) = connects(page)
    points = request["reduce"]["points"]
    width = plot.evaluate("(plot) => plot.plotWidth")
    assert width <= points <= width + 200
    assert what == {"first": 0, "count": MILLION, "reduced": points, "length": 2 * points, "type": "Float64Array"}
    expect(plot.locator("[part=legend] .at").last).to_have_text("0 … 999")
    assert wait_for(lambda: len(rows_of(plot)) > 100, what="an envelope from the bottom to the top")


def test_zoomed_in_it_asks_for_the_exact_window_and_draws_its_samples(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)million")
    shown(plot, count=MILLION)
    plot.evaluate("(plot) => { plot.zoom = [500_000, 500_040]; }")
    what = shown(plot, reduced=0)
    request = connects(page)[-1]
    assert "reduce" not in request or request["reduce"] is None
    assert request["first"] <= 500_000 < 500_040 <= request["first"] + request["max_count"]
    assert request["max_count"] < 200
    assert (what["first"], what["count"]) == (request["first"], request["max_count"])
    indexes = [500_000, 500_001, 500_039, 500_040]
    assert plot.evaluate(READ, indexes) == [index % PERIOD for index in indexes]
    over = plot.locator(".u-over")
    over.hover(position={"x": box_of(over)["width"] / 4, "y": 40})
    expect(plot.locator("[part=legend] .at").last).to_have_text("10")
    expect(plot.locator("[part=readout]")).to_contain_text("500\u2009010")
    over.dblclick()
    shown(plot, count=MILLION, first=0)


def test_in_between_it_asks_for_an_envelope_of_the_window(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)million")
    shown(plot, count=MILLION)
    plot.evaluate("(plot) => { plot.zoom = [200_000, 400_000]; }")
    what = shown(plot, first=100_000)
    assert what["reduced"] > 0
    assert what["count"] == 400_001
    tool = plot.get_by_role("button", name="Show all")
    tool.click()
    shown(plot, first=0, count=MILLION)


def quick(frames: list[float]) -> float:
    """The time of the best quarter in ms: what the page costs, and not what else the machine has to do."""
    return statistics.quantiles(frames, n=4)[0]


def test_it_stays_swift(page: ElementPage, record_property: Any) -> None:
    plot = plot_of(page, "$(P)million")
    shown(plot, count=MILLION)
    frames: list[float] = plot.evaluate(FRAMES)
    record_property("frame_ms", f"median {statistics.median(frames):.1f}, worst {max(frames):.1f}")
    assert quick(frames) < scaled(60), frames


def test_the_whole_array_is_drawn_as_swiftly(page: ElementPage, record_property: Any) -> None:
    """Another one on the page wants all elements: then there is no envelope."""
    plot = plot_of(page, "$(P)million")
    shown(plot, count=MILLION)
    page.page.evaluate(
        "async (pv) => { const { sharedClient } = await import(new URL('pycaserver.js', location.href));"
        " sharedClient().monitor(pv, () => {}); }", f"{page.prefix}million",
    )  # fmt: skip
    shown(plot, reduced=0, length=MILLION)
    frames: list[float] = plot.evaluate(FRAMES)
    record_property("frame_ms", f"median {statistics.median(frames):.1f}, worst {max(frames):.1f}")
    assert quick(frames) < scaled(120), frames


def test_short_arrays_come_as_they_are_and_change(page: ElementPage, plot_ioc: CIOC) -> None:
    plot = plot_of(page, "$(P)short")
    shown(plot, count=9, reduced=0, type="Int16Array")
    assert plot.evaluate(READ, [0, 5, 8]) == [3, 9, 5]
    plot_ioc.shell(f"dbpf {page.prefix}short '[7,8]'")
    shown(plot, count=2)
    assert plot.evaluate("(plot) => plot.window") == [0, 1]
    plot_ioc.shell(f"dbpf {page.prefix}short '[3,1,4,1,5,9,2,6,5]'")
    shown(plot, count=9)


def test_pause_holds_the_picture(page: ElementPage, plot_ioc: CIOC) -> None:
    plot = plot_of(page, "$(P)float")
    shown(plot, count=5)
    plot.get_by_role("button", name="Pause").click()
    plot_ioc.shell(f"dbpf {page.prefix}float '[5,5]'")
    wait_for(lambda: plot.evaluate("(plot) => plot.update.count") == 2, what="the new value")
    assert plot.evaluate(SHOWN)["count"] == 5
    plot.get_by_role("button", name="Pause").click()
    shown(plot, count=2)
    plot_ioc.shell(f"dbpf {page.prefix}float '[1,10,100,-5,1000]'")


def test_a_logarithmic_axis_leaves_out_what_is_not_above_zero(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)float", 'scale="log"')
    shown(plot, count=5)
    assert plot.evaluate("(plot) => plot.curves[0].extent(0, 4, true)") == [1, 1000]
    assert wait_for(lambda: rows_of(plot), what="a line")


def test_several_arrays_and_an_axis_in_units(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)short $(P)big", 'x-start="10" x-step="0.5" x-units="ns"')
    shown(plot, count=9)
    expect(plot.locator("[part=legend] tbody tr")).to_have_count(2)
    assert plot.evaluate("(plot) => plot.xLabel(4)") == "12 ns"
    assert plot.evaluate("(plot) => plot.xDifference(4)") == "2 ns"
    wait_for(lambda: plot.evaluate("(plot) => plot.curves[1].shown?.value.length") == 4, what="the other array")


def test_the_csv_is_exact_even_of_an_envelope(page: ElementPage) -> None:
    plot = plot_of(page, "$(P)million")
    shown(plot, count=MILLION)
    plot.evaluate("(plot) => { plot.zoom = [100_000, 150_000]; }")
    with page.page.expect_download() as download:
        plot.get_by_role("button", name="Save as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text())))
    assert rows[0] == ["index", f"{page.prefix}million"]
    assert [(int(row[0]), float(row[1])) for row in rows[1:]] == [(at, at % PERIOD) for at in range(100_000, 150_001)]


@pytest.mark.parametrize(
    ("pv", "note"), [("empty", "Empty"), ("scalar", "No array of numbers"), ("nowhere", "No value yet")]
)
def test_what_cannot_be_drawn_is_told(page: ElementPage, pv: str, note: str) -> None:
    plot = plot_of(page, f"$(P){pv}")
    expect(plot.locator("[part=note]")).to_have_text(note)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(page: ElementPage, scheme: Any) -> None:
    page.page.emulate_media(color_scheme=scheme)
    plot = plot_of(page, "$(P)short", 'label="Turns"')
    page.page.evaluate("document.body.style.background = 'Canvas'")
    shown(plot, count=9)
    plot.get_by_role("button", name="Cursors").click()
    expect(plot.get_by_role("slider")).to_have_count(2)
    assert serious_findings(page.page) == []
