"""Who is who, with a real server: every means, what ends a session, and that no secret comes to light."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.iocs import CIOC
from tests.processes import Command
from tests.servers import Server
from tests.timing import wait_for
from tests.tokens import AUDIENCE, ISSUER, Provider, token_section
from tests.web.http import Answer, fetch, segment
from tests.web.raw import RawClient
from tests.web.test_login import cookie_of, log_in

ANNAS, BOBS = "5ecret-of-anna", "5ecret-of-bob"
PROXY = "127.0.0.9"
STRANGER = "127.0.0.77"
"""Where wrong tokens come from, so that those who come from elsewhere are not slowed."""
USER_HEADER = "X-Forwarded-User"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    return Provider(tmp_path_factory.mktemp("provider") / "jwks.json")


def settings_text(provider: Provider, *tokens: str, required: bool = False, login_timeout: float = 15) -> str:
    return f"""
[server]
trusted_proxies = ["{PROXY}"]
[limits]
linger_seconds = 0.1
[log]
level = "debug"
[pvs]
names = ["OFFERED"]
[auth]
required = {str(required).lower()}
login_timeout = {login_timeout}
user_header = "{USER_HEADER}"
[auth.jwt]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
jwks_file = "{provider.file}"
{"".join(tokens)}
"""


BOTH = (token_section("anna", ANNAS, ["operators"]), token_section("bob", BOBS))


def start(types: CIOC, provider: Provider, file: Path, **changed: Any) -> Server:
    file.write_text(settings_text(provider, *BOTH, **changed))
    return Server(types.env(), {"config": file})


@pytest.fixture(scope="module")
def known(types: CIOC, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Everybody may come, some are known."""
    with start(types, provider, tmp_path_factory.mktemp("known") / "pycaserver.toml") as server:
        yield server


