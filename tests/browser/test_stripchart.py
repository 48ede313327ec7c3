"""The strip chart on a real server and IOC: the past, gaps, zoom, pause, cursors, scales, CSV, and what it costs."""

import csv
import io
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import serious_findings
from tests.browser.conftest import element_page
from tests.browser.element_page import ElementPage
from tests.browser.pixels import box_of, main_row, rows_of
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import scaled, wait_for

DATABASE = """
record(calc, "$(P)count") { field(PINI, "YES") field(SCAN, ".1 second") field(CALC, "VAL+1") field(EGU, "turns") }
record(ao, "$(P)one") { field(DOL, "1") field(PINI, "YES") field(EGU, "V") field(PREC, "2") }
record(ao, "$(P)hundred") { field(DOL, "100") field(PINI, "YES") field(EGU, "V") field(PREC, "2") }
record(ao, "$(P)many") { field(DOL, "10000") field(PINI, "YES") field(EGU, "V") field(PREC, "2") }
record(ao, "$(P)limited") {
    field(DOL, "5") field(PINI, "YES") field(EGU, "mA") field(PREC, "1")
    field(HIGH, "6") field(HSV, "MINOR") field(LOW, "1") field(LSV, "MINOR")
}
record(mbbo, "$(P)mode") {
    field(DOL, "1") field(PINI, "YES") field(ZRVL, "0") field(ZRST, "Low") field(ONVL, "1") field(ONST, "High")
}
"""
TRACE = """(plot, at) => {
  const { times, values } = plot.curves[at ?? 0]?.trace ?? { times: [], values: [] };
  return Array.from(times, (time, index) => [time, Number.isNaN(values[index]) ? null : values[index]]);
}"""
WINDOW = "(plot) => plot.window"
CLIENT = "const { sharedClient } = await import(new URL('pycaserver.js', location.href)); const ca = sharedClient();"
WATCH = "window.views = []; addEventListener('epics-view', ({ detail }) => views.push(detail));"
COUNT_DRAWINGS = """(plot) => {
  window.drawings = [];
  const { drawn } = plot;
  plot.drawn = function () { window.drawings.push(performance.now()); drawn.call(this); };
}"""


def chart(page: ElementPage, pv: str, attributes: str = "") -> Locator:
    page.show(f'<epics-stripchart id="chart" pv="{pv}" {attributes}></epics-stripchart>')
    return page.host("chart")


def trace(plot: Locator, line: int = 0) -> list[tuple[float, float | None]]:
    samples: list[tuple[float, float | None]] = plot.evaluate(TRACE, line)
    return samples


def samples_of(plot: Locator, count: int, line: int = 0) -> list[tuple[float, float | None]]:
    def enough() -> Any:
        samples = trace(plot, line)
        return samples if len(samples) >= count else None

    found: list[tuple[float, float | None]] = wait_for(enough, 20, f"{count} samples")
    return found


def tool(plot: Locator, name: str) -> Locator:
    return plot.get_by_role("button", name=name, exact=True)


def over(plot: Locator) -> Locator:
    return plot.locator(".u-over")


def is_without_gaps(samples: list[tuple[float, float | None]]) -> bool:
    numbers = [value for _, value in samples]
    return None not in numbers and numbers == [numbers[0] + step for step in range(len(numbers))]  # type: ignore[operator]


def test_the_past_that_the_server_has_is_there_at_once(page: ElementPage) -> None:
    samples_of(chart(page, "$(P)count"), 5)
    page.page.reload()
    plot = page.host("chart")
    samples = samples_of(plot, 8)
    assert samples[0][0] < plot.evaluate("performance.timeOrigin") / 1000
    assert is_without_gaps(samples)
    assert wait_for(lambda: len(rows_of(plot)) > 5, what="a line that climbs")


