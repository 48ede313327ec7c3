"""The JavaScript client in a tab: where it finds its server, and what a hidden tab costs."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import live_page
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for

SECONDS = 15.0

WATCH = """async (name) => {
  const { sharedClient } = await import(new URL("pycaserver.js", location.href));
  window.ca = sharedClient();
  window.updates = [];
  ca.monitor(name, (update) => updates.push(update));
  ca.monitor(name, { maxRate: 1 });
}"""


@pytest.fixture
def blank(browser: Browser, server: Server) -> Iterator[LivePage]:
    """A page of the server that opens no socket of its own."""
    for live in live_page(browser, server.url):
        live.page.goto(f"{server.url}static/login.html")
        yield live


def wait_until(live: LivePage, condition: str) -> None:
    """Wait for a JavaScript expression to be true."""
    wait_for(lambda: live.page.evaluate(condition), SECONDS, condition)


def kinds(live: LivePage, start: int) -> list[Any]:
    """What the server has sent since then."""
    return [frame["msg_type"] for frame in live.frames[start:]]


def test_a_hidden_tab_is_sent_nothing_and_is_up_to_date_at_once_when_shown(
    blank: LivePage, server: Server, ioc: CIOC
) -> None:
    name = f"{ioc.prefix}longout"
    blank.page.evaluate(WATCH, name)
    wait_until(blank, "updates.at(-1)?.value === 42")
    blank.set_hidden(True)
    blank.ask("ping")
    start = len(blank.frames)
    with server.client() as other:
        other.send(action="connect", pv=name)
        for value in (1, 2, 3):
            ioc.shell(f"dbpf {name} {value}")
            other.wait(msg_type="monitor", value=value)
    blank.ask("ping")
    assert kinds(blank, start) == ["pong"]
    blank.set_hidden(False)
    wait_until(blank, "updates.at(-1).value === 3")
    assert blank.page.evaluate("updates.filter(({ kind }) => kind === 'value').map(({ value }) => value)") == [42, 3]
    ioc.shell(f"dbpf {name} 42")


def test_all_modules_of_a_page_share_one_connection(blank: LivePage, server: Server, ioc: CIOC) -> None:
    blank.page.evaluate(WATCH, f"{ioc.prefix}ai")
    wait_until(blank, "updates.at(-1)?.value === 21.5")
    program = """async () => {
      const { sharedClient } = await import(new URL("pycaserver.js", location.href));
      const again = [new URL("../monitor", location.href), location.origin, ".."].map((url) => sharedClient(url));
      return [again.every((client) => client === ca), ca.url, sockets.length];
    }"""
    assert blank.page.evaluate(program) == [True, server.monitor_url, 1]
    assert [pv["pvname"] for pv in blank.ask("list")["pvs"]] == [f"{ioc.prefix}ai"]
