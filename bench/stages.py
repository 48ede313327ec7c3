"""Where the microseconds of one update go: the server's own parts, one after the other, without IOC and network.

python -m bench.stages: each stage works on batches of BATCH updates of scalars, to one session; the best of many.
"""

import ctypes
import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from pycaserver.core.channel import Channel
from pycaserver.core.figures import Figures
from pycaserver.core.groups import Group
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Outbox
from pycaserver.core.pool import ChannelPool
from pycaserver.core.values import Access, DbrType, Metadata
from pycaserver.dialects.native import NativeDialect
from pycaserver.sources.ca import Connection
from pycaserver.sources.dbr import SIZES, TIME, TIME_LAYOUTS, decode_time
from pycaserver.sources.monitor import BestQueue, Handoff
from pycaserver.sources.queue import EventArgs, EventQueue, Queue
from pycaserver.web.framing import BATCHED

PVS: Final = 1000
BATCH: Final = 200
REPEATS: Final = 300
DOUBLE: Final = int(TIME + DbrType.DOUBLE)
Batches: Final = PVS // BATCH


class Idle:
    """A clock on which nothing happens by itself, a source that finds nothing, a peer that takes everything."""

    unsent = 0
    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Never."""

    def call_later(self, delay: float, function: Callable[..., object], *args: Any) -> Any:
        """Never."""
        return SimpleNamespace(cancel=lambda: None)

    def write(self, pieces: Any) -> None:
        """Taken."""

    def open(self, name: str, channel: Channel) -> Any:
        """Nothing is searched for."""
        return self

    def monitor(self) -> None:
        """It has no monitors."""

    def __getattr__(self, name: str) -> Any:
        """Whatever else a source or a peer can do."""
        return lambda *_: None


def events() -> list[bytes]:
    """A DBR_TIME_DOUBLE for each PV, no two alike."""
    scalar = TIME_LAYOUTS[DbrType.DOUBLE].scalar
    return [scalar.pack(0, 0, 1_000_000_000, 7919 * n * n % 10**9, n / 7) for n in range(PVS)]


class Parts:
    """A server's way from the queue to the peer, with one session subscribed to all PVs."""

    def __init__(self) -> None:
        idle: Any = Idle()
        figures = Figures()
        pool = ChannelPool(idle, idle, figures, search_seconds=3.0, linger_seconds=5.0)
        self.fanout = pool.fanout
        self.outbox = Outbox(idle, BATCHED, self.fanout, idle, figures, 1 << 30)
        self.handoff = Handoff(lambda *_: None, lambda *_: None, lambda: None)
        self.channels = [pool.acquire(f"BENCH:VALUE{n}") for n in range(PVS)]
        for number, channel in enumerate(self.channels, start=1):
            self._connect(number, channel)
        self.items = [(n, DOUBLE, 1, 1, raw, 0) for n, raw in enumerate(events(), start=1)]

    def _connect(self, number: int, channel: Channel) -> None:
        channel.connected(DbrType.DOUBLE, 1, "ioc:5064", Access(True, True))
        channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units="mm"))
        subscription: Any = SimpleNamespace(plain=True, outbox=self.outbox)
        channel.subscribe(subscription, "all", NativeDialect().value_encoder(SubscriptionOptions(), BATCHED))
        ca_channel: Any = SimpleNamespace(generation=1, count=1, channel=channel)
        self.handoff.targets[number] = Connection(ca_channel, 1).value


def per_update(work: Callable[[int], object], prepare: Callable[[], object] = lambda: None) -> float:
    """µs of one update; work is called with the number of the batch."""
    best = float("inf")
    for repeat in range(REPEATS):
        prepare()
        began = time.perf_counter()
        work(repeat % Batches)
        best = min(best, time.perf_counter() - began)
    return 1e6 * best / BATCH


def batch_of(things: list[Any], number: int) -> list[Any]:
    """So many of them."""
    return things[number * BATCH : (number + 1) * BATCH]


def filled(queue: Queue) -> Callable[[], None]:
    """What calls back a batch of events, as libca would."""
    function = ctypes.CFUNCTYPE(None, EventArgs)(queue.callback)
    raw = ctypes.create_string_buffer(events()[0])
    arguments = [EventArgs(queue.usr(1), 0, DOUBLE, 1, ctypes.addressof(raw), 1)] * BATCH

    def fill() -> None:
        for argument in arguments:
            function(argument)

    return fill


def taking(make: Callable[..., Queue]) -> float:
    """Out of the queue, as objects."""
    reading, writing = os.pipe()
    queue = make(SIZES, writing, 1 << 30)
    os.set_blocking(writing, False)
    cost = per_update(lambda _: queue.take(), filled(queue))
    os.close(reading)
    os.close(writing)
    return cost


def stages() -> dict[str, float]:
    """Stage to µs of one update."""
    parts = Parts()
    updates = [(channel.groups[0], decode_time(DOUBLE, 1, raw, False), 0)
               for channel, raw in zip(parts.channels, events(), strict=True)]  # fmt: skip
    group: Group = updates[0][0]
    frames = group.encode.batch(updates[:BATCH])

    def work(number: int) -> None:
        parts.handoff._pending.extend(batch_of(parts.items, number))
        parts.handoff._work(BATCH)

    def publish(number: int) -> None:
        for channel, (_, value, _) in zip(batch_of(parts.channels, number), batch_of(updates, number), strict=True):
            channel.publish(value)

    raws = events()
    decode = per_update(lambda number: [decode_time(DOUBLE, 1, raw, False) for raw in batch_of(raws, number)])
    published = per_update(publish, parts.fanout.flush)
    return {
        "out of the compiled queue": taking(BestQueue),
        "out of the Python queue": taking(EventQueue),
        "to the channel": max(0.0, per_update(work, parts.fanout.flush) - decode - published),
        "decoding": decode,
        "publishing to the audience": published,
        "encoding": per_update(lambda number: group.encode.batch(batch_of(updates, number))),
        "joining and framing": per_update(lambda _: BATCHED.pack(BATCHED.join(frames))),
    }


def main() -> None:
    for stage, cost in stages().items():
        print(f"{stage:30} {cost:6.2f} µs")


if __name__ == "__main__":
    main()
