"""What a run is about: the IOC that counts, is killed, stopped and hung, and the server in front of it."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.ca_search import free_port
from tests.databases import fill
from tests.iocs import CIOC
from tests.servers import WRITABLE, Server
from tests.stress.model import INCARNATION
from tests.stress.plan import WAVES, Fault
from tests.stress.report import Violation

WAVE_ELEMENTS: Final = 5000
OWN: Final = 40
"""Records for sessions that write."""
SETTINGS: Final = {
    "limits-linger-seconds": 0.3,
    "limits-search-seconds": 1,
    "limits-slow-after-seconds": 4,
    "history-samples": 100,
    "log-level": "warning",
    **WRITABLE,
}
"""Short times, so that what they bound happens in a short run."""
LOG_LINES: Final = 30
CONN_TMO: Final = "5"


def database(counters: int) -> str:
    """The records; those that count begin at the macro START and stand still while $(P)run is 0."""
    counting = 'field(SCAN, ".1 second") field(INPA, "$(P)run") field(CALC, "VAL+A")'
    number = 'field(VAL, "$(START)") field(UDF, "0") field(EGU, "n")'
    wave = f'field(FTVL, "DOUBLE") field(NELM, "{WAVE_ELEMENTS}") field(SCAN, "1 second") field(MPST, "Always")'
    return "\n".join(
        [
            'record(longout, "$(P)run") { field(VAL, "1") field(UDF, "0") }',
            *(f'record(calc, "$(P)n{index}") {{ {number} {counting} }}' for index in range(counters)),
            *(f'record(waveform, "$(P)wave{index}") {{ {wave} }}' for index in range(WAVES)),
            *(f'record(ao, "$(P)own{index}") {{ {number} }}' for index in range(OWN)),
        ]
    )


class _IOC(CIOC):
    """With a repeater port of its own: that of the host goes with the server of somebody else."""

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self._repeater = free_port()

    def env(self) -> dict[str, str]:
        return super().env() | {"EPICS_CA_REPEATER_PORT": str(self._repeater)}


class CountingIOC:
    """A C IOC whose records count; each start counts from another INCARNATION."""

    def __init__(self, counters: int) -> None:
        self.incarnation = 1
        self._ioc = _IOC(database(counters), macros=self._macros)
        self.prefix = self._ioc.prefix
        self.env = self._ioc.env() | {"EPICS_CA_CONN_TMO": CONN_TMO}

    @property
    def _macros(self) -> dict[str, str]:
        return {"START": str(self.incarnation * INCARNATION)}

    def start(self) -> None:
        """Start; returns when it answers. It has all its arrays filled."""
        self._ioc.start()
        for index in range(WAVES):
            self._ioc.shell(fill(f"{self.prefix}wave{index}", range(WAVE_ELEMENTS)))

    def end(self) -> None:
        """End it for good."""
        self._ioc.stop()

    async def suffer(self, fault: Fault) -> None:
        """One of FAULTS."""
        if fault.do in ("hang", "long_hang"):
            await asyncio.to_thread(self._ioc.pause)
            await asyncio.sleep(fault.seconds)
            self._ioc.resume()
        else:
            await asyncio.to_thread(self._ioc.kill if fault.do == "kill" else self._ioc.stop)
            await asyncio.sleep(fault.seconds)
            self.incarnation += 1
            self._ioc._configure(macros=self._macros)
            await asyncio.to_thread(self.start)

    async def stand_still(self) -> None:
        """No counter counts any more."""
        await asyncio.to_thread(self._ioc.shell, f"dbpf {self.prefix}run 0")

    async def go_on(self) -> None:
        """All count again."""
        await asyncio.to_thread(self._ioc.shell, f"dbpf {self.prefix}run 1")

    async def value(self, pv: str) -> float:
        """What the IOC itself says; pv with prefix, as everywhere here."""
        said = await asyncio.to_thread(self._ioc.shell, f"dbgf {pv}")
        found = re.search(r"DBF_DOUBLE:\s+(\S+)", said)
        assert found, said
        return float(found[1])

    async def replaced(self, pv: str) -> int:
        """How many values of the PV the IOC has replaced by newer ones before it sent them to a present subscriber."""
        said = await asyncio.to_thread(self._ioc.shell, f"dbel {pv} 4")
        return sum(map(int, re.findall(r"discarded by replacement=(\d+)", said)))


@contextmanager
def world(counters: int) -> Iterator[tuple[CountingIOC, Server]]:
    """Both, running."""
    ioc = CountingIOC(counters)
    ioc.start()
    try:
        with Server(ioc.env, SETTINGS) as server:
            try:
                yield ioc, server
            except Violation as violation:
                violation.log = server.output.splitlines()[-LOG_LINES:]
                raise
    finally:
        ioc.end()
