"""What a browser makes of our security headers: our pages work under them, pages of other origins do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.elsewhere import serving
from tests.browser.live_page import LivePage
from tests.iocs import CIOC
from tests.servers import WRITABLE, Server
from tests.web.certificates import Authority
from tests.web.http import fetch

PAGES = ["", "static/monitor.html", "static/login.html", "status"]
INLINE = """() => [...document.querySelectorAll("*")].filter((element) =>
  (element.tagName === "SCRIPT" && !element.src) || element.tagName === "STYLE" || element.hasAttribute("style")
  || [...element.attributes].some(({ name }) => name.startsWith("on"))).map((element) => element.outerHTML)"""
INJECTED = """() => {
  const script = document.createElement("script");
  script.textContent = "window.injected = true";
  document.body.append(script);
  return window.injected === true;
}"""


@pytest.mark.parametrize("path", PAGES)
def test_page_keeps_to_its_policy(browser: Browser, server: Server, path: str) -> None:
    page = LivePage(browser.new_context().new_page(), server.url)
    answer = page.page.goto(f"{server.url}{path}")
    assert answer is not None
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    page.page.wait_for_load_state("networkidle")
    assert page.page.evaluate(INLINE) == []
    assert page.complaints == []
    page.page.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_script_that_somebody_brings_in_does_not_run(browser: Browser, server: Server, path: str) -> None:
    page = LivePage(browser.new_context().new_page(), server.url)
    page.page.goto(f"{server.url}{path}")
    assert page.page.evaluate(INJECTED) is False
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
    page.page.context.close()


# -- under TLS


@pytest.fixture(scope="module")
def secure(ioc: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    with Server(ioc.env(), Authority(folder).sign(folder).settings) as server:
        yield server


def test_page_is_live_under_tls(browser: Browser, secure: Server, ioc: CIOC) -> None:
    context = browser.new_context(ignore_https_errors=True)  # the authority is not the system's
    live = LivePage(context.new_page(), secure.url)
    live.open(f"{ioc.prefix}ai")
    expect(live.cell(f"{ioc.prefix}ai", "value")).to_contain_text("21.5")
    assert live.complaints == []
    context.close()


# -- another origin


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty page of another origin, on this machine too."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "index.html").write_text("<!doctype html><title>Elsewhere</title><p>Another origin")
    with serving(folder) as url:
        yield url


SOCKET = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => resolve("open");
  socket.onerror = () => resolve("refused");
})"""
FETCH = """([url, options]) => fetch(url, options).then((answer) => `status ${answer.status}`, () => "refused")"""
FRAME = """(url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.src = url;
  frame.onload = () => resolve();
  document.body.append(frame);
})"""


@pytest.fixture
def foreign(browser: Browser, elsewhere: str) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    yield page
    context.close()


def test_foreign_page_gets_no_session(foreign: Page, server: Server) -> None:
    assert foreign.evaluate(SOCKET, server.monitor_url) == "refused"
    assert foreign.evaluate(SOCKET, server.monitor_url.replace("127.0.0.1", "localhost")) == "refused"


@pytest.mark.parametrize("path", ["api/pv", "status?format=json", "metrics", "api/whoami"])
def test_foreign_page_reads_nothing(foreign: Page, server: Server, path: str) -> None:
    assert foreign.evaluate(FETCH, [server.url + path, {}]) == "refused"


def test_foreign_page_cannot_frame_ours(foreign: Page, server: Server) -> None:
    said: list[str] = []
    foreign.on("console", lambda message: said.append(message.text))
    foreign.evaluate(FRAME, server.url)
    assert any("frame-ancestors" in text or "X-Frame-Options" in text for text in said)
    assert foreign.frames[1].url != server.url


PUT_BY_SOCKET = """([url, request]) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(request);
  socket.onmessage = ({ data }) => resolve(JSON.parse(data).msg_type);
  socket.onerror = () => resolve("refused");
})"""
PUT_BY_FORM = """(url) => new Promise((resolve) => {
  const frame = Object.assign(document.createElement("iframe"), { name: "answer", onload: () => resolve() });
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, target: "answer" });
  form.enctype = "text/plain";
  document.body.append(frame, form);
  form.submit();
})"""


@pytest.fixture(scope="module")
def writable(ioc: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server through which everybody may write everything, and its record."""
    audit = tmp_path_factory.mktemp("audit") / "puts.jsonl"
    with Server(ioc.env(), {**WRITABLE, "audit-file": audit}) as server:
        yield server, audit


def test_put_from_a_foreign_page_does_not_reach_channel_access(
    browser: Browser, foreign: Page, writable: tuple[Server, Path], ioc: CIOC
) -> None:
    server, audit = writable
    name = f"{ioc.prefix}ao"
    url = f"{server.url}api/pv/{name}"
    request = json.dumps({"action": "put", "pv": name, "value": 7.5})
    ways: list[dict[str, object]] = [
        {"method": "PUT", "headers": {"Content-Type": "application/json"}},
        {"method": "PUT", "mode": "no-cors"},
        {"method": "POST", "mode": "no-cors", "credentials": "include"},
        {"method": "POST", "headers": {"X-HTTP-Method-Override": "PUT"}},
    ]
    before = fetch(server, f"/api/pv/{name}").json["value"]
    assert foreign.evaluate(PUT_BY_SOCKET, [server.monitor_url, request]) == "refused"
    for way in ways:
        foreign.evaluate(FETCH, [url, {**way, "body": '{"value": 7.5}'}])
    foreign.evaluate(PUT_BY_FORM, url)
    assert fetch(server, f"/api/pv/{name}").json["value"] == before
    assert not audit.read_text()

    own = browser.new_context().new_page()
    own.goto(f"{server.url}static/monitor.html")
    assert own.evaluate(PUT_BY_SOCKET, [server.monitor_url, request]) == "put", "our own page may"
    assert fetch(server, f"/api/pv/{name}").json["value"] == 7.5
    assert len(audit.read_text().splitlines()) == 1
    own.evaluate(FETCH, [url, {**ways[0], "body": json.dumps({"value": before})}])
    assert fetch(server, f"/api/pv/{name}").json["value"] == before
    own.context.close()
