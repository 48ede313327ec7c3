"""The facility's own pages: served as they are now, from their folder and from nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pycaserver.web.pages import LISTED, entries
from pycaserver.web.security import HEADERS, PAGES_POLICY
from tests.conftest import LISTED_ORIGIN
from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import Answer, fetch

PAGE = "<!doctype html><title>Panel</title><style>p { color: teal }</style><p>Ours"
SECRET = "not for visitors"
OTHER = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pages, with what must not be served in it and beside it."""
    facility = tmp_path_factory.mktemp("facility")
    folder = facility / "pages"
    for part in ("", "with index", ".git"):
        (folder / part).mkdir(parents=True)
    (facility / "secret.txt").write_text(SECRET)
    (facility / "pages-old").mkdir()
    (facility / "pages-old" / "secret.txt").write_text(SECRET)
    for name in ("panel.html", "with index/index.html", "50% & <more>.html"):
        (folder / name).write_text(PAGE)
    for name in (".env", ".git/config"):
        (folder / name).write_text(SECRET)
    (folder / "script.js").write_text("export const answer = 42;")
    (folder / "same.html").symlink_to("panel.html")
    (folder / "leads.txt").symlink_to(facility / "secret.txt")
    (folder / "away").symlink_to(facility / "pages-old")
    return folder


@pytest.fixture(scope="module")
def pages(types: CIOC, folder: Path) -> Iterator[Server]:
    with Server(types.env(), {"pages": folder, "allowed-origins": LISTED_ORIGIN}) as server:
        yield server


def assert_ours(answer: Answer) -> None:
    assert (answer.status, answer.body.decode()) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html"


@pytest.mark.parametrize("path", ["panel.html", "same.html", "with%20index/", "with%20index/index.html"])
def test_page_is_served(pages: Server, path: str) -> None:
    assert_ours(fetch(pages, f"/pages/{path}"))


def test_script_is_a_script(pages: Server) -> None:
    assert fetch(pages, "/pages/script.js").headers["Content-Type"] == "text/javascript"


@pytest.mark.parametrize("path", ["/pages/panel.html", "/pages/", "/pages/nowhere", "/pages"])
def test_pages_have_a_policy_of_their_own_and_the_other_headers(pages: Server, path: str) -> None:
    headers = fetch(pages, path).headers
    assert headers["Content-Security-Policy"] == PAGES_POLICY
    assert {name: headers[name] for name in OTHER} == OTHER


def test_all_else_keeps_its_policy(pages: Server) -> None:
    for path in ("/", "/static/index.html", "/status", "/nowhere"):
        assert fetch(pages, path).headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_without_index_pages_and_folders_are_listed(pages: Server) -> None:
    answer = fetch(pages, "/pages/")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    body = answer.body.decode()
    assert '<a href="panel.html">panel.html</a>' in body
    assert '<a href="with%20index/">with index/</a>' in body
    assert '<a href="50%25%20%26%20%3Cmore%3E.html">50% &amp; &lt;more&gt;.html</a>' in body
    assert ".git" not in body and ".env" not in body and "script.js" not in body
    assert 'href="../static/css/plain.css"' in body, "relative, so that a proxy may serve it under a prefix"


def test_folder_without_pages_says_so(tmp_path: Path, types: CIOC) -> None:
    with Server(types.env(), {"pages": tmp_path}) as server:
        assert "There are none." in fetch(server, "/pages/").body.decode()


def test_list_is_bounded(tmp_path: Path) -> None:
    for number in range(LISTED + 1):
        (tmp_path / f"{number:04}.html").touch()
    assert entries(tmp_path) == [f"{number:04}.html" for number in range(LISTED)]


def test_list_leaves_out_what_has_no_address(tmp_path: Path, types: CIOC) -> None:
    (tmp_path / "panel.html").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xf6sse.html")).touch()
    (tmp_path / "loop").symlink_to("loop")
    with Server(types.env(), {"pages": tmp_path}) as server:
        answer = fetch(server, "/pages/")
    assert (answer.status, answer.body.count(b"<li>")) == (200, 1)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/pages", "./pages/"),
        ("/pages?P=SIM:", "./pages/?P=SIM:"),
        ("/pages/with%20index?P=SIM:", "./with%20index/?P=SIM:"),
    ],
)
def test_folder_gets_its_slash_under_any_prefix(pages: Server, path: str, location: str) -> None:
    answer = fetch(pages, path)
    assert (answer.status, answer.headers["Location"]) == (302, location)


