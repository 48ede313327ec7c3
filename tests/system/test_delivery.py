"""Nothing is lost, nobody waits for another: delivery of many PVs at once, measured against what the IOC counted."""

import json
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

from tests.databases import counters
from tests.iocs import CIOC
from tests.servers import WITHOUT_RING, Client, Server

MANY = 1000
STALLED_PVS = 200
STALLED_SECONDS = 60.0
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def counting() -> Iterator[CIOC]:
    """A thousand records that count up at 10 Hz."""
    with CIOC(counters(MANY)) as ioc:
        yield ioc


def names_of(ioc: CIOC, count: int) -> list[str]:
    return [f"{ioc.prefix}count{number}" for number in range(count)]


class Counts:
    """Checks that each PV counts up by one from message to message.

    They stand still until each has its first value: what comes while a subscription begins the IOC itself may lose.
    """

    def __init__(self, ioc: CIOC, client: Client, count: int) -> None:
        """Subscribe to so many."""
        self.values: dict[str, list[float]] = defaultdict(list)
        ioc.shell(f"dbpf {ioc.prefix}run 0")
        client.send(action="connect", pv=names_of(ioc, count))
        while len(self.values) < count:
            self.take(client)
        ioc.shell(f"dbpf {ioc.prefix}run 1")

    @property
    def least(self) -> int:
        """How many values each PV has at least."""
        return min(map(len, self.values.values()))

    def take(self, client: Client) -> None:
        """One frame."""
        frame = client.receive()
        client.messages.clear()
        client._seen = 0
        for message in frame if isinstance(frame, list) else [frame]:
            if message["msg_type"] == "monitor":
                assert "coalesced" not in message
                values = self.values[message["pvname"]]
                assert not values or message["value"] == values[-1] + 1, f"{message['pvname']}: lost or out of order"
                values.append(message["value"])


PROGRAM = ("-m", "pycaserver")


@pytest.mark.parametrize(("batch", "program"), [(False, PROGRAM), (True, PROGRAM), (True, WITHOUT_RING)])
def test_a_thousand_pvs_at_10_hz_arrive_complete_and_in_order(
    counting: CIOC, batch: bool, program: Sequence[str]
) -> None:
    # ten thousand frames a second are more than this client takes on a busy machine: it may be half a second behind
    settings = {} if batch else {"limits-backlog-bytes": 64 * MEGABYTE}
    with Server(counting.env(), settings, program=program) as server, server.client() as client:
        client.send(action="options", batch=batch)
        counts = Counts(counting, client, MANY)
        while counts.least < 50:
            counts.take(client)


def test_a_rate_takes_no_value_from_a_slower_pv_when_the_server_was_late() -> None:
    with CIOC('record(ao, "$(P)slow") {}') as ioc, Server(ioc.env()) as server, server.client() as client:
        name = f"{ioc.prefix}slow"
        client.send(action="connect", pv=name, max_rate=50)
        client.wait(msg_type="monitor")
        server.process.send_signal(signal.SIGSTOP)
        for number in (1, 2, 3):
            ioc.shell(f"dbpf {name} {number}")
        server.process.send_signal(signal.SIGCONT)
        client.wait(pvname=name, value=3)
        assert [message["value"] for message in client.messages if "value" in message] == [0, 1, 2, 3]


def test_a_session_that_never_reads_harms_nobody(counting: CIOC) -> None:
    """For a minute the healthy one misses nothing, and the server grows by less than 5 MB."""
    settings = {"limits-slow-after-seconds": 2 * STALLED_SECONDS, "limits-ping-seconds": 1000}
    settings["history-samples"] = 10  # the history of the PVs would grow meanwhile
    names = names_of(counting, STALLED_PVS)
    with Server(counting.env(), settings) as server, server.client() as healthy:
        counts = Counts(counting, healthy, STALLED_PVS)
        while counts.least < 20:
            counts.take(healthy)
        before = server.resident
        stalled = stalled_session(server, names)
        end = time.monotonic() + STALLED_SECONDS
        while time.monotonic() < end:
            counts.take(healthy)
        assert server.resident - before < 5 * MEGABYTE
        totals = server.status()
        assert totals["sessions"] == 2, "the stalled session was to be there all the time"
        assert totals["updates_merged"] > 0, "the stalled session was to be behind"
        stalled.close()


def stalled_session(server: Server, names: list[str]) -> socket.socket:
    """A raw WebSocket session that subscribes and never reads."""
    host, port = server.url.split("/")[2].split(":")
    raw = socket.create_connection((host, int(port)))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(
        f"GET /monitor HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    payload = json.dumps({"action": "connect", "pv": names}).encode()
    mask = bytes(4)  # masking with zeros leaves the payload as it is
    raw.sendall(b"\x81" + bytes([0x80 | 126]) + len(payload).to_bytes(2, "big") + mask + payload)
    return raw


def channels(server: Server) -> int:
    totals = server.status()
    return sum(totals["channels"].values())
