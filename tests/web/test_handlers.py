"""What all answers have in common, and what happens to requests for what is not there."""

import pytest

from pycaserver.core.errors import ERROR_CODES
from pycaserver.web.handlers import STATUS_OF
from pycaserver.web.security import HEADERS
from tests.servers import Server
from tests.web.http import fetch

SERVED = ["/", "/static/index.html", "/static/monitor.html", "/static/js/main.js", "/api/pv", "/api/pv?name=",
          "/healthz", "/readyz", "/status", "/status?format=json", "/metrics", "/api/openapi.json",
          "/api/asyncapi.json"]  # fmt: skip

BAD_PATHS = {
    "/nowhere": 404,
    "/monitor/": 404,
    "/api/pv/": 404,
    "/api/pv/a/b": 404,
    "/static": 404,
    "/static/nowhere.js": 404,
    "/static/": 403,
    "/static/js": 403,
    "/static/../setup.cfg": 403,
    "/static/../pycaserver/app.py": 403,
    "/static/%2e%2e/setup.cfg": 403,
    "/static/..%2fsetup.cfg": 403,
    "/static/js/../../setup.cfg": 403,
    "/static//etc/passwd": 403,
    "/static/%2fetc%2fpasswd": 403,
    "/static/..\\setup.cfg": 404,
    "/../setup.cfg": 404,
    "//setup.cfg": 404,
    "/static/a%00": 400,
    "/static/%00": 400,
    "/static/index.html%00.js": 400,
    "/%00": 400,
    "/api/pv/a%00b": 400,
    "/api/pv/a%00b/stream": 400,
    "/static/%ff": 400,
    "/api/pv/%ff": 400,
    "/api/pv?name=%ff": 400,
    "/api/pv/%ff/stream": 400,
    "/static/" + "a" * 300: 404,
    "/static/" + "a/" * 3000: 404,
    "/monitor": 426,
}


@pytest.mark.parametrize("path", SERVED)
def test_every_answer_has_the_security_headers(server: Server, path: str) -> None:
    answer = fetch(server, path)
    assert answer.status == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    ("file", "type"),
    [
        ("pycaserver.js", "text/javascript"),
        ("pycaserver.d.ts", "application/typescript"),
        ("css/page.css", "text/css"),
        ("index.html", "text/html"),
    ],
)
def test_files_have_the_types_that_browsers_ask_for(server: Server, file: str, type: str) -> None:
    assert fetch(server, f"/static/{file}").headers["Content-Type"] == type


@pytest.mark.parametrize(("path", "status"), BAD_PATHS.items(), ids=lambda value: str(value)[:40])
def test_bad_path_is_a_coded_error_with_the_security_headers(server: Server, path: str, status: int) -> None:
    answer = fetch(server, path)
    assert answer.status == status
    assert answer.json["msg_type"] == "error"
    assert answer.json["code"] == "bad_request"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert b"Traceback" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
@pytest.mark.parametrize("path", ["/", "/monitor", "/api/pv", "/healthz", "/metrics", "/nowhere"])
def test_method_that_is_not_served_is_refused(server: Server, path: str, method: str) -> None:
    answer = fetch(server, path, method=method)
    assert answer.status == 405
    assert answer.json["code"] == "bad_request"


def test_page_may_be_kept_but_must_be_asked_about(server: Server) -> None:
    page = fetch(server, "/static/index.html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert fetch(server, "/static/index.html", {"If-None-Match": page.headers["Etag"]}).status == 304


def test_the_first_page_is_at_the_root(server: Server) -> None:
    assert fetch(server, "/").body == fetch(server, "/static/index.html").body


def test_pages_that_name_no_icon_have_ours(server: Server) -> None:
    icon = fetch(server, "/favicon.ico")
    assert (icon.status, icon.headers["Content-Type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("path", ["/api/pv", "/healthz", "/readyz", "/status", "/metrics", "/nowhere"])
def test_answers_about_the_moment_are_not_kept(server: Server, path: str) -> None:
    assert fetch(server, path).headers["Cache-Control"] == "no-store"


def test_every_status_is_that_of_a_known_code() -> None:
    assert STATUS_OF.keys() <= ERROR_CODES.keys()
