"""Clients of PV Web Socket in a browser: the library of Diamond Light Source, and the scripts that we serve."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.waiting import wait_until
from tests.iocs import CIOC, SimIOC
from tests.servers import WRITABLE, Server
from tests.timing import scaled, wait_for
from tests.validators import npm

SOURCES = Path(__file__).parent / "pvws"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pycaserver-tests" / "cs-web-lib-0.9.14"
FETCH_SECONDS = 100.0
DATABASE = """
record(ao, "$(P)ao") { field(DOL, "3") field(PINI, "YES") field(EGU, "V") field(HIGH, "8") field(HSV, "MINOR") }
record(waveform, "$(P)wf") { field(FTVL, "DOUBLE") field(NELM, "3") field(INP, [1, 2, 3]) field(PINI, "YES") }
record(mbbo, "$(P)mode") { field(ZRST, "Low") field(ONST, "High") field(DOL, "1") field(PINI, "YES") }
"""


@pytest.fixture(scope="module")
def library() -> Path:
    """A folder with app.js, made of the library and our page; kept from one run to the next."""
    sources = [SOURCES / name for name in ("package.json", "app.jsx", "build.mjs")]
    if not all((CACHE / it.name).is_file() and (CACHE / it.name).read_bytes() == it.read_bytes() for it in sources) or (
        not (CACHE / "app.js").is_file()
    ):
        CACHE.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copy(source, CACHE)
        if shutil.which("node") is None:
            pytest.skip("no node, which cs-web-lib is built with")
        _run([*npm(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
        _run(["node", "build.mjs"])
    (CACHE / "index.html").write_text('<!doctype html><body><script src="app.js"></script>')
    return CACHE


def _run(command: list[str]) -> None:
    try:
        answer = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, timeout=scaled(FETCH_SECONDS))
    except subprocess.TimeoutExpired:
        pytest.skip(f"{command[0]} did not answer: cs-web-lib cannot be fetched")
    if answer.returncode:
        pytest.skip(f"cs-web-lib cannot be fetched: {answer.stderr[-300:]}")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def pages(folder: Path) -> Iterator[str]:
    """Serves a folder, on an origin that is not the server's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@contextmanager
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