@pytest.fixture(scope="module")
def strict(types: CIOC, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Nobody may come who is not known, and who does not say so in a second goes."""
    file = tmp_path_factory.mktemp("strict") / "pycaserver.toml"
    with start(types, provider, file, required=True, login_timeout=1) as server:
        yield server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def whoami(server: Server, headers: dict[str, str]) -> tuple[str, str]:
    answer = fetch(server, "/api/whoami", headers).json
    return answer["user"], answer["means"]


def proxied(server: Server, *headers: str) -> Any:
    """What whoami says to a request through the trusted proxy."""
    with RawClient(server.url, source=PROXY) as raw:
        head = raw.http("/api/whoami", *headers, "Connection: close")
        return json.loads(raw.read_to_end()) if b" 200 " in head.splitlines()[0] else head.split()[1]


# -- every means


def test_tokens_of_both_kinds_over_http(known: Server, provider: Provider) -> None:
    assert whoami(known, bearer(ANNAS)) == ("anna", "token")
    assert whoami(known, bearer(provider.token(sub="carol"))) == ("carol", "jwt")
    assert whoami(known, {}) == ("", "anonymous")


def test_a_header_a_cookie_or_a_message_make_a_session(known: Server, provider: Provider) -> None:
    cookie, origin = cookie_of(log_in(known, ANNAS)), known.url.rstrip("/")
    with known.client(additional_headers=bearer(BOBS)) as by_header, \
         known.client(additional_headers={"Cookie": cookie}, origin=origin) as by_cookie, \
         known.client() as by_message:  # fmt: skip
        by_message.send(action="authenticate", token=provider.token(sub="carol"), id=1)
        answer = by_message.wait(msg_type="authenticate")
        assert (answer["ok"], answer["user"], answer["id"]) == (True, "carol", 1)
        for client in (by_header, by_cookie, by_message):
            assert client.settle() == []


@pytest.mark.parametrize("token", ["wrong", "a.b.c", ""])
def test_a_wrong_token_opens_nothing(known: Server, types: CIOC, token: str) -> None:
    answer = fetch(known, f"/api/pv/{segment(types.prefix)}ai", bearer(token), source=STRANGER)
    assert answer.status in (401, 429)
    with pytest.raises(InvalidStatus) as caught:
        known.client(additional_headers=bearer(token), source_address=(STRANGER, 0))
    assert caught.value.response.status_code in (401, 429)
    assert whoami(known, bearer(ANNAS)) == ("anna", "token")


def test_a_token_that_expired_or_is_of_another_issuer_is_refused(known: Server, provider: Provider) -> None:
    for token, why in ((provider.token(lives=-60), "expired"), (provider.token(iss="https://evil.example"), "issuer")):
        with known.client() as client:
            client.send(action="authenticate", token=token)
            error = client.wait(msg_type="error")
            assert error["code"] == "unauthenticated" and why in error["message"]


def test_the_user_of_a_trusted_proxy_is_believed_and_of_no_other(known: Server) -> None:
    through = proxied(known, f"{USER_HEADER}: dora", "X-Forwarded-For: 192.0.2.7")
    assert (through["user"], through["means"]) == ("dora", "proxy")
    assert whoami(known, {USER_HEADER: "dora", "X-Forwarded-For": PROXY}) == ("", "anonymous")
    assert proxied(known, f"{USER_HEADER}: root", f"{USER_HEADER}: dora") == b"401"


def test_rotated_keys_count_without_a_restart(types: CIOC, tmp_path: Path) -> None:
    provider = Provider(tmp_path / "jwks.json")
    with start(types, provider, tmp_path / "pycaserver.toml") as server:
        assert whoami(server, bearer(provider.token())) == ("anna", "jwt")
        provider.add("next")
        provider.publish("next")
        assert whoami(server, bearer(provider.token("next"))) == ("anna", "jwt")
        assert fetch(server, "/api/whoami", bearer(provider.token())).status == 401


def test_watch_says_who_it_is(strict: Server, types: CIOC, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{ANNAS}\n")
    with Command("watch", f"--token-file={file}", strict.url, types.prefix + "ai") as watch:
        watch.wait_for_line("21.5")


def test_rules_about_addresses_take_the_word_of_trusted_proxies_only(
    types: CIOC, provider: Provider, tmp_path: Path
) -> None:
    rule = '[access]\ndefault = "none"\n[[access.rule]]\npv = "*"\nwho = ["address:192.0.2.0/24", "address:127.0.0.1"]'
    (tmp_path / "pycaserver.toml").write_text(settings_text(provider, f'{rule}\nallow = "read"\n'))
    path, inside = f"/api/pv/{segment(types.prefix)}ai", {"X-Forwarded-For": "192.0.2.7"}
    with Server(types.env(), {"config": tmp_path / "pycaserver.toml"}) as server:
        assert fetch(server, path, inside, source=PROXY).status == 200
        assert fetch(server, path, {"X-Forwarded-For": "198.51.100.7"}, source=PROXY).status == 403
        assert fetch(server, path).status == 200
        assert fetch(server, path, inside).status == 403
        assert fetch(server, path, {"Via": "1.1 somebody"}).status == 403
        assert fetch(server, path, source=PROXY).status == 403


# -- the end of a session


def test_a_session_ends_when_its_token_expires(known: Server, provider: Provider, types: CIOC) -> None:
    token = provider.token(lives=2)
    with known.client(additional_headers=bearer(token)) as client, known.client() as neighbour:
        client.send(action="connect", pv=types.prefix + "ai")
        client.wait(msg_type="monitor")
        assert client.close_code() == 4003
        assert neighbour.settle() == []
    assert fetch(known, "/api/whoami", bearer(token)).status == 401


def test_a_stream_ends_when_its_token_expires(known: Server, provider: Provider, types: CIOC) -> None:
    with RawClient(known.url) as raw:
        began = time.time()
        head = raw.http(f"/api/pv/{segment(types.prefix)}ai/stream", f"Authorization: Bearer {provider.token(lives=2)}")
        assert b" 200 " in head.splitlines()[0]
        raw.read_until(b"0\r\n\r\n")  # the last chunk
        assert time.time() - began >= 1


def test_a_session_lives_on_with_a_fresh_token(known: Server, provider: Provider) -> None:
    with known.client() as client:
        client.send(action="authenticate", token=provider.token(lives=1))
        first = client.wait(msg_type="authenticate")
        client.send(action="authenticate", token=provider.token())
        assert client.wait(msg_type="authenticate")["expires"] > first["expires"] + 60
        wait_for(lambda: time.time() > first["expires"] + 1.5, 10)
        assert client.settle() == []


def test_logging_out_ends_the_sessions_of_the_cookie(known: Server) -> None:
    cookie, origin = cookie_of(log_in(known, ANNAS)), known.url.rstrip("/")
    with known.client(additional_headers={"Cookie": cookie}, origin=origin) as client:
        assert client.settle() == []
        assert fetch(known, "/api/logout", {"Cookie": cookie, "Origin": origin}, "POST").status == 200
        assert client.close_code() == 4003


def test_a_token_that_is_removed_ends_its_sessions_at_the_reload(
    types: CIOC, provider: Provider, tmp_path: Path
) -> None:
    file = tmp_path / "pycaserver.toml"
    with start(types, provider, file) as server, \
         server.client(additional_headers=bearer(ANNAS)) as annas, \
         server.client(additional_headers=bearer(BOBS)) as bobs, server.client() as anonymous:  # fmt: skip
        for client in (annas, bobs, anonymous):
            client.settle()
        file.write_text(settings_text(provider, BOTH[1]))
        os.kill(server.process.pid, SIGHUP)
        assert annas.close_code() == 4003
        for client in (bobs, anonymous):
            assert client.settle() == []
        assert fetch(server, "/api/whoami", bearer(ANNAS)).status == 401
        file.write_text(settings_text(provider, BOTH[1], required=True, login_timeout=0.1))
        os.kill(server.process.pid, SIGHUP)
        assert anonymous.close_code() == 4003
        assert bobs.settle() == []


# -- where an identity is required


OPEN = ["/", "/static/login.html", "/healthz", "/readyz", "/api/whoami", "/api/openapi.json", "/api/asyncapi.json"]
CLOSED = ["/api/pv", "/api/pv/ANY", "/api/pv/ANY/stream", "/status", "/metrics"]


def test_http_needs_an_identity(strict: Server) -> None:
    for path in CLOSED:
        answer = fetch(strict, path)
        assert (answer.status, answer.json["code"]) == (401, "unauthenticated"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for path in OPEN:
        assert fetch(strict, path).status == 200, path
    for path in ("/api/pv", "/status", "/metrics"):
        assert fetch(strict, path, bearer(ANNAS)).status == 200, path
    assert fetch(strict, "/api/pv/ANY", method="OPTIONS").status == 204  # as a browser asks, without credentials
    assert fetch(strict, "/readyz").json["pvs"] == {}
    assert fetch(strict, "/readyz", bearer(ANNAS)).json["pvs"].keys() == {"OFFERED"}


def test_a_silent_session_is_sent_away_in_time(strict: Server) -> None:
    with strict.client() as client:
        assert client.close_code() == 4003


def test_a_busy_session_is_sent_away_as_well(strict: Server, types: CIOC) -> None:
    with strict.client() as client:
        client.send(action="connect", pv=types.prefix + "ai")
        assert client.wait()["code"] == "unauthenticated"
        assert client.close_code() == 4003


def test_a_session_that_says_who_it_is_stays(strict: Server, types: CIOC) -> None:
    with strict.client() as client:
        client.send(action="authenticate", token=ANNAS)
        assert client.wait(msg_type="authenticate")["user"] == "anna"
        client.send(action="connect", pv=types.prefix + "ai")
        client.wait(msg_type="monitor")
        until = time.time() + 2.5
        wait_for(lambda: time.time() > until, 10)
        assert client.settle() == []


# -- secrets

MALFORMED = "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\x01\r\n\r\n"


def test_no_secret_comes_to_light(types: CIOC, provider: Provider, tmp_path: Path) -> None:
    """Everything that can be done with a token, right and wrong, on the level debug; then all that was written."""
    expired, wrong = provider.token(lives=-60), "5ecret-that-is-wrong"
    with start(types, provider, tmp_path / "pycaserver.toml") as server:
        told = [fetch(server, "/api/whoami", bearer(token)) for token in (ANNAS, provider.token(), expired, wrong)]
        told += [fetch(server, f"{path}?token={wrong}") for path in ("/monitor", "/nowhere", "/static/a%00")]
        told += [log_in(server, ANNAS), log_in(server, wrong)]
        cookie = cookie_of(told[-2])
        told.append(fetch(server, "/api/whoami", {"Cookie": cookie + "x"}))
        told.append(fetch(server, "/api/whoami", {"Cookie": cookie}))
        with RawClient(server.url) as raw:  # a header that is none: Tornado quotes it
            raw.socket.sendall(MALFORMED.format(wrong).encode())
            assert b"400" in raw.read_to_end()
        with server.client() as client:
            for request in ({"token": ANNAS}, {"token": wrong}, {"token": [wrong]}, {"token": ANNAS, "key": 1}):
                client.send(action="authenticate", **request)
            client.settle()
            said = json.dumps(client.messages)
        told += [fetch(server, path) for path in ("/status", "/status?format=json", "/metrics", "/readyz")]
        told.append(fetch(server, "/status?format=json", bearer(ANNAS)))
    bodies = [answer.body.decode() for answer in told]
    log = server.output
    assert log.count("a log-in from 127.0.0.1 failed") >= 4 and "Malformed HTTP message" in log
    for secret in ("5ecret", provider.token()[:40], expired.rsplit(".")[-1], cookie.partition("=")[2]):
        for text in (log, said, *bodies):
            assert secret not in text
    assert [leaks(answer, cookie) for answer in told] == [False] * len(told)


def leaks(answer: Answer, cookie: str) -> bool:
    """Whether a header other than Set-Cookie has the log-in's id."""
    others = [value for name, value in answer.headers.items() if name != "Set-Cookie"]
    return any(cookie.partition("=")[2] in value for value in others)
