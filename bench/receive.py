"""Receives monitors in Python, with no session to serve: python -m bench.receive epics|pycaserver STEM COUNT.

Commands and answers are those of check.h; here only the sum of the sequence numbers is checked, which costs least.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

RUN: Final = 10_000_000
POLL_SECONDS: Final = 0.002


class Count:
    """What came of the present run."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.begin(-1)
        self.introduced = 0

    def begin(self, run: int) -> None:
        """Start a run."""
        self.base = float(run * RUN)
        self.received = 0
        self.sum = 0.0
        self.delays: list[float] = []
        self.newest = 0.0

    def add(self, value: float, stamp: float) -> None:
        """A value; stamp in UNIX seconds."""
        sequence = value - self.base
        if not 0 < sequence < RUN:
            self.introduced += 1
            return
        self.received += 1
        self.sum += sequence
        if not self.received & 63:  # enough for the percentiles
            self.newest = time.time()
            self.delays.append(self.newest - stamp)

    def result(self, final: int, ended: float) -> dict[str, float]:
        """What check.h prints; lost values are seen by the sum of those that came."""
        expected = self.streams * final
        whole = self.sum == self.streams * final * (final + 1) / 2
        lost = expected - self.received if self.received != expected or whole else 1
        delays = sorted(self.delays) or [0.0]
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
        percentiles = {name: 1000 * delays[round(share * (len(delays) - 1))] for name, share in shares.items()}
        others = dict.fromkeys(("coalesced", "duplicates", "disordered", "broken"), 0)
        drain = max(0.0, self.newest - ended)
        return {"expected": expected, "received": self.received, "lost": lost, "drain": drain, **others, **percentiles}


def say(answer: dict[str, float]) -> None:
    """One line."""
    print(json.dumps(answer), flush=True)


def obey(count: Count) -> None:
    """Work off the commands, on the main thread or one of its own."""
    while count.introduced < count.streams:
        time.sleep(POLL_SECONDS)
    say({})
    for line in sys.stdin:
        command, number, *patience = line.split()
        if command == "begin":
            count.begin(int(number))
            say({})
        else:
            _end(count, int(number), float(patience[0]))


def _end(count: Count, final: int, patience: float) -> None:
    ended = time.time()
    while count.received < count.streams * final and time.time() < ended + patience:
        time.sleep(POLL_SECONDS)
    say(count.result(final, ended))


def receive_epics(names: list[str], count: Count) -> None:
    """With epics.PV, as one does."""
    import epics

    def on_value(value: float, timestamp: float, **_: Any) -> None:
        count.add(value, timestamp)

    kept = [epics.PV(name, callback=on_value, form="time", auto_monitor=True) for name in names]
    obey(count)
    del kept


def receive_pycaserver(names: list[str], count: Count) -> None:
    """With pycaserver's own source, up to where channels take over."""
    asyncio.run(_receive_pycaserver(names, count))


async def _receive_pycaserver(names: list[str], count: Count) -> None:
    from pycaserver.core.figures import Figures
    from pycaserver.core.values import PVValue
    from pycaserver.sources.ca import CASource

    class Channel:
        """What a source sees of a channel."""

        def publish(self, value: PVValue, merged: int = 0) -> None:
            assert isinstance(value.data, float)
            count.add(value.data, value.seconds + 1e-9 * value.nanos)

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

    sys.setswitchinterval(0.0005)
    loop = asyncio.get_running_loop()
    source = CASource(loop.call_soon_threadsafe, loop.call_later, Figures())
    source.start()
    kept: Any = [source.open(name, Channel()) for name in names]  # type: ignore[arg-type]
    for channel in kept:
        channel.monitor()
    await asyncio.to_thread(obey, count)
    source.stop()


RECEIVERS: Final = {"epics": receive_epics, "pycaserver": receive_pycaserver}


def main() -> None:
    kind, stem, streams = sys.argv[1:]
    RECEIVERS[kind]([f"{stem}{index}" for index in range(int(streams))], Count(int(streams)))
    sys.stdout.flush()
    os._exit(0)  # libca may hang when the interpreter takes its channels down


if __name__ == "__main__":
    main()
