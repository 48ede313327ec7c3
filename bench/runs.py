"""One measured run: the IOC posts at a rate, a receiver tells what arrived, and every process what it cost."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.processes import IOC, Json, Process

LATENCY_LIMIT: Final = 1000.0
"""ms; of p99 at a sustained rate."""
PATIENCE_SECONDS: Final = 0.5
"""How long after the end of a run values may come; what comes later is lost."""


@dataclass(frozen=True)
class Run:
    """What was measured while the IOC posted at one rate. Counts are of all sessions."""

    commanded: float
    rate: float
    """Posts a second that the IOC made."""
    seconds: float
    expected: int
    received: int
    lost: int
    """Not received, those that newer ones stand for (coalesced) included."""
    coalesced: int
    duplicates: int
    disordered: int
    broken: int
    """Arrays that are not whole."""
    drain: float
    """Seconds after the end of the run until the last value came."""
    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    """Milliseconds from the IOC's time stamp to the receiver."""
    cores: Mapping[str, float]
    """Processors that "server", "receiver" and "ioc" used, 1 for one fully."""
    extra: Mapping[str, Any]

    @property
    def server_cores(self) -> float:
        """Processors that the server used."""
        return self.cores["server"]

    @property
    def cpu_per_post(self) -> float:
        """Microseconds of the server's processor time for each value that the IOC posted."""
        return 1e6 * self.cores["server"] / self.rate

    @property
    def cpu_per_message(self) -> float:
        """Microseconds of the server's processor time for each value that a session received."""
        return 1e6 * self.cores["server"] * self.seconds / max(1, self.received)

    def sustained(self, allowed_loss: float = 0.0) -> bool:
        """Whether the rate could go on for ever: all is there, soon, nothing piled up, and the IOC could follow."""
        return (
            self.lost <= allowed_loss * self.expected
            and self.disordered + self.broken == 0
            and self.p99 < LATENCY_LIMIT
            and self.drain < 0.05 + 0.1 * self.seconds
            and self.rate > 0.8 * self.commanded
        )

    def as_json(self) -> Json:
        """All of it."""
        return asdict(self)


def measure(
    ioc: IOC, receiver: Process, server: Process, number: int, count: int, rate: float, seconds: float, burst: int = 1
) -> Run:
    """Post to `count` records of a set and evaluate what arrives; server is the process whose CPU counts."""
    run = ioc.next_run()
    receiver.ask("begin", run)
    processes = {"server": server, "receiver": receiver, "ioc": ioc}
    before = {name: process.cpu() for name, process in processes.items()}
    posted = ioc.run(number, run, count, rate, seconds, burst)
    result = receiver.ask("end", posted["rounds"], PATIENCE_SECONDS)
    cores = {name: (process.cpu() - before[name]) / posted["seconds"] for name, process in processes.items()}
    known = {name: result.pop(name) for name in Run.__dataclass_fields__ if name in result}
    return Run(rate, posted["posted"] / posted["seconds"], posted["seconds"], **known, cores=cores, extra=result)