def test_values_and_states_are_in_the_legend(page: ElementPage) -> None:
    plot = chart(page, "$(P)limited $(P)mode")
    rows = plot.locator("[part=legend] tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("5.0")
    expect(rows.nth(0)).to_contain_text("mA")
    expect(rows.nth(1)).to_contain_text("High")
    sentence = plot.locator("[part=plot]")
    wait_for(lambda: "mode High" in (sentence.get_attribute("aria-label") or ""), what="the plot in words")
    assert plot.get_attribute("role") == "figure"


def test_lines_differ_in_colour_and_in_dashes(page: ElementPage) -> None:
    plot = chart(page, "$(P)one $(P)hundred $(P)many")
    paths = plot.locator("[part=legend] path")
    expect(paths).to_have_count(3)
    looks = paths.evaluate_all("(all) => all.map((path) => [path.style.stroke, path.style.strokeDasharray])")
    assert len({stroke for stroke, _ in looks}) == len({dash for _, dash in looks}) == 3


def test_units_have_axes_of_their_own(page: ElementPage) -> None:
    plot = chart(page, "$(P)one $(P)hundred $(P)limited $(P)mode")
    for line in range(4):
        samples_of(plot, 1, line)
    expect(plot.locator(".u-axis")).to_have_count(1 + 3)  # x; V, mA, states


def test_a_line_is_hidden_by_its_name(page: ElementPage) -> None:
    plot = chart(page, "$(P)one $(P)limited")
    wait_for(lambda: main_row(plot, 1), what="the second line")
    name = plot.get_by_role("button", name=f"{page.prefix}limited")
    name.click()
    expect(name).to_have_attribute("aria-pressed", "false")
    wait_for(lambda: not rows_of(plot, 1), what="the second line to go")
    assert main_row(plot, 0)


def test_pvs_come_and_go_and_keep_their_colours(page: ElementPage) -> None:
    plot = chart(page, "$(P)one", "editable")
    page.page.evaluate(WATCH)
    plot.evaluate("(plot) => { plot.addPV('$(P)hundred'); plot.addPV('$(P)many'); plot.addPV('$(P)one'); }")
    expect(plot.locator("[part=legend] tbody tr")).to_have_count(3)
    plot.get_by_role("button", name=f"Remove {page.prefix}hundred").click()
    expect(plot.locator("[part=legend] tbody tr")).to_have_count(2)
    assert plot.evaluate("(plot) => plot.curves.map(({ index }) => index)") == [0, 2]
    assert page.page.evaluate("views.at(-1).pvs") == ["$(P)one", "$(P)many"]
    wait_for(lambda: page.subscriptions() == ["many", "one"], what="the server to know")


def test_the_server_tells_what_was_missed(page: ElementPage) -> None:
    plot = chart(page, "$(P)count")
    samples_of(plot, 5)
    page.page.evaluate(f"async () => {{ {CLIENT} ca.close(); }}")
    expect(plot).to_have_attribute("data-condition", "stale")
    before = trace(plot)[-1][0]
    page.page.evaluate(
        "(before) => new Promise((done) => { const look = () => Date.now() / 1000 > before + 1.5 ? done()"
        " : requestAnimationFrame(look); look(); })", before,
    )  # fmt: skip
    assert trace(plot)[-1][0] == before
    page.page.evaluate(f"async () => {{ {CLIENT} ca.open(); }}")
    expect(plot).to_have_attribute("data-condition", "live")
    wait_for(lambda: is_without_gaps(trace(plot)) and trace(plot)[-1][0] > before + 1, 20, "the missed samples")


def test_what_the_server_missed_too_is_a_gap(browser: Browser, plot_ioc: CIOC) -> None:
    with Server(plot_ioc.env()) as server:
        tab = element_page(browser, server.url, plot_ioc.prefix)
        page = next(tab)
        plot = chart(page, "$(P)count")
        samples_of(plot, 5)
        server.stop()
        expect(plot).to_have_attribute("data-condition", "stale")
        stopped = len(trace(plot))
        server.start()
        expect(plot).to_have_attribute("data-condition", "live", timeout=scaled(40) * 1000)
        samples = samples_of(plot, stopped + 3)
        gaps = [index for index, (_, value) in enumerate(samples) if value is None]
        assert len(gaps) == 1
        assert samples[gaps[0] + 1][0] - samples[gaps[0]][0] > 0
        page.expect_complaints("WebSocket")
        for _ in tab:
            pass


def test_zoom_by_drag_wheel_and_keys(page: ElementPage) -> None:
    plot = chart(page, "$(P)count")
    samples_of(plot, 10)
    page.page.evaluate(WATCH)
    box = box_of(over(plot))
    page.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=4)
    page.page.mouse.up()
    start, end = plot.evaluate("(plot) => plot.zoom")
    assert end - start == pytest.approx(24, rel=0.05)
    assert page.page.evaluate("views.at(-1).zoom") == [start, end]
    page.page.mouse.wheel(0, -300)
    closer = plot.evaluate(WINDOW)
    assert closer[1] - closer[0] < 0.9 * (end - start)
    over(plot).dblclick()
    assert plot.evaluate("(plot) => plot.zoom") is None
    plot.locator("[part=plot]").press("+")
    span = plot.evaluate(WINDOW)
    assert span[1] - span[0] == pytest.approx(30, rel=0.05)
    plot.locator("[part=plot]").press("ArrowLeft")
    assert plot.evaluate(WINDOW)[1] <= span[1]
    plot.locator("[part=plot]").press("Home")
    assert plot.evaluate("(plot) => plot.zoom") is None


