"""The details of the selected PV: plot, waveform or whole text, metadata, who may do what, and writing it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.browser.pixels import box_of, is_free
from tests.iocs import CIOC
from tests.servers import WRITABLE, Server


def fact(live: LivePage, label: str) -> Locator:
    """The text beside a label."""
    return live.page.locator(".facts div").filter(has=live.page.get_by_text(label, exact=True)).locator("dd")


def writer(live: LivePage) -> Locator:
    return live.page.locator(".write > *")


@pytest.fixture(scope="module")
def writable(ioc: CIOC) -> Iterator[Server]:
    with Server(ioc.env(), WRITABLE) as server:
        yield server


@pytest.fixture
def writing(browser: Browser, writable: Server) -> Iterator[LivePage]:
    yield from live_page(browser, writable.url)


def test_metadata_and_limits(live: LivePage, ioc: CIOC) -> None:
    live.open(f"{ioc.prefix}ai", plot=f"{ioc.prefix}ai")
    expect(live.page.locator(".detail-value")).to_have_text("21.500")
    expect(live.page.locator(".detail-units")).to_have_text("mm")
    told = {
        "Type": "double",
        "Precision": "3",
        "Display": "-100.000 … 100.000",
        "Warning": "-50.000 … 50.000",
        "Alarm": "-90.000 … 90.000",
    }
    for label, text in told.items():
        expect(fact(live, label)).to_have_text(text)


def test_host_access_rule_and_subscribers(live: LivePage, ioc: CIOC) -> None:
    live.open(f"{ioc.prefix}ai", plot=f"{ioc.prefix}ai")
    expect(fact(live, "Access")).to_have_text("read")
    expect(fact(live, "Rule")).to_contain_text("access.")
    expect(fact(live, "Host")).to_contain_text(str(ioc.port))
    expect(fact(live, "Subscribers")).to_have_text("1")
    expect(writer(live)).to_have_count(0)


def test_what_only_the_ioc_forbids(writing: LivePage, ioc: CIOC) -> None:
    writing.open(f"{ioc.prefix}readonly", plot=f"{ioc.prefix}readonly")
    expect(fact(writing, "Rule")).to_contain_text("write")
    expect(fact(writing, "Access")).to_have_text("read (the IOC forbids writing)")


def test_without_a_value_nothing_is_drawn(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}nowhere"
    live.open(name, plot=name)
    expect(live.page.locator(".detail-status")).to_contain_text("Not found")
    expect(live.page.locator(".plot > *")).to_have_count(0)
    expect(live.page.locator(".facts")).to_be_hidden()


@pytest.mark.parametrize(
    ("record", "element"), [("fast", "epics-stripchart"), ("mbbi", "epics-stripchart"), ("wf_short", "epics-waveform")]
)
def test_numbers_are_drawn(live: LivePage, ioc: CIOC, record: str, element: str) -> None:
    name = f"{ioc.prefix}{record}"
    live.open(name, plot=name)
    plot = live.page.locator(f".plot > {element}")
    expect(plot).to_have_attribute("pv", name)
    expect(plot.locator("canvas")).to_be_visible()


def test_another_row_gets_another_picture(live: LivePage, ioc: CIOC) -> None:
    names = [f"{ioc.prefix}{name}" for name in ("wf_short", "wf_text", "wf_string", "fast")]
    live.open(*names, plot=names[0])
    expect(live.page.locator(".plot > epics-waveform")).to_be_visible()
    live.row(names[1]).click()
    expect(live.page.locator(".whole-text")).to_have_text("Text in an array of characters")
    expect(live.page.locator(".plot > *")).to_have_count(0)
    live.row(names[2]).click()
    expect(live.page.locator(".whole-text")).to_have_text("one\n\nthree")
    live.row(names[3]).click()
    expect(live.page.locator(".plot > epics-stripchart")).to_be_visible()
    live.page.get_by_role("button", name="Close the details").click()
    expect(live.page.get_by_label("Details", exact=True)).to_be_hidden()
    expect(live.page.get_by_role("grid")).to_be_focused()


def test_the_span_of_the_history_is_kept_in_the_address(live: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}fast"
    live.open(name, plot=name)
    live.page.get_by_role("button", name="5 min", exact=True).click()
    live.page.wait_for_url("**&span=300")
    live.page.reload()
    expect(live.page.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")


def test_details_are_asked_for_one_pv_at_a_time(live: LivePage, ioc: CIOC) -> None:
    """Those who run down the list with the arrow keys do not ask about each PV on the way."""
    names = [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi", "longin", "nan")]
    live.open(*names, plot=names[0])
    expect(fact(live, "Host")).to_be_visible()
    live.page.get_by_role("grid").focus()
    before = len(live.requests)
    for _ in names[1:]:
        live.page.get_by_role("grid").dispatch_event("keydown", {"key": "ArrowDown"})
    expect(live.page.locator(".detail-name")).to_have_text(names[-1])
    expect(fact(live, "Host")).to_be_visible()
    asked = [request["pv"] for request in live.requests[before:] if request["action"] == "info"]
    assert asked[-1] == names[-1]
    assert len(asked) < len(names)


@pytest.mark.parametrize(
    ("record", "element"), [("ao", "epics-input"), ("bi", "epics-toggle"), ("mbbo", "epics-enum"), ("wf_short", None)]
)
def test_what_a_pv_is_written_with(writing: LivePage, ioc: CIOC, record: str, element: str | None) -> None:
    name = f"{ioc.prefix}{record}"
    writing.open(name, plot=name)
    expect(fact(writing, "Access")).to_have_text("read, write")
    expect(writer(writing)).to_have_count(1 if element else 0)
    if element:
        expect(writing.page.locator(f".write > {element}")).to_have_attribute("pv", name)


def test_a_value_is_written(writing: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ao"
    writing.open(name, plot=name)
    expect(writing.cell(name, "value")).to_have_text("1.25")
    field = writer(writing).get_by_role("textbox")
    field.fill("2.5")
    field.press("Enter")
    expect(writing.cell(name, "value")).to_have_text("2.50")
    field.fill("1.25")
    field.press("Enter")
    expect(writing.cell(name, "value")).to_have_text("1.25")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_refusal_covers_nothing(browser: Browser, writable: Server, ioc: CIOC, width: int) -> None:
    name = f"{ioc.prefix}ao"
    for page in live_page(browser, writable.url, width, 844):
        page.open(name, plot=name)
        if width < 960:
            page.page.get_by_role("button", name="Details", exact=True).click()
        field = writer(page).get_by_role("textbox")
        field.fill("nonsense, and so much of it that it takes more than one line to tell why nothing was written")
        field.press("Enter")
        box = writer(page).get_by_role("alert")
        expect(box).not_to_be_empty()
        plot = page.page.locator(".plot > *")
        assert box_of(box)["y"] >= box_of(field)["y"] + box_of(field)["height"]
        assert box_of(box)["y"] + box_of(box)["height"] <= box_of(plot)["y"]
        assert all(is_free(button) for button in plot.get_by_role("button").all())


def test_a_refusal_is_told(writing: LivePage, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ao"
    writing.open(name, plot=name)
    field = writer(writing).get_by_role("textbox")
    expect(field).to_have_value("1.25")
    field.fill("nonsense")
    field.press("Enter")
    expect(writer(writing).get_by_role("alert")).not_to_be_empty()
    expect(writing.cell(name, "value")).to_have_text("1.25")
