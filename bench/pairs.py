"""What all scenarios share: the IOC, the two servers, and how their figures become rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bench.processes import IOC, Naive, Pycaserver, Server
from bench.report import Row
from bench.rigs import Sessions
from bench.runs import Run
from bench.search import Search

T = TypeVar("T")

SCALARS: Final = 5000
WAVEFORMS: Final = {1000: 10, 100_000: 1, 1_000_000: 1}
"""Elements to how many records; sets 1, 2, 3 of the IOC."""
LOSS: Final = 0.001
"""What the naive server may lose and count as lossless; pycaserver may lose nothing."""

PAIR: Final[tuple[type[Server], ...]] = (Naive, Pycaserver)


@dataclass(frozen=True)
class Bench:
    """What all scenarios share."""

    ioc: IOC
    quick: bool

    def seconds(self, normal: float) -> float:
        """How long to measure."""
        return normal / 3 if self.quick else normal

    @property
    def search(self) -> Search:
        """How to look for a highest rate."""
        return Search(glance=0.3, step=0.4, bisections=1, tries=1, confirm=0.6) if self.quick else Search()

    def sessions(self, make: type[Server], number: int = 0, **options: Any) -> Sessions:
        """A server and its sessions."""
        return Sessions(self.ioc, make, number, **options)

    def on_both(self, act: Callable[[Sessions], T], number: int = 0, **options: Any) -> dict[str, T]:
        """What comes of it with each server and its sessions, by the server's name."""
        results = {}
        for make in PAIR:
            with self.sessions(make, number, **options) as rig:
                results[make.name] = act(rig)
        return results


Rows = Iterator[Row]


def of(run: Run | None, figure: str) -> float | None:
    """A figure of a run, if there is one."""
    return None if run is None else getattr(run, figure)


def pair(scenario: str, case: str, unit: str, figure: str, runs: Mapping[str, Run | None], **target: Any) -> Row:
    """A row of one figure of both servers."""
    theirs, ours = (of(runs[make.name], figure) for make in PAIR)
    return Row(scenario, case, unit, "naive", theirs, ours, runs=runs, **target)
