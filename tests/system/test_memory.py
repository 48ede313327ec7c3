"""What has ended is free at once: the garbage collector may not look at what has become old for days."""

import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.request import urlopen

import pytest
import socketio
from websockets.exceptions import ConnectionClosed

from tests.iocs import CIOC
from tests.pvws_client import PvwsClient
from tests.servers import WRITABLE, Server
from tests.system.faults.watch import held, wait_until_held
from tests.system.uncollected import TOLD
from tests.timing import wait_for
from tests.web.raw import RawClient
from tests.web.test_socketio import Polling, websocket

TIMES = 5
LIBRARY = ("builtins.", "types.")
"""python-engineio makes a class for each request of a poll."""


@pytest.fixture(scope="module")
def uncollected(types: CIOC) -> Iterator[Server]:
    settings = {
        "limits-linger-seconds": 0.05,
        "limits-search-seconds": 0.2,
        "socketio-enabled": True,
        "limits-ping-seconds": 1,
        **WRITABLE,
    }
    with Server(types.env(), settings, program=("-m", "tests.system.uncollected")) as server:
        yield server


def everything(server: Server, types: CIOC) -> None:
    """Most of what a session can ask for."""
    names = [types.prefix + name for name in ("ai", "ao", "wf_double", "large")]
    with server.client() as client:
        client.send(action="events", subscribe=True)
        client.send(action="connect", pv=names, metadata=True)
        client.wait(msg_type="monitor", pvname=names[-1])
        client.send(action="connect", pv=types.prefix + "none")
        client.wait(msg_type="connection", pvname=types.prefix + "none")
        client.send(action="connect", pv=names[0], history=60, max_rate=5)
        client.wait(msg_type="history", pvname=names[0])
        for action in ("get", "info", "history"):
            client.send(action=action, pv=names[0], id=action)
            client.wait(id=action)
        client.send(action="put", pv=names[1], value=1, id="put")
        client.wait(id="put")
        client.send(action="get", pv=types.prefix + "nothing", id="none", timeout=0.1)
        client.wait(id="none")
        client.socket.send("{]")
        client.wait(msg_type="error", code="bad_json")
        client.send(action="options", batch=True)
        client.wait(msg_type="options")


def reset(server: Server, types: CIOC) -> None:
    """A session that ends without a word."""
    client = RawClient(server.url).open()
    client.send(action="connect", pv=types.prefix + "ai")
    client.wait_for_message(msg_type="monitor")
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.socket.close()


def flood(server: Server, types: CIOC) -> None:
    """A session that the server ends."""
    with server.client() as client:
        for _ in range(200):
            client.socket.send("{]")
        assert client.close_code() == 4002


def ask(server: Server, types: CIOC) -> None:
    for path in ("", "status", "metrics", "api/pv", f"api/pv/{types.prefix}ai"):
        with urlopen(server.url + path) as answer:
            answer.read()


def stream(server: Server, types: CIOC) -> None:
    with urlopen(f"{server.url}api/pv/{types.prefix}ai/stream") as events:
        assert events.readline()


def pvws(server: Server, types: CIOC) -> None:
    with PvwsClient(server) as client:
        assert client.knows(types.prefix + "ai")["value"] is not None


def converse(server: Server, transport: str) -> None:
    client = socketio.Client()
    client.connect(server.url, transports=[transport])
    client.disconnect()


def lose_poller(server: Server, types: CIOC) -> None:
    """It never comes again, and answers are due to it."""
    Polling(server).open().emit("connect_pv", types.prefix + "fast")


def lose_socket(server: Server, types: CIOC) -> None:
    """It reads, and answers no ping."""
    with websocket(server) as client, suppress(ConnectionClosed):
        client.send("40")
        client.send(f'42["connect_pv","{types.prefix}fast"]')
        for _ in client:
            pass


WAYS: dict[str, Callable[[Server, CIOC], None]] = {
    "a session": everything,
    "a reset": reset,
    "a flood": flood,
    "HTTP": ask,
    "an event stream": stream,
    "PV Web Socket": pvws,
    "Socket.IO": lambda server, types: converse(server, "websocket"),
    "Socket.IO by polling": lambda server, types: converse(server, "polling"),
    "a Socket.IO client that is lost": lose_socket,
    "one that polled": lose_poller,
}


def garbage(server: Server) -> str:
    """What there is of it now."""
    before = server.output.count(TOLD)
    server.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: server.output.count(TOLD) > before and server.output.endswith("\n"), 10, "the garbage")
    return server.output.rpartition(TOLD)[2]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_what_has_ended_is_no_garbage(uncollected: Server, types: CIOC, way: Callable[[Server, CIOC], None]) -> None:
    way(uncollected, types)  # something is made only once
    wait_for(lambda: held(uncollected)[2:4] == (0, 0), 10, "no session and no channel")
    garbage(uncollected)
    before = held(uncollected)
    for _ in range(TIMES):
        way(uncollected, types)
    wait_until_held(uncollected, before)
    left = [each for each in garbage(uncollected).split() if not each.startswith(LIBRARY)]
    assert not left
