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

import numpy as np

RUN: Final = 10_000_000
POLL_SECONDS: Final = 0.002


class Count:
    """What came of the present run. As little as possible is done for each value, and the sums at the end."""

    def __init__(self, streams: int) -> None:
        self.streams = streams
        self.begin(-1)

    def begin(self, run: int) -> None:
        """Start a run."""
        self.base = float(run * RUN)
        self.values: list[float] = []
        self.delays: list[float] = []
        self.newest = 0.0

    def add(self, value: float, stamp: float) -> None:
        """A value; stamp in UNIX seconds."""
        self.values.append(value)
        if not len(self.values) & 63:  # enough for the percentiles
            self.newest = time.time()
            self.delays.append(self.newest - stamp)

    def result(self, final: int, ended: float) -> dict[str, float]:
        """What check.h prints; lost values are seen by the sum of those that came."""
        sequences = np.array(self.values) - self.base
        sequences = sequences[(sequences > 0) & (sequences < RUN)]
        expected = self.streams * final
        whole = sequences.sum() == self.streams * final * (final + 1) / 2
        lost = expected - len(sequences) if len(sequences) != expected or whole else 1
        delays = np.array(self.delays or [0.0])
        shares = {"p50": 50, "p90": 90, "p99": 99, "p999": 99.9, "max": 100}
        percentiles = {name: 1000 * float(np.percentile(delays, share)) for name, share in shares.items()}
        others = dict.fromkeys(("coalesced", "duplicates", "disordered", "broken"), 0)
        drain = max(0.0, self.newest - ended)
        counts = {"expected": expected, "received": len(sequences), "lost": lost, "drain": drain}
        return {**counts, **others, **percentiles}


def say(answer: dict[str, float]) -> None:
    """One line."""
    print(json.dumps(answer), flush=True)


def obey(count: Count) -> None:
    """Work off the commands, on the main thread or one of its own."""
    while len(count.values) < count.streams:
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
    while len(count.values) < count.streams * final and time.time() < ended + patience:
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
            count.add(value.data, value.seconds + 1e-9 * value.nanos)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

    sys.setswitchinterval(0.0005)
    loop = asyncio.get_running_loop()
    source = CASource(loop.add_reader, loop.call_later, Figures())
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
