"""How the cost of an update grows with what is there beside it. Of pycaserver alone."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from bench.names import scalar_stem
from bench.pairs import SCALARS, Bench, Rows
from bench.processes import IOC, Load, Pycaserver
from bench.report import Row
from bench.runs import Run

RATE: Final = 10_000
MANY: Final = (1250, 2500, 5000, 10_000)


def scaling(bench: Bench) -> Rows:
    """Each of them by itself, the others being one session with 1000 PVs."""
    for idle in (1, 500, 1000, 2000):
        yield _row(f"{idle} idle sessions beside", _run(bench, idle=idle, pvs=1000))
    for pvs in (100, 1000, SCALARS):
        yield _row(f"{pvs} PVs", _run(bench, pvs=pvs))
    for sessions in (1, 10, 100):
        yield _row(f"{sessions} sessions with all PVs", _run(bench, sessions=sessions, pvs=1000))
    with IOC(max(MANY)) as ioc:
        for pvs in MANY:
            subscribed, unsubscribed = _come_and_go(ioc, pvs)
            yield Row("scaling", f"{pvs} PVs subscribed to", "s", "", None, subscribed)
            yield Row("scaling", f"{pvs} PVs unsubscribed from", "s", "", None, unsubscribed)


def _run(bench: Bench, idle: int = 0, sessions: int = 1, pvs: int = 1) -> Run:
    """At RATE updates a second in all."""
    with bench.sessions(Pycaserver, sessions=sessions, pvs=pvs, total=pvs) as rig, ExitStack() as others:
        if idle:
            others.enter_context(Load(rig.server, bench.ioc, sessions=idle, pvs=0))
        return rig.run(RATE, bench.seconds(3))


def _row(case: str, run: Run) -> Row:
    return Row("scaling", case, "CPU µs/update", "", None, run.cpu_per_post, runs={"pycaserver": run})


def _come_and_go(ioc: IOC, pvs: int) -> tuple[float, float]:
    """Seconds until one session has a value of each PV, unknown to the server before; and until it has none left."""
    names = [f"{scalar_stem(ioc.prefix)}{index}" for index in range(pvs)]
    with Pycaserver(ioc) as server, connect(f"ws://127.0.0.1:{server.port}/monitor", max_size=None) as peer:
        peer.send(json.dumps({"action": "options", "batch": True}))
        began = time.monotonic()
        peer.send(json.dumps({"action": "connect", "pv": names}))
        values = (message for message in _messages(peer) if message["msg_type"] == "monitor")
        assert len(set(islice((message["pvname"] for message in values), pvs))) == pvs
        subscribed = time.monotonic()
        peer.send(json.dumps({"action": "disconnect", "pv": names}))
        peer.send(json.dumps({"action": "ping"}))
        next(message for message in _messages(peer) if message["msg_type"] == "pong")
        return subscribed - began, time.monotonic() - subscribed


def _messages(peer: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        frame = json.loads(peer.recv())
        yield from frame if isinstance(frame, list) else [frame]
