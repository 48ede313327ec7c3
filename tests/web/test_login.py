"""The cookie of the log-in page and the checks that keep it safe, on a real server."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from pycaserver.web.logins import COOKIE
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import scaled
from tests.tokens import token_section
from tests.web.http import ANSWER_SECONDS, Answer, fetch
from tests.web.raw import RawClient

TOKEN = "a token of anna"
LISTED = "https://panel.example.org"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(types: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = tmp_path_factory.mktemp("settings") / "pycaserver.toml"
    config.write_text(token_section("anna", TOKEN, ["operators"]))
    settings = {"config": config, "allowed-origins": LISTED, "trusted-proxies": "127.0.0.9"}
    with Server(types.env(), settings) as server:
        yield server


def own(server: Server) -> dict[str, str]:
    """What a browser says of a page of the server."""
    return {"Origin": server.url.rstrip("/")}


def post(server: Server, path: str, body: Any, headers: Mapping[str, str], source: str = "127.0.0.1") -> Answer:
    """POST, as JSON unless the body is bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    netloc = urlsplit(server.url).netloc
    timeout = scaled(ANSWER_SECONDS)
    with closing(HTTPConnection(netloc, timeout=timeout, source_address=(source, 0))) as connection:
        connection.request("POST", path, data, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def log_in(server: Server, token: str = TOKEN, **headers: str) -> Answer:
    return post(server, "/api/login", {"token": token}, {**JSON, **own(server), **headers})


def cookie_of(answer: Answer) -> str:
    return answer.headers["Set-Cookie"].partition(";")[0]


def whoami(server: Server, **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = fetch(server, "/api/whoami", headers).json
    return answer


ANONYMOUS = {"user": "", "groups": [], "means": "anonymous", "expires": None, "login": True, "required": False}


def test_logging_in_and_out(server: Server) -> None:
    answer = log_in(server)
    assert answer.status == 200
    assert (answer.json["user"], answer.json["groups"], answer.json["means"]) == ("anna", ["operators"], "token")
    cookie = cookie_of(answer)
    attributes = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert attributes == {"httponly", "samesite=strict", "path=/"}
    assert TOKEN not in cookie and answer.headers["Cache-Control"] == "no-store"
    assert whoami(server, Cookie=cookie)["user"] == "anna"
    assert whoami(server) == ANONYMOUS
    out = post(server, "/api/logout", {}, {**own(server), "Cookie": cookie})
    assert (out.status, out.json["user"]) == (200, "")
    assert cookie_of(out) in (f"{COOKIE}=", f'{COOKIE}=""')
    assert whoami(server, Cookie=cookie) == ANONYMOUS


def test_logging_in_again_ends_the_former_log_in(server: Server) -> None:
    first = cookie_of(log_in(server))
    second = cookie_of(log_in(server, Cookie=first))
    assert whoami(server, Cookie=first)["user"] == ""
    assert whoami(server, Cookie=second)["user"] == "anna"


def test_the_cookie_is_for_tls_only_where_there_is_tls(server: Server) -> None:
    headers = {**JSON, **own(server), "X-Forwarded-Proto": "https"}
    page = {"Origin": own(server)["Origin"].replace("http:", "https:")}
    behind_proxy = post(server, "/api/login", {"token": TOKEN}, headers | page, source="127.0.0.9")
    assert "; secure" in behind_proxy.headers["Set-Cookie"].lower()
    made_up = post(server, "/api/login", {"token": TOKEN}, headers)
    assert "; secure" not in made_up.headers["Set-Cookie"].lower()


def test_a_wrong_token_gets_no_cookie(server: Server) -> None:
    answer = log_in(server, "wrong")
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/api/login", "/api/logout"])
@pytest.mark.parametrize("origin", [None, "null", LISTED, "https://evil.example.com"])
def test_only_our_own_pages_log_in_and_out(server: Server, path: str, origin: str | None) -> None:
    answer = post(server, path, {"token": TOKEN}, {**JSON, **({"Origin": origin} if origin else {})})
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert "Set-Cookie" not in answer.headers


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODIES = [
    (b"token=a+token+of+anna", FORM),
    (b'{"token": "a token of anna"}', {"Content-Type": "text/plain"}),
    (b'{"token": "a token of anna"}', {}),
    (b"", JSON),
    (b"{", JSON),
    (b"[" * 60_000, JSON),
    (b'{"token": 5}', JSON),
    (b'{"token": "a token of anna", "user": "root"}', JSON),
    (b'{"token": "\xff"}', JSON),
]


@pytest.mark.parametrize(("body", "headers"), BODIES)
def test_a_body_that_is_no_log_in_is_refused(server: Server, body: bytes, headers: dict[str, str]) -> None:
    answer = post(server, "/api/login", body, {**own(server), **headers})
    assert (answer.status, answer.json["code"]) == (400, "bad_request")
    assert TOKEN not in answer.json["message"]


@pytest.mark.parametrize("path", ["/api/login", "/api/logout"])
def test_they_take_post_only(server: Server, path: str) -> None:
    assert fetch(server, path).status == 405


# -- what Guarded checks for all


HANDSHAKE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")  # fmt: skip


def test_a_cookie_without_an_origin_opens_no_session(server: Server) -> None:
    cookie = f"Cookie: {cookie_of(log_in(server))}"
    origin = f"Origin: {own(server)['Origin']}"
    for headers, status in (((cookie,), b"403"), ((cookie, origin), b"101"), ((), b"101")):
        with RawClient(server.url) as raw:
            assert raw.http("/monitor", *HANDSHAKE, *headers).split(b" ")[1] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_cookie_without_an_origin_changes_nothing(server: Server, method: str) -> None:
    for cookie in (cookie_of(log_in(server)), "of=a-proxy"):
        answer = fetch(server, "/api/pv/ANY", {"Cookie": cookie}, method)
        assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert "Origin" in answer.json["message"]


KEYS = ["token", "TOKEN", "access_token", "id_token", "jwt", "bearer", "authorization"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("path", ["/monitor", "/api/whoami", "/api/pv/ANY", "/", "/nowhere"])
def test_a_token_in_the_url_is_refused(server: Server, path: str, key: str) -> None:
    answer = fetch(server, f"{path}?{key}=s3cret")
    assert (answer.status, answer.json["code"]) == (400, "bad_request")
    assert "Authorization header" in answer.json["message"] and "s3cret" not in answer.json["message"]
