"""The Host and Origin lists, as rules and as a server keeps them."""

import pytest

from pycaserver.web.security import HEADERS, Policy, Refused
from tests.conftest import LISTED_HOST, LISTED_ORIGIN
from tests.servers import Server
from tests.web.http import fetch

PORT = 8888

ALLOWED_HOSTS = [
    "localhost",
    "LOCALHOST:8888",
    "127.0.0.1:8888",
    "[::1]:8888",
    "[::1]",
    "10.1.2.3",
    "epics.example.org",
    "Epics.Example.org:80",
]
REFUSED_HOSTS = [
    "",
    ":8888",
    "evil.example.com",
    "evil.example.com:8888",
    "localhost.evil.example.com",
    "127.0.0.1.evil.example.com",
    "127.0.0.1:8888.evil.example.com",
    "127.0.0.1.nip.io:8888",
    "2130706433",
    "0x7f000001",
    "127.1",
    "localhost@evil.example.com",
    "evil.example.com@localhost",
    "evil.example.com#localhost",
    "evil.example.com\\@localhost:x",
    "sub.epics.example.org",
    "epics.example.org.evil.com",
    "[::1",
    "[::1].evil.example.com",
]


@pytest.mark.parametrize("host", ALLOWED_HOSTS)
def test_addresses_localhost_and_listed_hosts_are_allowed(host: str) -> None:
    Policy([LISTED_HOST], []).check_host(host)


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_any_other_host_is_refused_and_the_setting_named(host: str) -> None:
    with pytest.raises(Refused, match=r"server\.allowed_hosts"):
        Policy([LISTED_HOST], []).check_host(host)


def test_own_names_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Beamline7.example.org")
    monkeypatch.setattr("socket.getfqdn", lambda: "beamline7.internal.example.org")
    policy = Policy([], [])
    with pytest.raises(Refused):
        policy.check_host("beamline7")
    policy.learn_own_names()
    for host in ("beamline7", "BEAMLINE7.example.org:8888", "beamline7.internal.example.org"):
        policy.check_host(host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "anything"),
        ("http://10.1.2.3:8888", "10.1.2.3:8888"),
        ("http://10.1.2.3", "10.1.2.3:80"),
        ("http://epics.example.org:80", "epics.example.org"),
        ("https://epics.example.org", "epics.example.org"),
        ("HTTP://Epics.Example.org", "epics.example.org"),
        ("https://panel.example.org", "10.1.2.3:8888"),
        ("https://panel.example.org/", "10.1.2.3:8888"),
        ("HTTPS://PANEL.example.org", "10.1.2.3:8888"),
        *(
            (f"http://{page}:8888", f"{host}:8888")
            for page in ("localhost", "127.0.0.1", "[::1]")
            for host in ("localhost", "127.0.0.1", "[::1]")
        ),
    ],
)
def test_own_and_listed_origins_are_allowed(origin: str | None, host: str) -> None:
    Policy([], [LISTED_ORIGIN]).check_origin(origin, host, PORT)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "localhost:8888"),
        ("", "localhost:8888"),
        ("", ""),
        ("http://", "localhost:8888"),
        ("http://", ""),
        ("file://", "localhost:8888"),
        ("https://evil.example.com", "localhost:8888"),
        ("http://localhost:8889", "localhost:8888"),
        ("http://localhost:3000", "127.0.0.1:8888"),
        ("http://127.0.0.1:8889", "localhost:8889"),
        ("http://localhost", "127.0.0.1"),
        ("http://localhost.evil.example.com:8888", "localhost:8888"),
        ("http://127.0.0.1.evil.example.com:8888", "127.0.0.1:8888"),
        ("https://panel.example.org.evil.com", "localhost:8888"),
        ("https://evilpanel.example.org", "localhost:8888"),
        ("https://sub.panel.example.org", "localhost:8888"),
        ("https://panel.example.org:8443", "localhost:8888"),
        ("http://panel.example.org", "localhost:8888"),
        ("https://panel.example.org@evil.example.com", "localhost:8888"),
        ("http://evil.example.com@localhost:8888", "localhost:8888"),
        ("http://10.1.2.3:8888", "10.1.2.4:8888"),
        ("http://localhost:99999999", "localhost:8888"),
        ("ftp://localhost:8888", "localhost:8888"),
    ],
)
def test_any_other_origin_is_refused_and_the_setting_named(origin: str, host: str) -> None:
    with pytest.raises(Refused, match=r"server\.allowed_origins"):
        Policy([], [LISTED_ORIGIN]).check_origin(origin, host, PORT)


