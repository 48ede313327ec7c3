"""A page of another origin cannot make a browser write, by whatever means a page has."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import Browser

from tests.iocs import CIOC
from tests.servers import WRITABLE, Server
from tests.timing import wait_for

ATTEMPTS = """async ([url, name]) => {
  const path = `${url}api/pv/${name}`, body = JSON.stringify({value: 99}), tried = [];
  const attempt = async (what, promise) => tried.push([what, await promise.then(() => "done", () => "failed")]);
  const json = {"Content-Type": "application/json"};
  await attempt("put", fetch(path, {method: "PUT", headers: json, body}));
  await attempt("plain put", fetch(path, {method: "PUT", body}));
  await attempt("post", fetch(path, {method: "POST", headers: json, body}));
  await attempt("blind post", fetch(path, {method: "POST", mode: "no-cors", body}));
  navigator.sendBeacon(path, body);
  await attempt("socket", new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace("http", "ws") + "monitor");
    socket.onopen = () => { socket.send(JSON.stringify({action: "put", pv: name, value: 99})); resolve(); };
    socket.onerror = reject;
  }));
  return tried;
}"""


@contextmanager
def elsewhere() -> Iterator[str]:
    """The address of a page without any policy; the port makes its origin a foreign one."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def puts_of(server: Server) -> int:
    """How many puts its audit has, refused ones too."""
    return sum("pycaserver.audit" in line for line in server.output.splitlines())


def test_page_of_a_foreign_origin_cannot_write(browser: Browser, ioc: CIOC) -> None:
    name = f"{ioc.prefix}ao"
    with elsewhere() as foreign, Server(ioc.env(), WRITABLE) as target, target.client() as client:
        client.send(action="put", pv=name, value=1)
        client.wait(msg_type="put")
        context = browser.new_context()
        page = context.new_page()
        page.goto(foreign)
        tried = dict(page.evaluate(ATTEMPTS, [target.url, name]))
        assert (set(tried.values()), len(tried)) == ({"failed"}, 5)
        page.goto(f"{target.url}static/monitor.html")
        own = dict(page.evaluate(ATTEMPTS, [target.url, name]))
        assert (own["put"], own["socket"]) == ("done", "done")
        wait_for(lambda: puts_of(target) == 3, what="the puts of ourselves and of its own page")
        context.close()
