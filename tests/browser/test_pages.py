"""The facility's own pages in a browser: with scripts of their own, beside the server or on another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.elsewhere import serving
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ours</title>
<link rel="icon" href="data:,">
<style>output { color: rgb(1, 2, 3) }</style>
<p style="text-indent: 4px"><output>?</output></p>
<script type="module">
  import { PVClient } from "%sstatic/pycaserver.js";

  new PVClient().monitor("%sai", (update) => {
    if (update.kind === "value") document.querySelector("output").textContent = `${update.value} ${update.units}`;
  });
</script>
"""
ELEMENTS = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Elements</title>
<link rel="icon" href="data:,">
<script type="module" src="%sstatic/epics-elements.js"></script>
<epics-value pv="%sai"></epics-value>
<epics-stripchart pv="%sai"></epics-stripchart>
"""
FOREIGN_SCRIPT = """(url) => new Promise((resolve) => {
  const script = Object.assign(document.createElement("script"), { src: url });
  script.onload = () => resolve("loaded");
  script.onerror = () => resolve("refused");
  document.head.append(script);
})"""


@pytest.fixture
def tab(browser: Browser, server: Server) -> Iterator[LivePage]:
    context = browser.new_context()
    live = LivePage(context.new_page(), server.url)
    yield live
    context.close()
    assert live.complaints == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ioc: CIOC) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "ours.html").write_text(PAGE % ("../", ioc.prefix))
    (folder / "script.js").write_text("window.there = true;")
    return folder


@pytest.fixture(scope="module")
def elsewhere(folder: Path) -> Iterator[str]:
    with serving(folder) as url:
        yield url


@pytest.fixture(scope="module")
def pages(ioc: CIOC, folder: Path, elsewhere: str) -> Iterator[Server]:
    with Server(ioc.env(), {"pages": folder, "allowed-origins": elsewhere.rstrip("/")}) as server:
        yield server


def test_page_may_have_styles_and_scripts_in_it(tab: LivePage, pages: Server) -> None:
    tab.page.goto(f"{pages.url}pages/ours.html")
    output = tab.page.locator("output")
    expect(output).to_have_text("21.5 mm")
    expect(output).to_have_css("color", "rgb(1, 2, 3)")
    expect(tab.page.locator("p")).to_have_css("text-indent", "4px")


def test_page_is_found_in_the_list(tab: LivePage, pages: Server) -> None:
    tab.page.goto(f"{pages.url}pages/")
    tab.page.get_by_role("link", name="ours.html").click()
    expect(tab.page.locator("output")).to_have_text("21.5 mm")


def test_page_runs_nothing_of_another_host(tab: LivePage, pages: Server, elsewhere: str) -> None:
    tab.page.goto(f"{pages.url}pages/ours.html")
    assert tab.page.evaluate(FOREIGN_SCRIPT, f"{elsewhere}script.js") == "refused"
    assert tab.page.evaluate(FOREIGN_SCRIPT, "script.js") == "loaded"
    tab.expect_complaints("Content Security Policy")


def test_page_of_a_listed_origin_imports_the_client(
    tab: LivePage, pages: Server, ioc: CIOC, folder: Path, elsewhere: str
) -> None:
    (folder / "there.html").write_text(PAGE % (pages.url, ioc.prefix))
    tab.page.goto(f"{elsewhere}there.html")
    expect(tab.page.locator("output")).to_have_text("21.5 mm")


def test_page_of_a_listed_origin_shows_elements(
    tab: LivePage, pages: Server, ioc: CIOC, folder: Path, elsewhere: str
) -> None:
    (folder / "elements.html").write_text(ELEMENTS % (pages.url, ioc.prefix, ioc.prefix))
    tab.page.goto(f"{elsewhere}elements.html")
    expect(tab.page.locator("epics-value")).to_contain_text("21.5")
    expect(tab.page.locator("epics-stripchart[data-condition=live] canvas")).to_be_visible()


def test_page_of_any_other_origin_does_not(
    tab: LivePage, server: Server, ioc: CIOC, folder: Path, elsewhere: str
) -> None:
    (folder / "refused.html").write_text(PAGE % (server.url, ioc.prefix))
    with tab.page.expect_event("requestfailed"):
        tab.page.goto(f"{elsewhere}refused.html")
    expect(tab.page.locator("output")).to_have_text("?")
    tab.expect_complaints("CORS policy")
    tab.expect_complaints("403")
    tab.expect_complaints("net::ERR_FAILED")
