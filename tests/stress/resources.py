"""What a server process holds: channels, file descriptors, threads, memory; and whether it is back to a base line."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tests.servers import Server

MEMORY_SLACK: Final = 12_000_000
"""Bytes by which memory may have grown: arenas of the allocator that threads have come to use."""
MEMORY_PER_STEP: Final = 1000
"""Bytes more for each thing that a session has done."""


LOGGING: Final = "errlog"
"""The thread that libca starts, once, when it first has something to log: some faults make it, some do not."""
COMPARED: Final = ("channels", "sessions", "descriptors", "threads", "memory")


@dataclass(frozen=True)
class Resources:
    """At one moment."""

    channels: int
    sessions: int
    descriptors: int
    threads: int
    memory: int
    """Resident bytes."""
    names: tuple[str, ...] = ()
    """Those of the threads."""

    def excess(self, base: "Resources", steps: int = 0) -> dict[str, int]:
        """What there is more than in the base line, by name; empty when it is back. steps: what was done since."""
        allowed = {"memory": MEMORY_SLACK + steps * MEMORY_PER_STEP}
        grown = {name: getattr(self, name) - getattr(base, name) for name in COMPARED}
        return {name: more for name, more in grown.items() if more > allowed.get(name, 0)}


def metrics(server: Server) -> dict[str, float]:
    """Those of /metrics; what comes by label is added up."""
    with urlopen(server.url + "metrics") as answer:
        lines = answer.read().decode().splitlines()
    found: dict[str, float] = {}
    for line in lines:
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            key = name.partition("{")[0]
            found[key] = found.get(key, 0.0) + float(value)
    return found


def resources(server: Server) -> Resources:
    """What the server holds now."""
    process = Path(f"/proc/{server.process.pid}")
    descriptors = len(list((process / "fd").iterdir()))  # before there is one for the request
    figures = metrics(server)
    status = (process / "status").read_text()
    names = sorted(_names(process))
    return Resources(
        channels=int(figures["pycaserver_channels"]),
        sessions=int(figures["pycaserver_sessions"]),
        descriptors=descriptors,
        threads=sum(name != LOGGING for name in names),
        memory=int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024,
        names=tuple(names),
    )


def _names(process: Path) -> Iterator[str]:
    """Those of its threads; one may end meanwhile."""
    for task in (process / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            yield (task / "comm").read_text().strip()
