"""Ten thousand PVs, a thousand sessions, a million doubles: everybody else notices nothing.

How late the event loop is, its own figures say: `loop_work_max` for how long it held everybody up itself, which does
not depend on what else the machine does.
"""

import hashlib
import json
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.databases import counters
from tests.iocs import CIOC
from tests.servers import WRITABLE, Client, Server
from tests.system.peers import Peers
from tests.system.test_delivery import MEGABYTE, channels, names_of
from tests.timing import Patience, scaled, wait_for
from tests.web.http import fetch

MANY = 10_000
ELEMENTS = 1_000_000
ROUNDS = 4
PEERS = 1000
PVS_EACH = 10
STALL_SECONDS = 0.05
EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of an array that nobody has written yet."""


@pytest.fixture(scope="module")
def many() -> Iterator[CIOC]:
    """Ten thousand records that count up at 1 Hz; and one array."""
    waveform = f'record(waveform, "$(P)wave") {{ field(FTVL, "DOUBLE") field(NELM, "{ELEMENTS}") }}\n'
    with CIOC(counters(MANY, scan="1 second") + waveform) as ioc:
        yield ioc


def lag_quantile(server: Server, quantile: float) -> float:
    """Seconds: the end of the bucket in which so many of the measurements lie."""
    counts = {}
    for line in fetch(server, "/metrics").body.decode().splitlines():
        name, _, end = line.partition('{le="')
        if name == "pycaserver_loop_lag_seconds_bucket":
            bound, _, count = end.partition('"} ')
            counts[float(bound)] = float(count)
    return min(bound for bound, count in counts.items() if count >= quantile * counts[float("inf")])


@pytest.mark.parametrize("at_once", [True, False])
def test_ten_thousand_pvs_on_one_page(many: CIOC, at_once: bool) -> None:
    """In one message, or in ten thousand."""
    names, patience = names_of(many, MANY), Patience()
    settings = {"limits-linger-seconds": 0.1, "limits-requests-per-second": MANY}
    with Server(many.env(), settings) as server, server.client() as client:
        client.send(action="options", batch=True)
        began = time.monotonic()
        for request in [names] if at_once else names:
            client.send(action="connect", pv=request)
        wait_for_values(client, set(names))
        first = time.monotonic() - began
        assert channels(server) == MANY
        for batch in (False, True):
            client.send(action="options", batch=batch)
        client.settle()
        began = time.monotonic()
        client.send(action="disconnect", pv=names)
        client.settle()
        left = time.monotonic() - began
        wait_for(lambda: channels(server) == 0, 60)
        client.send(action="connect", pv=names[-1])
        client.wait(msg_type="monitor", pvname=names[-1])
        lag, work = lag_quantile(server, 0.99), server.status()["loop_work_max"]
        print(f"first values {first:.1f} s, left {left:.2f} s, lag p99 {lag:g} s, at work {1000 * work:.0f} ms")
        assert first < patience.allows(20)
        assert left < patience.allows(2)
        assert lag <= patience.allows(0.1)
        assert work < scaled(STALL_SECONDS)


def wait_for_values(client: Client, names: set[str]) -> None:
    while names:
        names.discard(client.wait(msg_type="monitor", timeout=30)["pvname"])


def test_a_million_doubles_reach_ten_peers_while_scalars_keep_their_time(many: CIOC) -> None:
    """At 1 Hz, as JSON, base64 and binary."""
    wave, tick, patience = f"{many.prefix}wave", f"{many.prefix}count0", Patience()
    scalars = [[{"action": "connect", "pv": names_of(many, 100)}]]
    encodings = ["json"] * 4 + ["base64"] * 3 + ["binary"] * 3
    arrays = [[{"action": "connect", "pv": wave, "encoding": encoding}] for encoding in encodings]
    with (
        Server(many.env()) as server,
        Peers(server, *arrays) as readers,
        Peers(server, *scalars) as others,
        Server(many.env(), {**WRITABLE, "limits-message-bytes": 16 * MEGABYTE}) as source,
        source.client() as writer,
    ):
        writer.send(action="connect", pv=tick)
        digests = [write(writer, wave, tick, number) for number in range(ROUNDS)]
        wait_for(lambda: newest(readers) == [digests[-1]] * len(arrays), 60)
        heard, scalars_heard = readers.heard(), others.heard()
        memory, work, late = server.resident / MEGABYTE, server.status()["loop_work_max"], scalars_heard["delays"][1]
        print(f"scalars p99 {late:.3f} s, at work {1000 * work:.0f} ms, {memory:.0f} MiB")
        assert memory < 500
        assert work < scaled(STALL_SECONDS)
    for told in heard["arrays"].values():
        assert set(told) <= {*digests, EMPTY}
        assert told == [digest for digest in (EMPTY, *digests) if digest in told], "out of order, or twice"
    assert heard["values"][wave] == len(arrays) * (1 + ROUNDS)
    assert scalars_heard["gaps"] == 0
    assert late < patience.allows(0.25)


def newest(peers: Peers) -> list[str]:
    """The digest of the newest array that each has heard."""
    return [told[-1] for told in peers.heard()["arrays"].values()]


def write(writer: Client, wave: str, tick: str, number: int) -> str:
    """Put a million doubles at the next tick; the SHA-256 of their bytes."""
    data = np.random.default_rng(number).random(ELEMENTS).tobytes()
    header = json.dumps({"action": "put", "pv": wave, "dtype": "<f8"}).encode()
    header += b" " * (-(4 + len(header)) % 8)
    writer.wait(msg_type="monitor", pvname=tick)
    writer.socket.send(len(header).to_bytes(4, "little") + header + data)
    writer.wait(msg_type="put")
    return hashlib.sha256(data).hexdigest()


def test_a_thousand_sessions_with_ten_pvs_each(many: CIOC) -> None:
    """No two with the same ones."""
    names, patience = names_of(many, MANY), Patience()
    wanted = [
        [{"action": "options", "batch": True}, {"action": "connect", "pv": names[first : first + PVS_EACH]}]
        for first in range(PEERS)
    ]
    with Server(many.env(), {"limits-sessions-per-address": PEERS + 1}) as server, Peers(server, *wanted) as peers:
        assert peers.seconds < patience.allows(5)
        wait_for(lambda: server.status()["updates_out"] >= 5 * MANY, 60)
        status = server.status()
        assert (status["sessions"], status["updates_merged"]) == (PEERS, 0)
        heard, memory = peers.heard(), server.resident / MEGABYTE
        print(f"connected in {peers.seconds:.1f} s, p99 {heard['delays'][1]:.3f} s, {memory:.0f} MiB")
        assert memory < 150
    assert heard["gaps"] == 0
    assert len(heard["values"]) == PEERS + PVS_EACH - 1
    assert min(heard["values"].values()) >= 3
    assert heard["delays"][1] < patience.allows(0.5)