def test_zoom_ahead_of_our_clock_asks_for_the_span(page: ElementPage) -> None:
    plot = chart(page, "$(P)count", 'span="30"')
    samples_of(plot, 2)
    plot.evaluate(
        "(plot) => { const now = Date.now() / 1000; plot.zoom = [now + 100, now + 200]; plot.resubscribe(); }"
    )
    assert plot.evaluate("(plot) => plot.options.history") == 30
    samples_of(plot, len(trace(plot)) + 1)
    assert plot.evaluate("(plot) => plot.update.condition") == "live"


def test_all_in_view_to_turn_the_wheel_outwards_scrolls_the_page(page: ElementPage) -> None:
    page.show('<epics-stripchart id="chart" pv="$(P)one"></epics-stripchart><p class="tall"></p>')
    page.page.evaluate("document.querySelector('.tall').style.height = '3000px'")
    plot = page.host("chart")
    samples_of(plot, 1)
    expect(plot.locator("canvas")).to_be_visible()
    over(plot).hover()
    page.page.mouse.wheel(0, 400)
    wait_for(lambda: page.page.evaluate("scrollY") > 0, what="the page to scroll")
    assert plot.evaluate("(plot) => plot.zoom") is None


def test_pause_holds_the_picture_and_loses_nothing(page: ElementPage) -> None:
    plot = chart(page, "$(P)count")
    samples_of(plot, 5)
    tool(plot, "Pause").click()
    expect(tool(plot, "Pause")).to_have_attribute("aria-pressed", "true")
    window = plot.evaluate(WINDOW)
    count = len(trace(plot))
    samples = samples_of(plot, count + 5)
    assert plot.evaluate(WINDOW) == window
    assert is_without_gaps(samples)
    plot.locator("[part=plot]").press(" ")
    expect(tool(plot, "Pause")).to_have_attribute("aria-pressed", "false")
    assert plot.evaluate(WINDOW)[1] > window[1]


def test_the_span_is_chosen_and_told(page: ElementPage) -> None:
    plot = chart(page, "$(P)count")
    page.page.evaluate(WATCH)
    five = tool(plot, "5 min")
    five.click()
    expect(five).to_have_attribute("aria-pressed", "true")
    expect(tool(plot, "1 min")).to_have_attribute("aria-pressed", "false")
    window = plot.evaluate(WINDOW)
    assert window[1] - window[0] == pytest.approx(300)
    assert page.page.evaluate("views.at(-1).span") == 300
    wait_for(lambda: any(request.get("history") == 300 for request in page.requests), what="the server to be asked")


