"""What a server holds and how it fares, sampled over time."""

import asyncio
import csv
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from tests.servers import Server
from tests.stress.resources import metrics, resources


@dataclass(frozen=True)
class Sample:
    """At one moment; rates since the sample before."""

    seconds: float
    """Since the first."""
    memory: int
    """Resident bytes."""
    descriptors: int
    own: int
    """Of these, those that are no connection of a client."""
    threads: int
    channels: int
    sessions: int
    lag: float
    """Seconds by which the event loop was last late."""
    lag_max: float
    """The same at worst since the start of the server."""
    cpu: float
    """Cores in use."""
    updates_in: float
    """Values a second from the IOC."""
    updates_out: float
    """Values a second to sessions."""


COUNTERS = {
    "cpu": "process_cpu_seconds_total",
    "updates_in": "pycaserver_updates_in_total",
    "updates_out": "pycaserver_updates_out_total",
}


class Sampler:
    """Takes a sample every so many seconds, and writes each to a CSV file at once."""

    def __init__(self, server: Server, every: float, file: Path) -> None:
        self.samples: list[Sample] = []
        self._server = server
        self._every = every
        self._file = file

    async def run(self) -> None:
        """Until it is cancelled."""
        with self._file.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(field.name for field in fields(Sample))
            began, last = time.monotonic(), time.monotonic()
            before = await asyncio.to_thread(metrics, self._server)
            while True:
                await asyncio.sleep(self._every)
                now, figures = time.monotonic(), await asyncio.to_thread(metrics, self._server)
                rates = {key: (figures[name] - before[name]) / (now - last) for key, name in COUNTERS.items()}
                before, last = figures, now
                self.samples.append(await asyncio.to_thread(self._take, now - began, figures, rates))
                table.writerow(f"{value:.6g}" if isinstance(value, float) else value
                               for value in astuple(self.samples[-1]))  # fmt: skip
                file.flush()

    def _take(self, seconds: float, figures: dict[str, float], rates: dict[str, float]) -> Sample:
        held = resources(self._server)
        return Sample(
            seconds,
            held.memory,
            held.descriptors,
            held.own,
            held.threads,
            held.channels,
            held.sessions,
            figures["pycaserver_loop_lag"],
            figures["pycaserver_loop_lag_max"],
            rates["cpu"],
            rates["updates_in"],
            rates["updates_out"],
        )


def read(file: Path) -> Sequence[Sample]:
    """Those of a CSV file."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    kinds: dict[str, Any] = {field.name: field.type for field in fields(Sample)}
    return [Sample(**{key: kinds[key](text) for key, text in row.items()}) for row in rows]
