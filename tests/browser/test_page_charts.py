"""Charts of the page: put together by dragging, by buttons and by the keyboard, and kept in the address."""

import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.browser.pixels import box_of, is_free
from tests.iocs import CIOC
from tests.servers import Server


@pytest.fixture
def names(ioc: CIOC) -> list[str]:
    return [f"{ioc.prefix}{name}" for name in ("ai", "ao", "fast")]


def chart(live: LivePage, number: int) -> Locator:
    """The card of a chart, counted from 1."""
    return live.page.locator("article.card").nth(number - 1)


def expect_charts(live: LivePage, *charts: list[str]) -> None:
    """These PVs in these charts, and in the address."""
    expect(live.page.locator("article.card")).to_have_count(len(charts))
    for number, names in enumerate(charts, 1):
        expect(chart(live, number).locator("epics-stripchart")).to_have_attribute("pv", " ".join(names))
    fragment = "".join(f"&chart={','.join(names)}" for names in charts)
    live.page.wait_for_url(lambda url: charts_of(url) == fragment)


def charts_of(url: str) -> str:
    return "".join(f"&{part}" for part in re.split("[#&]", unquote(url)) if part.startswith("chart="))


def drop(live: LivePage, row: Locator, target: Locator) -> None:
    """Drag a row to what may come up only while it is dragged."""
    row.hover()
    live.page.mouse.down()
    live.page.mouse.move(600, 300, steps=3)
    target.hover()
    target.hover()
    live.page.mouse.up()


def test_rows_are_dragged_together(live: LivePage, names: list[str]) -> None:
    live.open(*names)
    expect(live.row(names[2])).to_have_attribute("data-condition", "live")
    drop(live, live.cell(names[0], "name"), live.page.locator("#new-chart"))
    expect_charts(live, [names[0]])
    drop(live, live.cell(names[1], "name"), chart(live, 1))
    expect_charts(live, [names[0], names[1]])
    drop(live, live.cell(names[2], "name"), live.page.locator("#new-chart"))
    expect_charts(live, [names[0], names[1]], [names[2]])


def test_charts_are_made_with_the_keyboard(live: LivePage, names: list[str]) -> None:
    live.open(*names, plot=names[0])
    expect(live.row(names[2])).to_have_attribute("data-condition", "live")
    live.page.get_by_role("grid").focus()
    live.page.keyboard.press("c")
    expect_charts(live, [names[0]])
    live.page.keyboard.press("ArrowDown")
    live.page.keyboard.press("c")
    first = live.page.get_by_role("menuitem", name=f"Chart 1: {names[0]}")
    expect(first).to_be_focused()
    live.page.keyboard.press("Enter")
    expect_charts(live, names[:2])
    expect(live.page.get_by_role("grid")).to_be_focused()
    live.page.keyboard.press("ArrowDown")
    live.page.keyboard.press("c")
    live.page.keyboard.press("ArrowUp")
    expect(live.page.get_by_role("menuitem", name="New chart")).to_be_focused()
    live.page.keyboard.press("Escape")
    expect(live.page.get_by_role("menu")).to_be_hidden()
    live.page.keyboard.press("c")
    live.page.keyboard.press("End")
    live.page.keyboard.press("Enter")
    expect_charts(live, names[:2], names[2:])


def test_charts_are_made_with_buttons(live: LivePage, names: list[str]) -> None:
    live.open(*names, plot=names[2])
    live.button(names[0], "Add to chart").click()
    expect_charts(live, [names[0]])
    live.page.get_by_label("Details", exact=True).get_by_role("button", name="Add to chart").click()
    live.page.get_by_role("menuitem", name="Chart 1").click()
    expect_charts(live, [names[0], names[2]])
    live.page.get_by_role("button", name=f"New chart with {names[2]}").click()
    expect_charts(live, [names[0], names[2]], [names[2]])


def test_pvs_and_charts_are_removed(live: LivePage, names: list[str]) -> None:
    a, b, c = names
    live.page.goto(f"{live.url}#pv={a}&chart={a},{b}&chart={b}&chart={c}")
    expect_charts(live, [a, b], [b], [c])
    chart(live, 1).get_by_role("button", name=f"Remove {a}").click()
    expect_charts(live, [b], [b], [c])
    live.page.get_by_role("button", name="Remove chart 2").click()
    expect_charts(live, [b], [c])
    chart(live, 1).get_by_role("button", name=f"Remove {b}").click()
    expect_charts(live, [c])
    expect(live.page.get_by_role("figure", name="Chart 1")).to_be_visible()