def test_the_view_can_be_kept_and_given_back(page: ElementPage) -> None:
    plot = chart(page, "$(P)one")
    view = {"pvs": ["$(P)count", "$(P)one"], "span": 120, "zoom": None, "paused": True, "scale": "log"}
    plot.evaluate("(plot, view) => { plot.view = view; }", view)
    assert plot.evaluate("(plot) => plot.view") == view
    expect(plot.locator("[part=legend] tbody tr")).to_have_count(2)


def test_two_cursors_tell_the_difference(page: ElementPage) -> None:
    plot = chart(page, "$(P)count")
    samples_of(plot, 12)
    tool(plot, "Cursors").click()
    expect(tool(plot, "Pause")).to_have_attribute("aria-pressed", "true")
    samples = trace(plot)
    (first, low), (last, high) = samples[2], samples[10]
    assert low is not None
    assert high is not None
    plot.evaluate("(plot, places) => { plot.cursors = places; plot.zoom = [places[0] - 1, places[1] + 1]; }",
                  [first + 0.01, last + 0.01])  # fmt: skip
    row = plot.locator("[part=legend] tbody tr")
    expect(row.locator(".a")).to_have_text(f"{low:g}")
    expect(row.locator(".b")).to_have_text(f"{high:g}")
    expect(row.locator(".difference")).to_have_text(f"{high - low:g}")
    expect(plot.locator("thead .difference")).to_contain_text(" s")
    handle = plot.get_by_role("slider", name="Cursor A")
    handle.press("ArrowLeft")
    assert plot.evaluate("(plot) => plot.cursors[0]") < first + 0.01
    box = box_of(handle)
    page.page.mouse.move(box["x"] + 8, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] - 40, box["y"] + 60, steps=2)
    page.page.mouse.up()
    dragged = plot.evaluate("(plot) => [plot.cursors[0], plot.zoom]")
    assert dragged[0] < first - 0.05
    assert dragged[1] == pytest.approx([first - 0.99, last + 1.01])
    tool(plot, "Cursors").click()
    expect(handle).to_be_hidden()


def test_the_pointer_reads_the_lines(page: ElementPage) -> None:
    plot = chart(page, "$(P)one", 'span="5"')
    samples_of(plot, 1)
    plot.evaluate("(plot) => { plot.zoom = [plot.curves[0].trace.firstTime, Date.now() / 1000]; }")
    expect(plot.locator("canvas")).to_be_visible()
    over(plot).hover()
    expect(plot.locator("[part=readout]")).to_contain_text(":")
    expect(plot.locator("[part=legend] .at").last).to_have_text("1.00")


def test_charts_may_share_the_pointer(page: ElementPage) -> None:
    page.show("".join(f'<epics-stripchart id="{name}" pv="$(P)one" sync="s"></epics-stripchart>' for name in "ab"))
    for name in "ab":
        expect(page.host(name).locator("canvas")).to_be_visible()
    over(page.host("a")).hover()
    expect(page.part("b", "readout")).to_contain_text(":")


def test_a_chart_that_begins_paused_shows_the_past(page: ElementPage) -> None:
    samples_of(chart(page, "$(P)count"), 5)
    plot = chart(page, "$(P)count", "paused")
    samples_of(plot, 3)
    start, end = plot.evaluate(WINDOW)
    assert abs(end - plot.evaluate("Date.now()") / 1000) < scaled(20)
    assert end - start == pytest.approx(60)


