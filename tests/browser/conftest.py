"""A browser for the tests of this folder, a server with a C IOC behind it, and a page that must not complain."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.demo import demo
from tests.browser.element_page import ElementPage
from tests.browser.live_page import LivePage
from tests.iocs import CIOC, types_ioc
from tests.network import interfaces_stay
from tests.servers import WRITABLE, Server
from tests.timing import scaled

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A page that a test makes up (`Page.route`) counts as one of the public network, which may not reach the loopback.
FLAGS += ["--disable-features=LocalNetworkAccessChecks"]
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


@pytest.fixture(autouse=True)
def network() -> Iterator[None]:
    """It stays as it is during each test."""
    with interfaces_stay():
        yield


@pytest.fixture(scope="package")
def ioc(browser: Browser) -> Iterator[CIOC]:
    with types_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="package")
def server(ioc: CIOC) -> Iterator[Server]:
    offered = [f"{ioc.prefix}{name}" for name in ("ai", "ao", "mbbi", "fast")]
    with Server(ioc.env(), {"pvs-names": ",".join(offered), "limits-search-seconds": SEARCH_SECONDS}) as server:
        yield server


@pytest.fixture(scope="package")
def demo_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of pages of the demo."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="package")
def demo_url(browser: Browser, demo_pages: Path) -> Iterator[str]:
    """The address of a running `pycaserver demo`."""
    with demo(demo_pages) as url:
        yield url


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


ELEMENTS_DATABASE = """
record(ao, "$(P)level") {
    field(DOL, "2.5") field(PINI, "YES") field(EGU, "mm") field(PREC, "2")
    field(LOPR, "-10") field(HOPR, "10") field(DRVL, "-10") field(DRVH, "10")
    field(LOLO, "-9") field(LOW, "-8") field(HIGH, "8") field(HIHI, "9")
    field(LLSV, "INVALID") field(LSV, "MINOR") field(HSV, "MINOR") field(HHSV, "MAJOR")
}
record(ao, "$(P)other") { field(DOL, "1") field(PINI, "YES") field(EGU, "V") field(PREC, "1") }
record(ao, "$(P)fixed") { field(DOL, "4") field(PINI, "YES") field(PREC, "1") field(HOPR, "9") field(ASG, "READONLY") }
record(bo, "$(P)valve") { field(DOL, "0") field(PINI, "YES") field(ZNAM, "Closed") field(ONAM, "Open") }
record(bo, "$(P)gate") { field(DOL, "0") field(PINI, "YES") field(ZNAM, "Closed") field(ONAM, "Open") }
record(mbbo, "$(P)mode") {
    field(DOL, "0") field(PINI, "YES")
    field(ZRVL, "0") field(ZRST, "Low") field(ONVL, "1") field(ONST, "Medium") field(TWVL, "2") field(TWST, "High")
}
record(mbbo, "$(P)fixed_mode") {
    field(DOL, "0") field(PINI, "YES") field(ZRST, "Low") field(ONST, "Medium") field(ASG, "READONLY")
}
record(mbbi, "$(P)odd") { field(INP, "5") field(PINI, "YES") field(ZRST, "Low") field(ONST, "Medium") }
record(stringout, "$(P)text") { field(DOL, {const:"one"}) field(PINI, "YES") }
record(ao, "$(P)broken") { field(DISP, "1") }
record(calc, "$(P)count") { field(PINI, "YES") field(SCAN, ".1 second") field(CALC, "VAL+1") }
record(ao, "$(P)jog") { field(PINI, "YES") field(FLNK, "$(P)jogging") }
record(calcout, "$(P)jogging") { field(INPA, "$(P)jog") field(CALC, "A") field(OOPT, "On Change") field(ODLY, "600") }
record(ao, "$(P)endless") { field(PINI, "YES") field(FLNK, "$(P)unending") }
record(calcout, "$(P)unending") {
    field(INPA, "$(P)endless") field(CALC, "A") field(OOPT, "On Change") field(ODLY, "600")
}
"""
READ_ONLY = "ASG(DEFAULT) { RULE(1, WRITE) }\nASG(READONLY) { RULE(1, READ) }\n"
AT_START = {"level": "2.5", "other": "2", "valve": "Closed", "gate": "Closed", "mode": "Low", "text": "one"}


@pytest.fixture(scope="package")
def elements_ioc(browser: Browser) -> Iterator[CIOC]:
    with CIOC(ELEMENTS_DATABASE, access=READ_ONLY) as ioc:
        yield ioc


@pytest.fixture(scope="package")
def elements_server(elements_ioc: CIOC) -> Iterator[Server]:
    with Server(elements_ioc.env(), {**WRITABLE, "limits-search-seconds": SEARCH_SECONDS}) as server:
        yield server


@pytest.fixture
def elements(browser: Browser, elements_server: Server, elements_ioc: CIOC) -> Iterator[ElementPage]:
    """A page of elements; `$(P)` in its HTML is the prefix of the IOC, whose records are as at its start."""
    for record, value in AT_START.items():
        elements_ioc.shell(f"dbpf {elements_ioc.prefix}{record} {value}")
    yield from element_page(browser, elements_server.url, elements_ioc.prefix)


@pytest.fixture(scope="module")
def plot_ioc(browser: Browser, request: pytest.FixtureRequest) -> Iterator[CIOC]:
    """One with the DATABASE of the test's module, and what its STARTUP, if it has one, does there."""
    module = request.module
    with CIOC(module.DATABASE, startup=getattr(module, "STARTUP", ())) as ioc:
        yield ioc


@pytest.fixture(scope="module")
def plot_server(plot_ioc: CIOC) -> Iterator[Server]:
    with Server(plot_ioc.env()) as server:
        yield server


@pytest.fixture
def page(browser: Browser, plot_server: Server, plot_ioc: CIOC) -> Iterator[ElementPage]:
    """A page of plots; `$(P)` in its HTML is the prefix of the IOC."""
    yield from element_page(browser, plot_server.url, plot_ioc.prefix)


def element_page(browser: Browser, url: str, prefix: str) -> Iterator[ElementPage]:
    """A tab of its own; its complaints fail the test."""
    context = browser.new_context(color_scheme="light")
    page = ElementPage(context.new_page(), url, prefix)
    yield page
    context.close()
    assert page.complaints == []