class Shown:
    """What the page of the library shows."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def __getitem__(self, pv: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.page.locator(f'[data-pv="{pv}"]').inner_text())
        return shown

    def wait(self, pv: str, wanted: Callable[[dict[str, Any]], bool], what: str) -> None:
        wait_for(lambda: wanted(self[pv]), 15, f"{what} of {pv}, not {self[pv]}")


@contextmanager
def library_page(browser: Browser, folder: Path, server: Server, origin: str, pvs: list[str]) -> Iterator[Shown]:
    with tab(browser) as page:
        query = urlencode([("socket", urlsplit(server.url).netloc), *(("pv", pv) for pv in pvs)])
        page.goto(f"{origin}/index.html?{query}")
        yield Shown(page)


def test_the_library_shows_values_a_disconnection_and_writes(browser: Browser, library: Path) -> None:
    with CIOC(DATABASE) as ioc, pages(library) as origin:
        ao, mode, array = (f"ca://{ioc.prefix}{name}" for name in ("ao", "mode", "wf"))
        with (
            Server(ioc.env(), WRITABLE | {"allowed-origins": origin}) as server,
            library_page(browser, library, server, origin, [ao, mode, array]) as shown,
        ):
            shown.wait(ao, lambda it: it.get("doubleValue") == 3 and not it["readonly"], "3, to be written")
            shown.wait(mode, lambda it: it.get("stringValue") == "High", "the label")
            shown.wait(array, lambda it: list(it["arrayValue"].values()) == [1, 2, 3], "the array")
            assert shown[ao]["units"] == "V"
            shown.page.evaluate("pv => write(pv, 8.5)", ao)
            shown.wait(ao, lambda it: it["doubleValue"] == 8.5 and it["alarm"] == "warning", "8.5, an alarm")
            ioc.shell(f"dbpf {ioc.prefix}ao 4")
            shown.wait(ao, lambda it: it["doubleValue"] == 4 and it["alarm"] == "valid", "what the IOC was told")
            ioc.kill()
            shown.wait(ao, lambda it: it["doubleValue"] == "NaN" and it["readonly"], "that it is gone")
            shown.wait(array, lambda it: it["arrayValue"] == {}, "that it is gone")
            ioc.start()
            shown.wait(ao, lambda it: it["doubleValue"] == 3 and not it["readonly"], "that it is back")


def test_the_library_shows_the_simulated_ioc_live(browser: Browser, library: Path) -> None:
    with SimIOC() as ioc, pages(library) as origin:
        counter, ao = f"ca://{ioc.prefix}COUNTER", f"ca://{ioc.prefix}AO"
        with (
            Server(ioc.env(), WRITABLE | {"allowed-origins": origin}) as server,
            library_page(browser, library, server, origin, [counter, ao]) as shown,
        ):
            shown.wait(counter, lambda it: "doubleValue" in it, "a value")
            first = shown[counter]["doubleValue"]
            shown.wait(counter, lambda it: it["doubleValue"] > first, "a later value")
            shown.wait(ao, lambda it: not it["readonly"], "the right to write")
            shown.page.evaluate("pv => write(pv, 1.5)", ao)
            shown.wait(ao, lambda it: it["doubleValue"] == 1.5, "what was written")


PAGE = """<!doctype html><script src="{url}pvws/js/base64.js"></script><script src="{url}pvws/js/pvws.js"></script>
<body><script>
  window.heard = []; window.known = {{}}; window.connections = [];
  PVWS.prototype.reconnect_ms = 100;
  window.pvws = new PVWS("{socket}pvws/pv", (connected) => {{
    connections.push(connected);
    if (connected) pvws.subscribe(["{prefix}ao", "{prefix}wf"]);
  }}, (message) => {{
    heard.push(message);
    if (message.type === "update") known[message.pv] = message;
  }});
  pvws.open();
</script>"""


def test_our_scripts_in_a_page_from_elsewhere(browser: Browser, tmp_path: Path) -> None:
    with CIOC(DATABASE) as ioc, pages(tmp_path) as origin:
        ao, array = f"{ioc.prefix}ao", f"{ioc.prefix}wf"
        with Server(ioc.env(), WRITABLE | {"allowed-origins": origin}) as server, tab(browser) as page:
            text = PAGE.format(url=server.url, socket=server.url.replace("http", "ws", 1), prefix=ioc.prefix)
            (tmp_path / "index.html").write_text(text)
            page.goto(f"{origin}/index.html")
            wait_until(page, "pv => known[pv]?.value === 3 && known[pv].units === 'V'", arg=ao)
            wait_until(page, "pv => known[pv]?.value?.join() === '1,2,3'", arg=array)
            assert page.evaluate("pv => known[pv].value instanceof Float64Array", array)
            page.evaluate("pv => pvws.write(pv, 9)", ao)
            wait_until(page, "pv => known[pv].value === 9 && known[pv].severity === 'MINOR'", arg=ao)
            page.evaluate("() => { pvws.ping(); pvws.list() }")
            wait_until(page, "() => heard.some((message) => message.type === 'list')")
            page.evaluate("pv => pvws.clear(pv)", array)
            page.evaluate("() => pvws.close()")
            wait_until(page, "() => connections.join() === 'false,true,false,false,true'")
            page.evaluate("pv => pvws.write(pv, 2)", ao)
            wait_until(page, "pv => known[pv].value === 2 && known[pv].severity === 'NONE'", arg=ao)


def test_our_base64_is_base64(browser: Browser, server: Server) -> None:
    with tab(browser) as page:
        page.goto(server.url)
        page.add_script_tag(url=f"{server.url}pvws/js/base64.js")
        there_and_back = "bytes => [...toByteArray(fromByteArray(Uint8Array.from(bytes)))]"
        for size in range(5):
            assert page.evaluate(there_and_back, list(range(250, 250 + size))) == list(range(250, 250 + size))
        assert page.evaluate("() => [...toByteArray('-_8=')]") == [0xFB, 0xFF]
