"""What a page left open goes through: the IOC restarts as something else, the server restarts."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import scaled, wait_for

BEFORE = 'record(ai, "$(P)it") { field(INP, "21.5") field(PINI, "YES") field(EGU, "mm") field(PREC, "3") }'
AFTER = """
record(mbbi, "$(P)it") { field(INP, "1") field(PINI, "YES") field(ONVL, "1") field(ZRST, "Idle") field(ONST, "Busy") }
record(longin, "$(P)other") { field(INP, "7") field(PINI, "YES") field(EGU, "counts") }
"""
COUNTERS = "".join(f'record(calc, "$(P)c{i}") {{ field(SCAN, ".1 second") field(CALC, "VAL+1") }}\n' for i in range(5))
RECONNECTION = scaled(40) * 1000


@pytest.fixture
def own_ioc(browser: Browser) -> Iterator[CIOC]:
    with CIOC(BEFORE + COUNTERS) as ioc:
        yield ioc


@pytest.fixture
def own_server(own_ioc: CIOC) -> Iterator[Server]:
    with Server(own_ioc.env(), {"limits-search-seconds": 1}) as server:
        yield server


@pytest.fixture
def own_live(browser: Browser, own_server: Server) -> Iterator[LivePage]:
    yield from live_page(browser, own_server.url)


def test_an_ioc_that_comes_back_as_something_else(own_live: LivePage, own_ioc: CIOC) -> None:
    live, name, other = own_live, f"{own_ioc.prefix}it", f"{own_ioc.prefix}other"
    live.open(name, other, plot=name)
    expect(live.cell(name, "value")).to_have_text("21.500")
    expect(live.cell(name, "units")).to_have_text("mm")
    loads = live.loads
    own_ioc.kill()
    expect(live.row(name)).to_have_attribute("data-condition", "disconnected")
    expect(live.cell(name, "status")).to_have_text(since("Disconnected"))
    own_ioc.restart(database=AFTER)
    expect(live.cell(name, "value")).to_have_text("Busy", timeout=RECONNECTION)
    expect(live.cell(name, "units")).to_have_text("")
    expect(live.cell(other, "value")).to_have_text("7", timeout=RECONNECTION)
    expect(live.cell(other, "units")).to_have_text("counts")
    expect(live.page.locator(".facts")).to_contain_text("Idle, Busy")
    assert live.loads == loads


def test_a_server_that_restarts(own_live: LivePage, own_server: Server, own_ioc: CIOC) -> None:
    live, names = own_live, [f"{own_ioc.prefix}c{i}" for i in range(5)]
    live.open(*names)
    expect(live.row(names[4])).to_have_attribute("data-condition", "live")
    loads = live.loads
    own_server.stop()
    expect(live.page.get_by_role("alert")).to_contain_text("Values are stale since")
    expect(live.row(names[0])).to_have_attribute("data-condition", "stale")
    own_server.start()
    for name in names:
        expect(live.row(name)).to_have_attribute("data-condition", "live", timeout=RECONNECTION)
    expect(live.page.locator("#banner")).to_be_hidden()
    assert live.loads == loads
    live.expect_complaints("WebSocket connection to")
    assert_one_stream_each(live, names)


def assert_one_stream_each(live: LivePage, names: list[str]) -> None:
    """The server knows one subscription per PV, and every update comes once."""
    assert sorted(pv["pvname"] for pv in live.ask("list")["pvs"]) == names
    start = len(live.frames)
    wait_for(lambda: live.page.evaluate("0") or len(live.frames) > start + 50, what="50 updates")
    updates = [frame for frame in live.frames[start:] if frame["msg_type"] == "monitor"]
    repeated = Counter((frame["pvname"], frame["timestamp"]) for frame in updates)
    assert set(repeated.values()) == {1}


def since(word: str) -> re.Pattern[str]:
    """`word`, and since when."""
    return re.compile(rf"{word} since \d\d:\d\d:\d\d")