NOT_SERVED = {
    "nowhere.html": 404,
    "script.js/": 404,
    ".env": 404,
    ".git/config": 404,
    ".git/": 404,
    "%2egit/config": 404,
    "..": 404,
    "../secret.txt": 404,
    "../pages-old/secret.txt": 404,
    "%2e%2e/secret.txt": 404,
    "..%2fsecret.txt": 404,
    "%2e%2e%2fsecret.txt": 404,
    "with%20index/../../secret.txt": 404,
    "with%20index/..%2f..%2fsecret.txt": 404,
    "..\\secret.txt": 404,
    "/etc/passwd": 403,
    "%2fetc%2fpasswd": 403,
    "//etc/passwd": 403,
    "leads.txt": 403,
    "away/secret.txt": 403,
    "away/": 404,
    "away": 403,
    "panel.html%00": 400,
    "%00": 400,
    "%ff": 400,
    "a" * 300: 404,
    "a/" * 3000: 404,
}


@pytest.mark.parametrize(("path", "status"), NOT_SERVED.items(), ids=lambda value: str(value)[:40])
def test_nothing_outside_the_folder_and_nothing_hidden(pages: Server, path: str, status: int) -> None:
    answer = fetch(pages, f"/pages/{path}")
    assert (answer.status, answer.json["code"]) == (status, "bad_request")
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_are_only_read(pages: Server, method: str) -> None:
    assert fetch(pages, "/pages/panel.html", method=method).status == 405


def test_changed_page_shows_at_once(pages: Server, folder: Path) -> None:
    file = folder / "changing.html"
    file.write_text("first")
    first = fetch(pages, "/pages/changing.html")
    kept = {"If-None-Match": first.headers["Etag"], "If-Modified-Since": first.headers["Last-Modified"]}
    assert (first.headers["Cache-Control"], fetch(pages, "/pages/changing.html", kept).status) == ("no-cache", 304)
    file.write_text("second")
    assert fetch(pages, "/pages/changing.html", kept).body == b"second"
    file.unlink()
    assert fetch(pages, "/pages/changing.html", kept).status == 404


def test_without_the_setting_there_are_none(server: Server) -> None:
    for path in ("/pages", "/pages/", "/pages/panel.html"):
        assert fetch(server, path).status == 404


def test_browser_without_an_identity_is_shown_the_page_to_log_in(types: CIOC, folder: Path) -> None:
    with Server(types.env(), {"pages": folder, "auth-required": True}) as server:
        for path, login in (
            ("/pages", "static/login.html"),
            ("/pages/panel.html", "../static/login.html"),
            ("/pages/with%20index/", "../../static/login.html"),
        ):
            answer = fetch(server, path, {"Accept": "text/html,*/*;q=0.8"})
            assert (answer.status, answer.headers["Location"]) == (302, login)
            assert b"Ours" not in answer.body
        assert fetch(server, "/pages/script.js").json["code"] == "unauthenticated"


# -- pages of other origins


@pytest.mark.parametrize("path", ["/static/js/main.js", "/static/css/page.css", "/pages/script.js"])
def test_page_of_a_listed_origin_may_use_modules_and_styles(pages: Server, path: str) -> None:
    plain, listed = fetch(pages, path), fetch(pages, path, {"Origin": LISTED_ORIGIN})
    assert listed.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
    assert listed.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in plain.headers
    assert plain.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert plain.headers["Vary"] == listed.headers["Vary"] == "Origin", "or a cache would give one for the other"
    kept = fetch(pages, path, {"Origin": LISTED_ORIGIN, "If-None-Match": listed.headers["Etag"]})
    assert (kept.status, kept.headers["Access-Control-Allow-Origin"]) == (304, LISTED_ORIGIN)


@pytest.mark.parametrize("path", ["/static/js/main.js", "/pages/script.js"])
def test_page_of_any_other_origin_gets_nothing(pages: Server, path: str) -> None:
    answer = fetch(pages, path, {"Origin": "https://evil.example.com"})
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
