"""A browser for the tests of this folder, a server with a C IOC behind it, and a page that must not complain."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.live_page import LivePage
from tests.iocs import CIOC, types_ioc
from tests.servers import Server
from tests.timing import scaled

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SEARCH_SECONDS = 1


def find_chromium() -> str | None:
    """The path of a Chromium: PYCASERVER_TEST_CHROMIUM, or the first of PROGRAMS on the PATH."""
    return os.environ.get("PYCASERVER_TEST_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


# Of the package, not of the session: Playwright holds an event loop as long as it runs, and other tests start theirs.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium: {', '.join(PROGRAMS)} are not on the PATH, PYCASERVER_TEST_CHROMIUM is not set")
    expect.set_options(timeout=scaled(15) * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def ioc(browser: Browser) -> Iterator[CIOC]:
    with types_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="package")
def server(ioc: CIOC) -> Iterator[Server]:
    offered = [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi", "fast")]
    with Server(ioc.env(), {"pvs-names": ",".join(offered), "limits-search-seconds": SEARCH_SECONDS}) as server:
        yield server


@pytest.fixture
def live(browser: Browser, server: Server) -> Iterator[LivePage]:
    yield from live_page(browser, server.url)


def live_page(browser: Browser, url: str, width: int = 1280, height: int = 800) -> Iterator[LivePage]:
    """A tab of its own; its complaints fail the test."""
    context = browser.new_context(viewport={"width": width, "height": height})
    live = LivePage(context.new_page(), url)
    yield live
    context.close()
    assert live.complaints == []
