"""The tutorial's page, taken out of its Markdown, on the demo: what a reader is promised comes true."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.demo import demo
from tests.browser.live_page import LivePage
from tests.timing import wait_for

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "first-page.md"
SNIPPETS = re.findall(r"^```html\n(.*?)^```$", TUTORIAL.read_text(), flags=re.MULTILINE | re.DOTALL)
README = re.search(r"^```html\n(.*?)^```$", TUTORIAL.parents[2].joinpath("README.md").read_text(), re.M | re.S)
STEPS, WHOLE = SNIPPETS[:-1], SNIPPETS[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("furnace")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    with demo(folder) as url:
        yield url


@pytest.fixture
def live(browser: Browser, url: str) -> Iterator[LivePage]:
    context = browser.new_context()
    live = LivePage(context.new_page(), url)
    yield live
    context.close()
    assert live.complaints == []


def open_page(live: LivePage, folder: Path, html: str) -> None:
    (folder / "index.html").write_text(html, encoding="utf-8")
    live.page.goto(f"{live.url}pages/")


def value_of(url: str, name: str) -> float:
    with urlopen(f"{url}api/pv/{name}") as answer:
        return float(json.load(answer)["value"])


def test_page_has_four_live_values_a_plot_and_a_field(live: LivePage, folder: Path) -> None:
    open_page(live, folder, WHOLE)
    expect(live.page.locator("epics-value[data-condition=live]")).to_have_count(4)
    expect(live.page.locator("epics-value").first).to_contain_text("°C")
    expect(live.page.get_by_role("table", name="Lines")).to_contain_text("SIM:SETPOINT")
    expect(live.page.locator("epics-stripchart canvas")).to_be_visible()


def test_field_really_writes(live: LivePage, folder: Path, url: str) -> None:
    open_page(live, folder, WHOLE)
    field = live.page.get_by_label("Set point")
    expect(field).to_have_value("20.00")
    field.fill("50")
    field.press("Enter")
    wait_for(lambda: value_of(url, "SIM:SETPOINT") == 50.0, what="the set point")
    expect(live.page.locator('epics-value[pv="$(P)T1"]')).to_contain_text(re.compile(r"[45]\d\.\d"))
    field.fill("500")
    field.press("Enter")
    expect(live.page.locator("epics-input[data-refused]")).to_have_count(1)
    field.press("Escape")
    expect(field).to_have_value("50.00")
    assert value_of(url, "SIM:SETPOINT") == 50.0


def test_steps_add_up(live: LivePage, folder: Path) -> None:
    """Each is added to the one before."""
    open_page(live, folder, "".join(STEPS))
    for element, count in (("epics-value", 4), ("epics-stripchart", 1), ("epics-input", 1)):
        expect(live.page.locator(f"{element}[data-condition=live]")).to_have_count(count)


def test_example_of_the_readme(live: LivePage, folder: Path) -> None:
    assert README is not None
    open_page(live, folder, f"<!doctype html>\n{README[1]}")
    expect(live.page.locator("[pv]")).to_have_count(3)
    expect(live.page.locator("[pv][data-condition=live]")).to_have_count(3)


def test_wrong_name_says_that_nothing_is_found(live: LivePage, folder: Path) -> None:
    open_page(live, folder, WHOLE.replace('"$(P)T1"', '"$(P)T9"'))
    expect(live.page.locator('epics-value[data-condition="disconnected"]')).to_have_count(1)
    expect(live.page.locator("epics-value[data-condition=live]")).to_have_count(3)
