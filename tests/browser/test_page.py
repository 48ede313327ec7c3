"""The live table: adding, picking and removing PVs, the address that keeps them, errors, keyboard, phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for

PHONE = (390, 844)
ALARMS = [("0", "NO_ALARM", "OK"), ("8.5", "MINOR", "MINOR HIGH"), ("-9.5", "MAJOR", "MAJOR LOLO")]


def changes(cell: Locator) -> bool:
    """Whether the text of a cell becomes another one."""
    before = cell.inner_text()
    return wait_for(lambda: cell.inner_text() != before, what=f"another text than {before!r}")


def test_an_empty_page_offers_the_servers_names(live: LivePage, ioc: CIOC) -> None:
    live.open()
    expect(live.page.get_by_role("button", name=f"{ioc.prefix}mbbi")).to_be_visible()
    expect(live.page.locator("#banner")).to_be_hidden()
    live.page.get_by_role("button", name="Watch all of them").click()
    expect(live.cell(f"{ioc.prefix}mbbi", "value")).to_have_text("Fault")
    assert live.names() == [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi", "fast")]


def test_a_typed_name_goes_live(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}fast"
    live.open()
    live.add(name)
    expect(live.row(name)).to_have_attribute("data-condition", "live")
    assert changes(live.cell(name, "value"))
    assert changes(live.cell(name, "time"))


def test_several_names_at_once_and_none_twice(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("ai", "stringin", 'ai.VAL{"dbnd":{"abs":1}}')]
    live.open()
    live.add(f"{names[0]}, {names[1]} {names[0]}")
    live.add(f"{names[1]} {names[2]}")
    expect(live.cell(names[0], "value")).to_have_text("21.500")
    expect(live.cell(names[1], "value")).to_have_text("Hello, world")
    expect(live.page.locator("#rows .value").nth(2)).to_have_text("21.500")
    assert live.names() == names


def test_an_offered_name_is_picked_with_the_mouse(live: LivePage, ioc: CIOC) -> None:
    live.open()
    live.page.get_by_role("combobox").fill("MBB")
    live.page.get_by_role("option", name=f"{ioc.prefix}mbbi").click()
    expect(live.cell(f"{ioc.prefix}mbbi", "value")).to_have_text("Fault")


def test_names_that_come_while_one_is_typed_are_offered(live: LivePage, ioc: CIOC) -> None:
    held: list[Route] = []
    live.page.route("**/api/pv", lambda route: held.append(route))
    with live.page.expect_request("**/api/pv"):
        live.open()
    live.page.get_by_role("combobox").fill("MBB")
    expect(live.page.get_by_role("option")).to_have_count(0)
    for route in held:
        route.continue_()
    live.page.get_by_role("option", name=f"{ioc.prefix}mbbi").click()
    expect(live.row(f"{ioc.prefix}mbbi")).to_be_visible()


def test_an_offered_name_is_picked_with_the_keyboard(live: LivePage, ioc: CIOC) -> None:
    field = live.page.get_by_role("combobox")
    live.open(f"{ioc.prefix}ai")
    field.fill(f"{ioc.prefix}stringin :a")
    expect(live.page.get_by_role("option")).to_have_text([f"{ioc.prefix}ao"])
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("")
    assert live.names() == [f"{ioc.prefix}{name}" for name in ("ai", "stringin", "ao")]


@pytest.mark.parametrize(
    ("record", "value", "units"),
    [
        ("ai", "21.500", "mm"),
        ("longin", "-2147483648", "counts"),
        ("mbbi", "Fault", ""),
        ("latin1", "Grüße", ""),
        ("latin1_units", "20.0", "°C"),
        ("nan", "NaN", ""),
        ("minus_inf", "−∞", ""),
        ("lsi.VAL$", "A string that is longer than the forty bytes that DBR_STRING offers to its readers", ""),
        ("wf_text", "Text in an array of characters", ""),
        ("wf_double", "[4] -1.5000, 0.0000, 0.1000, 1.0000e+300", "A"),
        ("wf_string", '[3] "one", "", "three"', ""),
        ("wf_empty", "empty", ""),
        ("large", "[100\u2009000] 0 … 50000", ""),
    ],
)
def test_values_read_well(live: LivePage, ioc: CIOC, record: str, value: str, units: str) -> None:
    name = f"{ioc.prefix}{record}"
    live.open(name)
    expect(live.cell(name, "value")).to_have_text(value)
    expect(live.cell(name, "units")).to_have_text(units)


def test_the_address_keeps_the_names(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi")]
    live.open()
    live.add(" ".join(names))
    live.button(names[1], "Remove").click()
    live.row(names[2]).click()
    live.page.wait_for_url(f"**/#pv={names[0]},{names[2]}&plot={names[2]}")
    live.page.reload()
    expect(live.row(names[2])).to_have_attribute("aria-selected", "true")
    expect(live.cell(names[0], "value")).to_have_text("21.500")
    assert live.names() == [names[0], names[2]]


def test_a_removed_row_ends_its_subscription(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("ai", "ao")]
    live.open(*names)
    expect(live.cell(names[1], "value")).to_have_text("1.25")
    live.button(names[1], "Remove").click()
    expect(live.row(names[1])).to_have_count(0)
    assert [pv["pvname"] for pv in live.ask("list")["pvs"]] == names[:1]


def test_an_alarm_shows_in_colour_and_words(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ao"
    live.open(name)
    for value, severity, words in ALARMS:
        ioc.shell(f"dbpf {name} {value}")
        expect(live.cell(name, "status")).to_have_text(words)
        expect(live.row(name)).to_have_attribute("data-severity", severity)
    ioc.shell(f"dbpf {name} 1.25")
    expect(live.cell(name, "status")).to_have_text("OK")


def test_rows_are_sorted_by_their_heads(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("mbbi", "ai", "bi")]
    live.open(*names)
    expect(live.cell(names[2], "status")).to_have_text("MINOR STATE")
    head = live.page.get_by_role("columnheader", name="Alarm or state")
    for sort, order in (("descending", (0, 2, 1)), ("ascending", (1, 2, 0)), ("none", (0, 1, 2))):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", sort)
        expect(live.page.locator("#rows .name")).to_have_text([names[index] for index in order])
    live.page.get_by_role("columnheader", name="PV").get_by_role("button").click()
    live.page.wait_for_url("**&sort=name")
    assert live.names() == sorted(names)


@pytest.fixture
def moved(ioc: CIOC) -> Iterator[list[str]]:
    """Two PVs in the order of their values; the first has its value again at the end."""
    yield [f"{ioc.prefix}{name}" for name in ("ao", "mbbi")]
    ioc.shell(f"dbpf {ioc.prefix}ao 1.25")


@pytest.mark.parametrize("part", ["Remove", "row"])
def test_a_row_that_changes_places_while_it_is_pressed(live: LivePage, ioc: CIOC, moved: list[str], part: str) -> None:
    first, second = moved
    live.page.goto(f"{live.url}#pv={first},{second}&sort=value")
    expect(live.page.locator("#rows .value")).to_have_text(["1.25", "Fault"])
    target = live.button(first, "Remove") if part == "Remove" else live.cell(first, "value")
    target.hover()
    live.page.mouse.down()
    ioc.shell(f"dbpf {first} 7")
    expect(live.page.locator("#rows .name")).to_have_text([second, first])
    live.page.mouse.up()
    if part == "Remove":
        expect(live.page.locator("#rows .name")).to_have_text([second])
    else:
        expect(live.page.locator(".detail-name")).to_have_text(first)


def test_heads_are_pressed_with_the_keyboard(live: LivePage, ioc: CIOC) -> None:
    """What the keys do to the selected row they do not do there."""
    names = [f"{ioc.prefix}{name}" for name in ("ao", "ai")]
    live.open(*names, plot=names[0])
    expect(live.cell(names[0], "value")).to_have_text("1.25")
    head = live.page.get_by_role("columnheader", name="PV")
    head.get_by_role("button").focus()
    for key in ("Delete", "c"):
        live.page.keyboard.press(key)
    for key, sort in (("Enter", "ascending"), ("Space", "descending")):
        live.page.keyboard.press(key)
        expect(head).to_have_attribute("aria-sort", sort)
    assert live.names() == names
    expect(live.page.locator(".card")).to_have_count(0)


def test_what_is_in_alarm_or_not_live_is_picked_out(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("ao", "mbbi", "nowhere")]
    rows = live.page.locator("#rows .name")
    live.page.goto(f"{live.url}#pv={','.join(names)}&only=trouble")
    expect(rows).to_have_text(names[1:])
    ioc.shell(f"dbpf {names[0]} 8.5")
    expect(rows).to_have_text(names)
    ioc.shell(f"dbpf {names[0]} 1.25")
    expect(rows).to_have_text(names[1:])
    live.page.get_by_role("button", name="In alarm or not live").click()
    expect(rows).to_have_text(names)
    live.page.get_by_role("button", name="In alarm or not live").click()
    live.page.get_by_label("Filter", exact=True).fill("ao")
    expect(live.page.get_by_role("status").filter(has_text="No PV matches.")).to_be_visible()
    live.page.wait_for_url("**&filter=ao&only=trouble")


def test_severities_differ_in_colour_and_shape(live: LivePage, ioc: CIOC) -> None:
    records = {"ai": "NO_ALARM", "bi": "MINOR", "mbbi": "MAJOR", "undefined": "INVALID"}
    live.open(*(f"{ioc.prefix}{record}" for record in records))
    shapes, colours = set(), set()
    for record, severity in records.items():
        expect(live.row(f"{ioc.prefix}{record}")).to_have_attribute("data-severity", severity)
        shape = live.row(f"{ioc.prefix}{record}").locator(".shape")
        shapes.add(shape.evaluate("shape => getComputedStyle(shape).clipPath"))
        colours.add(shape.evaluate("shape => getComputedStyle(shape).backgroundColor"))
    assert len(shapes) == len(colours) == 4


def test_a_pv_that_nobody_serves(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}nowhere"
    live.open(name)
    expect(live.cell(name, "status")).to_have_text("Not found, still searching")
    expect(live.row(name)).to_have_attribute("data-condition", "disconnected")


def test_a_name_that_cannot_be_one(live: LivePage, ioc: CIOC) -> None:
    name = "x" * 300
    live.open(f"{ioc.prefix}ai")
    live.add(name)
    expect(live.row(name)).to_have_attribute("data-condition", "error")
    expect(live.cell(name, "status")).to_contain_text("invalid_pv_name")
    expect(live.cell(f"{ioc.prefix}ai", "value")).to_have_text("21.500")


def test_rows_are_reached_with_the_keyboard(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi")]
    live.open(*names, plot=names[0])
    grid = live.page.get_by_role("grid")
    expect(live.cell(names[0], "value")).to_have_text("21.500")
    grid.focus()
    for key, name in (("End", names[2]), ("ArrowUp", names[1]), ("Home", names[0]), ("PageDown", names[2])):
        live.page.keyboard.press(key)
        expect(live.row(name)).to_have_attribute("aria-selected", "true")
        expect(live.page.locator(".detail-name")).to_have_text(name)
        assert grid.get_attribute("aria-activedescendant") == live.row(name).get_attribute("id")
    live.page.keyboard.press("ArrowUp")
    live.page.keyboard.press("Delete")
    expect(live.row(names[2])).to_have_attribute("aria-selected", "true")
    expect(grid).to_be_focused()
    assert live.names() == [names[0], names[2]]


@pytest.mark.parametrize("plot", ["", "fast"])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, server: Server, ioc: CIOC, plot: str) -> None:
    for live in live_page(browser, server.url, *PHONE):
        names = [f"{ioc.prefix}{name}" for name in ("ai", "lsi.VAL$", "wf_double", "fast", "nowhere")]
        live.open(*names, "x" * 300, plot=f"{ioc.prefix}{plot}")
        expect(live.cell(names[0], "value")).to_have_text("21.500")
        expect(live.row("x" * 300)).to_have_attribute("data-condition", "error")
        assert live.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert live.page.evaluate("document.querySelector('.scroller').scrollWidth") <= PHONE[0]
        button = live.button(names[0], "Remove").bounding_box()
        assert button is not None
        assert min(button["width"], button["height"]) >= 44


def test_a_hidden_tab_gets_no_updates_and_the_newest_when_shown(live: LivePage, server: Server, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ao"
    live.open(name)
    expect(live.cell(name, "value")).to_have_text("1.25")
    live.set_hidden(True)
    live.ask("ping")
    with server.client() as other:
        other.send(action="connect", pv=name)
        for value in (1.25, 2, 3):
            ioc.shell(f"dbpf {name} {value}")
            other.wait(msg_type="monitor", value=value)
    live.ask("ping")
    assert values_of(live) == [1.25]
    live.set_hidden(False)
    expect(live.cell(name, "value")).to_have_text("3.00")
    assert values_of(live) == [1.25, 3]
    ioc.shell(f"dbpf {name} 1.25")


def values_of(live: LivePage) -> list[float]:
    """All values that the page was sent."""
    return [frame["value"] for frame in live.frames if frame["msg_type"] == "monitor"]
