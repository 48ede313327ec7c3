"""The list of alarms and events: live, filtered, and open or not as the address says."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.live_page import LivePage
from tests.iocs import CIOC


@pytest.fixture
def name(ioc: CIOC) -> Iterator[str]:
    """Of a PV without alarm, before and after."""
    yield f"{ioc.prefix}ao"
    ioc.shell(f"dbpf {ioc.prefix}ao 1.25")


@pytest.fixture
def events(live: LivePage) -> Locator:
    return live.page.get_by_label("Events, the newest first").get_by_role("listitem")


def test_alarms_are_listed_as_they_happen(live: LivePage, ioc: CIOC, name: str, events: Locator) -> None:
    live.open(name)
    expect(live.cell(name, "value")).to_have_text("1.25")
    live.page.get_by_role("button", name="Events", exact=True).click()
    live.page.get_by_label("Only PVs of this page").check()
    before = events.count()
    ioc.shell(f"dbpf {name} 8.5")
    expect(events.first).to_contain_text("MINOR HIGH")
    expect(events.first).to_have_attribute("data-severity", "MINOR")
    ioc.shell(f"dbpf {name} -9.5")
    expect(events.first).to_contain_text("MAJOR LOLO")
    expect(events.first).to_contain_text("-9.5")
    expect(events).to_have_count(before + 2)
    live.page.wait_for_url("**&events=all;of=page")


def test_events_are_filtered(live: LivePage, ioc: CIOC, name: str, events: Locator) -> None:
    live.page.goto(f"{live.url}#pv={name}&events=alarm;of=page")
    expect(live.cell(name, "value")).to_have_text("1.25")
    for value in ("8.5", "-9.5"):
        ioc.shell(f"dbpf {name} {value}")
        expect(events.first).to_contain_text("HIGH" if value == "8.5" else "LOLO")
    live.page.get_by_label("Filter events").fill("lolo")
    expect(events.first).to_contain_text("MAJOR LOLO")
    expect(events.filter(has_text="HIGH")).to_have_count(0)
    live.page.get_by_role("button", name="Connections", exact=True).click()
    expect(events).to_have_count(0)
    expect(live.page.locator(".event-list .nothing")).to_have_text("No event matches.")
    live.page.wait_for_url("**&events=connection;find=lolo;of=page")


def test_a_line_keeps_the_focus_while_others_come_and_go(live: LivePage, ioc: CIOC, name: str, events: Locator) -> None:
    live.page.goto(f"{live.url}#pv={name}&events=alarm;of=page")
    expect(live.cell(name, "value")).to_have_text("1.25")
    ioc.shell(f"dbpf {name} 8.5")
    line = events.first
    expect(line).to_contain_text("MINOR HIGH")
    line.get_by_role("button").focus()
    line.evaluate("line => { window.line = line; }")
    ioc.shell(f"dbpf {name} -9.5")
    expect(line).to_contain_text("MAJOR LOLO")
    expect(events.nth(1).get_by_role("button")).to_be_focused()
    texts = events.all_inner_texts()
    field = live.page.get_by_label("Filter events")
    field.fill("high")
    expect(events.filter(has_text="LOLO")).to_have_count(0)
    field.fill("")
    expect(line).to_contain_text("LOLO")
    assert events.all_inner_texts() == texts
    assert events.nth(1).evaluate("line => line === window.line")


def test_an_event_leads_to_its_pv(live: LivePage, ioc: CIOC, name: str, events: Locator) -> None:
    live.page.goto(f"{live.url}#pv={name}&events=all")
    expect(live.cell(name, "value")).to_have_text("1.25")
    ioc.shell(f"dbpf {name} 8.5")
    live.page.get_by_label("Filter events").fill(name)
    expect(events.first).to_contain_text("MINOR HIGH")
    live.button(name, "Remove").click()
    events.first.get_by_role("button").click()
    expect(live.page.locator(".detail-name")).to_have_text(name)
    expect(live.row(name)).to_have_attribute("aria-selected", "true")
    live.page.get_by_role("button", name="Close the events").click()
    expect(live.page.get_by_label("Events, the newest first")).to_be_hidden()


def test_values_read_as_in_the_table(live: LivePage, ioc: CIOC, name: str, events: Locator) -> None:
    """A state by its name, a number with the record's digits, also where the events come before the metadata."""
    state = f"{ioc.prefix}mbbi"
    live.page.goto(f"{live.url}#pv={name},{state}&events=alarm;of=page")
    expect(live.cell(state, "value")).to_have_text("Fault")
    expect(live.cell(name, "value")).to_have_text("1.25")
    ioc.shell(f"dbpf {state} 1")
    expect(events.first.locator(".value")).to_have_text("Busy")
    ioc.shell(f"dbpf {state} 2")
    expect(events.first.locator(".value")).to_have_text("Fault")
    ioc.shell(f"dbpf {name} 8.5")
    expect(events.first.locator(".value")).to_have_text("8.50")
    live.page.reload()
    expect(events.nth(1).locator(".value")).to_have_text("Fault")
    expect(events.first.locator(".value")).to_have_text("8.50")