def test_span_and_scale_are_kept_in_the_address(live: LivePage, names: list[str]) -> None:
    name = names[2]
    live.page.goto(f"{live.url}#chart={name}&chart={name};span=900")
    first, second = chart(live, 1), chart(live, 2)
    expect(second.get_by_role("button", name="15 min")).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="5 min", exact=True).click()
    second.get_by_role("button", name="Logarithmic").click()
    live.page.wait_for_url(lambda url: charts_of(url) == f"&chart={name};span=300&chart={name};span=900;scale=log")
    live.page.reload()
    expect(first.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(second.get_by_role("button", name="Logarithmic")).to_have_attribute("aria-pressed", "true")
    second.get_by_role("button", name="Zoom in").click()
    live.page.wait_for_url(lambda url: ";zoom=" in charts_of(url))


def test_arrays_get_charts_of_their_own(live: LivePage, ioc: CIOC, names: list[str]) -> None:
    waves = [f"{ioc.prefix}{name}" for name in ("wf_short", "wf_long")]
    live.open(names[0], *waves)
    for name, value in ((names[0], "21.500"), (waves[1], "[4]")):
        expect(live.cell(name, "value")).to_contain_text(value)
    live.button(names[0], "Add to chart").click()
    live.button(waves[0], "Add to chart").click()
    expect(live.page.get_by_role("menuitem")).to_have_text(["New chart"])
    live.page.get_by_role("menuitem").click()
    drop(live, live.cell(waves[1], "name"), chart(live, 2))
    expect(live.page.locator("article.card > epics-waveform")).to_have_attribute("pv", " ".join(waves))
    live.page.wait_for_url(lambda url: charts_of(url) == f"&chart={names[0]}&chart={','.join(waves)};as=wave")
    drop(live, live.cell(waves[1], "name"), chart(live, 1))
    expect(live.page.locator("article.card > epics-waveform")).to_have_count(2)


def test_names_dropped_as_text_are_added(live: LivePage, names: list[str]) -> None:
    live.open(names[0])
    expect(live.row(names[0])).to_have_attribute("data-condition", "live")
    live.page.evaluate(
        """(text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.setData("text/plain", text);
          document.querySelector("#list").dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
        }""",
        " ".join(names[1:]),
    )
    expect(live.row(names[2])).to_have_attribute("data-condition", "live")
    assert live.names() == names


@pytest.mark.parametrize("width", [390, 480, 700, 1280])
def test_nothing_covers_the_tools_of_a_chart(browser: Browser, server: Server, names: list[str], width: int) -> None:
    for live in live_page(browser, server.url, width, 844):
        live.page.goto(f"{live.url}#pv={names[0]}&chart={names[0]}")
        if width < 960:
            live.page.get_by_role("button", name="Charts", exact=True).click()
        card = chart(live, 1)
        expect(card.locator("canvas")).to_be_visible()
        tools = card.locator("[part=toolbar]").get_by_role("button")
        assert all(is_free(tool) for tool in tools.all())
        remove, plot = box_of(card.get_by_role("button", name="Remove chart 1")), box_of(card.locator("[part=plot]"))
        assert remove["y"] + remove["height"] <= plot["y"]


def test_a_phone_turns_to_the_chart(browser: Browser, server: Server, names: list[str]) -> None:
    for live in live_page(browser, server.url, 390, 844):
        live.open(*names)
        live.button(names[0], "Add to chart").click()
        expect(live.page.get_by_role("button", name="Charts", exact=True)).to_have_attribute("aria-current", "true")
        expect(chart(live, 1)).to_be_visible()
        expect(live.page.get_by_role("grid")).to_be_hidden()
        live.page.get_by_role("button", name="Events", exact=True).click()
        expect(chart(live, 1)).to_be_hidden()
        live.page.get_by_role("button", name="PVs", exact=True).click()
        expect(live.row(names[0])).to_be_in_viewport()
        live.row(names[1]).click()
        expect(live.page.locator(".detail-name")).to_have_text(names[1])
        expect(live.page.locator(".detail-name")).to_be_in_viewport()
        live.page.get_by_role("button", name="PVs", exact=True).click()
        expect(live.row(names[1])).to_be_in_viewport()
        expect(live.page.locator(".detail-name")).to_be_hidden()