@pytest.mark.parametrize("origin", ["http://epics.example.org", "http://epics.example.org:443", "HTTP://localhost"])
def test_page_that_came_without_tls_is_foreign_under_tls(origin: str) -> None:
    host = origin.split("://")[1]
    policy = Policy([], [LISTED_ORIGIN])
    policy.check_origin(origin, host, 443)
    with pytest.raises(Refused, match=r"server\.allowed_origins"):
        policy.check_origin(origin, host, 443, secure=True)
    policy.check_origin(origin.lower().replace("http", "https"), host, 443, secure=True)
    policy.check_origin(LISTED_ORIGIN, host, 443, secure=True)


def test_only_listed_origins_count_as_listed() -> None:
    policy = Policy([], ["https://Panel.example.org/"])
    assert policy.is_listed("https://panel.example.org")
    assert not policy.is_listed("http://localhost:8888")
    assert not policy.is_listed(None)


PATHS = ["/", "/monitor", "/api/pv", "/api/pv/X", "/api/pv/X/stream", "/healthz", "/readyz", "/status", "/metrics",
         "/api/openapi.json", "/api/asyncapi.json", "/static/index.html", "/nowhere"]  # fmt: skip
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def assert_forbidden(server: Server, path: str, setting: str, headers: dict[str, str]) -> None:
    answer = fetch(server, path, headers)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert setting in answer.json["message"]
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_no_path_answers_a_rebound_host(server: Server, path: str) -> None:
    headers = {"Host": "evil.example.com:8888", "Origin": "http://evil.example.com:8888"}
    assert_forbidden(server, path, "server.allowed_hosts", headers)


@pytest.mark.parametrize("path", PATHS)
def test_no_path_answers_a_foreign_page(server: Server, path: str) -> None:
    assert_forbidden(server, path, "server.allowed_origins", {"Origin": "https://evil.example.com"})


@pytest.mark.parametrize("site", ["same-origin", "none", "same-site", "cross-site"])
@pytest.mark.parametrize("origin", ["null", "https://evil.example.com"])
def test_what_the_browser_says_of_the_site_overrides_nothing(server: Server, origin: str, site: str) -> None:
    headers = {**HANDSHAKE, "Origin": origin, "Sec-Fetch-Site": site}
    assert_forbidden(server, "/monitor", "server.allowed_origins", headers)


def test_every_form_of_loopback_is_one_origin(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1].strip("/")
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert fetch(server, "/healthz", {"Origin": f"http://{name}:{port}"}).status == 200
    assert fetch(server, "/healthz", {"Origin": "http://localhost:1"}).status == 403


def test_page_of_a_listed_origin_may_read_answers(server: Server) -> None:
    for path, status in (("/healthz", 200), ("/status", 200), ("/static/css/page.css", 200), ("/nowhere", 404)):
        answer = fetch(server, path, {"Host": LISTED_HOST, "Origin": LISTED_ORIGIN})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
        assert "Origin" in answer.headers["Vary"]


def test_page_of_a_listed_origin_may_open_a_session(server: Server) -> None:
    with server.client(additional_headers={"Sec-Fetch-Site": "cross-site"}, origin=LISTED_ORIGIN) as client:
        assert client.settle() == []


def test_other_answers_name_no_origin(server: Server) -> None:
    assert "Access-Control-Allow-Origin" not in fetch(server, "/healthz", {"Origin": server.url.rstrip("/")}).headers