def test_logarithmic(page: ElementPage) -> None:
    plot = chart(page, "$(P)one $(P)hundred $(P)many")
    tool(plot, "Logarithmic").click()
    expect(tool(plot, "Logarithmic")).to_have_attribute("aria-pressed", "true")

    def evenly() -> bool:
        rows = [main_row(plot, line) for line in range(3)]
        if None in rows:
            return False
        many, hundred, one = sorted(row for row in rows if row is not None)
        return abs((one - hundred) - (hundred - many)) <= 2 and one - many > 50

    assert wait_for(evenly, what="decades that are equally high")


def test_the_axis_may_be_fixed(page: ElementPage) -> None:
    plot = chart(page, "$(P)hundred", 'min="0" max="200"')
    row = wait_for(lambda: main_row(plot), what="the line")
    assert row is not None
    assert row - 10 == pytest.approx(box_of(over(plot))["height"] / 2, abs=3)


def test_the_csv_has_what_is_in_view(page: ElementPage) -> None:
    plot = chart(page, "$(P)count $(P)one", "paused")
    samples_of(plot, 10)
    samples_of(plot, 1, line=1)
    samples = trace(plot)
    plot.evaluate("(plot, zoom) => { plot.zoom = zoom; }", [samples[3][0] + 0.01, samples[8][0] + 0.01])
    with page.page.expect_download() as download:
        tool(plot, "Save as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text())))
    assert rows[0] == ["time", f"{page.prefix}count", f"{page.prefix}one"]
    counts = [(at(row[0]), float(row[1])) for row in rows[1:] if row[1]]
    assert [value for _, value in counts] == [value for _, value in samples[3:9]]
    assert [time for time, _ in counts] == pytest.approx([time for time, _ in samples[3:9]], abs=1e-5)
    assert [float(row[2]) for row in rows[1:] if row[2]] == [1]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_it_draws_no_more_than_needed(page: ElementPage) -> None:
    page.show('<epics-stripchart id="chart" span="1" pv="$(P)count"></epics-stripchart><p class="tall"></p>')
    page.page.evaluate("document.querySelector('.tall').style.height = '3000px'")
    plot = page.host("chart")
    samples_of(plot, 3)
    plot.evaluate(COUNT_DRAWINGS)
    wait_for(lambda: page.page.evaluate("drawings.length") > 10, 20, "ten drawings")
    times: list[float] = page.page.evaluate("drawings")
    assert min(after - before for before, after in pairwise(times)) > 30
    page.page.evaluate("scrollTo(0, 2500)")
    expect(plot).not_to_be_in_viewport()
    page.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    before = page.page.evaluate("drawings.length")
    samples_of(plot, len(trace(plot)) + 5)
    assert page.page.evaluate("drawings.length") <= before + 1
    page.page.evaluate("scrollTo(0, 0)")
    wait_for(lambda: page.page.evaluate("drawings.length") > before + 1, what="it to draw again")


def test_colours_follow_the_page(page: ElementPage) -> None:
    plot = chart(page, "$(P)one")
    color = "(plot) => plot.theme.color('trace-0')"
    light = plot.evaluate(color)
    assert main_row(plot) or wait_for(lambda: main_row(plot), what="a line in light")
    page.page.emulate_media(color_scheme="dark")
    wait_for(lambda: plot.evaluate(color) != light, what="another colour")
    assert wait_for(lambda: main_row(plot), what="a line in dark")


def test_what_is_no_number_is_not_drawn(page: ElementPage) -> None:
    plot = chart(page, "$(P)one.DESC $(P)nowhere")
    expect(plot.locator("[part=note]")).to_have_text("No numbers to draw")
    expect(plot.locator("canvas")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it(page: ElementPage, scheme: Any) -> None:
    page.page.emulate_media(color_scheme=scheme)
    plot = chart(page, "$(P)count $(P)limited $(P)mode", 'label="Beam" editable')
    samples_of(plot, 3)
    tool(plot, "Cursors").click()
    expect(plot.get_by_role("slider")).to_have_count(2)
    page.page.evaluate("document.body.style.background = 'Canvas'")
    assert serious_findings(page.page) == []
