"""The tutorial's page, taken out of its Markdown, on the demo: what a reader is promised comes true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.live_page import LivePage
from tests.timing import wait_for

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-page.md"
SNIPPETS = re.findall(r"^```html\n(.*?)^```$", TUTORIAL.read_text(), flags=re.MULTILINE | re.DOTALL)
README = re.search(r"^```html\n(.*?)^```$", TUTORIAL.parents[2].joinpath("README.md").read_text(), re.M | re.S)
STEPS, WHOLE = SNIPPETS[:-1], SNIPPETS[-1]


@pytest.fixture
def live(browser: Browser, demo_url: str) -> Iterator[LivePage]:
    context = browser.new_context()
    live = LivePage(context.new_page(), demo_url)
    yield live
    context.close()
    assert live.complaints == []


def open_page(live: LivePage, demo_pages: Path, html: str) -> None:
    (demo_pages / "index.html").write_text(html, encoding="utf-8")
    live.page.goto(f"{live.url}pages/")


def value_of(url: str, name: str) -> float:
    with urlopen(f"{url}api/pv/{name}") as answer:
        return float(json.load(answer)["value"])


def test_page_has_four_live_values_a_plot_and_a_field(live: LivePage, demo_pages: Path) -> None:
    open_page(live, demo_pages, WHOLE)
    expect(live.page.locator("epics-value[data-condition=live]")).to_have_count(4)
    expect(live.page.locator("epics-value").first).to_contain_text("°C")
    expect(live.page.get_by_role("table", name="Lines")).to_contain_text("SIM:SETPOINT")
    expect(live.page.locator("epics-stripchart canvas")).to_be_visible()


def test_field_really_writes(live: LivePage, demo_pages: Path, demo_url: str) -> None:
    open_page(live, demo_pages, WHOLE)
    field = live.page.get_by_label("Set point")
    expect(field).not_to_have_value("")
    field.fill("50")
    field.press("Enter")
    wait_for(lambda: value_of(demo_url, "SIM:SETPOINT") == 50.0, what="the set point")
    expect(live.page.locator('epics-value[pv="$(P)T1"]')).to_contain_text(re.compile(r"[45]\d\.\d"))
    field.fill("500")
    field.press("Enter")
    expect(live.page.locator("epics-input[data-refused]")).to_have_count(1)
    expect(live.page.locator("epics-input").get_by_role("alert")).to_contain_text("limits are 0 °C to 100 °C")
    field.press("Escape")
    expect(field).to_have_value("50.00")
    assert value_of(demo_url, "SIM:SETPOINT") == 50.0


def test_steps_add_up(live: LivePage, demo_pages: Path) -> None:
    """Each is added to the one before."""
    open_page(live, demo_pages, "".join(STEPS))
    for element, count in (("epics-value", 4), ("epics-stripchart", 1), ("epics-input", 1)):
        expect(live.page.locator(f"{element}[data-condition=live]")).to_have_count(count)


def test_example_of_the_readme(live: LivePage, demo_pages: Path) -> None:
    assert README is not None
    open_page(live, demo_pages, f"<!doctype html>\n{README[1]}")
    expect(live.page.locator("[pv]")).to_have_count(3)
    expect(live.page.locator("[pv][data-condition=live]")).to_have_count(3)


def test_page_without_an_ioc(live: LivePage, demo_pages: Path) -> None:
    guide = (TUTORIAL.parents[1] / "how-to" / "develop-without-an-ioc.md").read_text()
    (page,) = re.findall(r"^   ```html\n(.*?)^   ```$", guide, re.M | re.S)
    open_page(live, demo_pages, page)
    expect(live.page.locator("epics-value")).to_contain_text("a.u.")
    live.page.get_by_label("Set point").fill("30")
    live.page.get_by_label("Set point").press("Enter")
    live.page.reload()
    expect(live.page.get_by_label("Set point")).to_have_value("30")


def test_wrong_name_says_that_nothing_is_found(live: LivePage, demo_pages: Path) -> None:
    open_page(live, demo_pages, WHOLE.replace('"$(P)T1"', '"$(P)T9"'))
    expect(live.page.locator('epics-value[data-condition="disconnected"]')).to_have_count(1)
    expect(live.page.locator("epics-value[data-condition=live]")).to_have_count(3)
