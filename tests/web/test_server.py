"""The listener: where it listens, and what it does to connections that ask for nothing."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pycaserver.app import static_folder
from pycaserver.web.connections import PER_SESSION, SPARE
from pycaserver.web.tcp import allow_descriptors
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import scaled
from tests.web.http import fetch, totals
from tests.web.raw import RawClient

STINGY = {
    "nothing": b"",
    "half a request line": b"GET /heal",
    "headers without an end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n",
    "half a body": b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf",
    "half a handshake": b"GET /monitor HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
}


def test_connection_that_does_not_go_on_is_closed(impatient: Server) -> None:
    with ExitStack() as stack:
        connections = {what: stack.enter_context(RawClient(impatient.url)) for what in STINGY}
        for what, raw in connections.items():
            raw.socket.sendall(STINGY[what])
        answers = {what: raw.read_to_end() for what, raw in connections.items()}
    assert answers == dict.fromkeys(STINGY, b"")


def test_idle_connection_is_closed_after_its_answer(impatient: Server) -> None:
    with RawClient(impatient.url) as raw:
        assert raw.http("/healthz").startswith(b"HTTP/1.1 200 ")
        assert raw.http("/healthz").partition(b"HTTP/1.1 ")[2].startswith(b"200 ")
        assert raw.read_to_end() == b'{"status":"ok"}'


HALF_OPEN = 3000
PER_ADDRESS = 500
"""Sessions from one address by default, hence twice as many connections."""
PATIENCE = 1.0
"""Seconds within which a healthy peer is connected, whatever others do."""


@pytest.fixture
def crowded(server: Server) -> Iterator[Server]:
    """Thousands of connections from one address have come, and none of them has finished its request."""
    if allow_descriptors(HALF_OPEN + 500) < HALF_OPEN + 500:
        pytest.skip("this machine does not let a process open so many sockets")
    with ExitStack() as stack:
        for number in range(HALF_OPEN):
            raw = stack.enter_context(RawClient(server.url, source="127.0.0.2"))
            with suppress(ConnectionError):  # it may have had to give way already
                raw.socket.sendall(b"GET /" if number % 2 else b"")
        yield server


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"], ids=["another address", "the same address"])
def test_thousands_of_half_open_connections_keep_nobody_out(crowded: Server, source: str) -> None:
    with RawClient(crowded.url, source=source) as raw:
        raw.socket.settimeout(scaled(PATIENCE))
        raw.open().send(action="ping")
        assert raw.frame().json() == {"msg_type": "pong"}
    figures = totals(crowded)
    assert figures["connections"] <= SPARE + PER_SESSION * PER_ADDRESS + 5
    assert figures["connections_dropped"] >= HALF_OPEN - PER_SESSION * PER_ADDRESS - SPARE


def test_headers_beyond_all_reason_are_refused(server: Server) -> None:
    with RawClient(server.url) as raw:
        raw.socket.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert b"200" not in raw.read_to_end()
    assert fetch(server, "/healthz").status == 200


def test_body_beyond_the_limit_is_refused(server: Server) -> None:
    with RawClient(server.url) as raw:
        raw.socket.sendall(b"PUT /api/pv/X HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        assert raw.read_to_end().startswith(b"HTTP/1.1 400 ")


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe, suppress(OSError):
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_listens_on_ipv6(types: CIOC) -> None:
    with Server(types.env(), {"address": "::1"}) as server:
        assert server.url.startswith("http://[::1]:")
        assert fetch(server, "/healthz").status == 200


def test_pages_are_where_the_listener_looks_for_them() -> None:
    assert (static_folder() / "index.html").is_file()
    assert Path(static_folder()).is_absolute()
