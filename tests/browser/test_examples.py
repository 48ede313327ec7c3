"""The gallery: each example lives on the demo's PVs, where it is and copied into a folder of one's own."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_findings
from tests.browser.live_page import LivePage

FOLDER = Path(__file__).resolve().parents[2] / "static" / "examples"
EXAMPLES = sorted(file.name for file in FOLDER.glob("*.html") if file.name != "index.html")
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def live(browser: Browser, demo_url: str) -> Iterator[LivePage]:
    context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 900})
    live = LivePage(context.new_page(), demo_url)
    yield live
    context.close()
    assert live.complaints == []


def expect_all_live(page: Page) -> None:
    """Every element has the value that the IOC has."""
    expect(page.locator("[pv]")).not_to_have_count(0)
    expect(page.locator("[pv]:not(:defined)")).to_have_count(0)
    expect(page.locator('[pv]:not([data-condition="live"])')).to_have_count(0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_live_for_everybody(live: LivePage, name: str) -> None:
    live.page.goto(f"{live.url}static/examples/{name}")
    expect_all_live(live.page)
    assert serious_findings(live.page) == []
    live.page.emulate_media(color_scheme="light")
    live.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert serious_findings(live.page) == []
    assert live.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "nothing sticks out"


def test_list_leads_to_every_example(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/index.html")
    links = live.page.locator("h2 a")
    assert {*EXAMPLES, "../monitor.html"} == {links.nth(index).get_attribute("href") for index in range(links.count())}
    assert serious_findings(live.page) == []
    for index in range(links.count()):
        answer = live.page.request.get(urljoin(live.page.url, links.nth(index).get_attribute("href")))
        assert answer.ok


@pytest.mark.parametrize("name", ["wall.html", "recipe.html"])  # with a style sheet and a script of their own
def test_source_is_for_a_folder_of_ones_own(live: LivePage, demo_pages: Path, name: str) -> None:
    live.page.goto(f"{live.url}static/examples/index.html")
    article = live.page.locator(f'[data-page="{name}"]')
    article.get_by_text("Source", exact=True).click()
    source = article.locator("pre")
    expect(source).to_contain_text("</html>")
    (demo_pages / name).write_text(source.inner_text())
    live.page.goto(f"{live.url}pages/{name}")
    expect_all_live(live.page)


def test_source_has_no_address_that_leads_nowhere(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/index.html")
    for name in EXAMPLES:
        for address in re.findall(r'(?:src|href)="([^"]+)"', (FOLDER / name).read_text()):
            assert live.page.request.get(urljoin(f"{live.url}static/examples/{name}", address)).ok, f"{name}: {address}"


# -- what the examples do


def test_shutter_of_the_panel_takes_the_beam_away(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/beamline.html")
    shutter, flux = live.page.get_by_role("switch", name="Shutter"), live.page.locator('epics-value[pv="$(P)FLUX"]')
    expect(flux).to_contain_text("e+12")
    shutter.click()
    expect(flux).not_to_contain_text("e+12")
    shutter.click()
    expect(flux).to_contain_text("e+12")


def test_valve_of_the_panel_asks_first(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/beamline.html")
    valve = live.page.get_by_role("switch", name="Valve")
    valve.click()
    expect(live.page.get_by_role("dialog")).to_contain_text("Open or close the valve?")
    live.page.keyboard.press("Escape")
    expect(valve).not_to_be_checked()


def test_recipe_is_loaded_and_run(live: LivePage) -> None:
    page = live.page
    page.goto(f"{live.url}static/examples/recipe.html")
    expect(page.locator("#steps tr")).to_have_count(4)
    page.get_by_role("button", name="Remove the last").click()
    page.get_by_role("button", name="Add a step").click()
    page.get_by_label("Temperature of step 1").fill("33")
    for step in range(1, 5):
        page.get_by_label(f"Duration of step {step}").fill("0.5")
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_text("Loaded.")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#steps tr[aria-current]")).to_have_count(1)
    expect(page.locator('epics-led[pv$="RUNNING"]')).to_contain_text("Off")
    expect(page.locator("#steps tr[aria-current]")).to_have_count(0)


def test_recipe_with_a_gap_is_not_loaded(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/recipe.html")
    temperature = live.page.get_by_label("Temperature of step 1")
    temperature.fill("")
    live.page.get_by_role("button", name="Load").click()
    expect(temperature).to_be_focused()
    expect(live.page.get_by_text("Loaded.")).to_have_count(0)


def test_recipe_that_the_ioc_refuses_is_told(live: LivePage) -> None:
    live.page.goto(f"{live.url}static/examples/recipe.html")
    live.page.get_by_label("Temperature of step 1").fill("900")
    live.page.get_by_role("button", name="Load").click()
    expect(live.page.get_by_text("Loaded.")).to_be_visible()
    live.page.get_by_role("button", name="Start").click()
    expect(live.page.locator("epics-button[data-refused]")).to_have_count(1)
