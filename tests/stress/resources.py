"""What a server process holds: channels, file descriptors, threads, memory; and whether it is back to a base line."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.servers import Server

MEMORY_SLACK: Final = 12_000_000
"""Bytes by which memory may have grown: arenas of the allocator that threads have come to use."""
MEMORY_PER_STEP: Final = 1000
"""Bytes more for each thing that a session has done."""


LOGGING: Final = "errlog"
"""The thread that libca starts, once, when it first has something to log: some faults make it, some do not."""
LISTENS: Final = "0A"
"""The state of a socket that takes connections, as Linux writes it in /proc/net/tcp."""
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
    own: int = 0
    """Descriptors that are no connection of a client."""

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
    port = urlsplit(server.url).port
    assert port is not None
    clients = _clients(process, port)
    descriptors = list(_descriptors(process))  # before there is one for the request
    clients |= _clients(process, port)
    figures = metrics(server)
    status = (process / "status").read_text()
    names = sorted(_names(process))
    return Resources(
        channels=int(figures["pycaserver_channels"]),
        sessions=int(figures["pycaserver_sessions"]),
        descriptors=len(descriptors),
        threads=sum(name != LOGGING for name in names),
        memory=int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024,
        names=tuple(names),
        own=sum(held not in clients for held in descriptors),
    )


def _names(process: Path) -> Iterator[str]:
    """Those of its threads; one may end meanwhile."""
    for task in (process / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            yield (task / "comm").read_text().strip()


def _descriptors(process: Path) -> Iterator[str]:
    """What they stand for; one may be closed meanwhile."""
    for descriptor in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(descriptor.readlink())


def _clients(process: Path, port: int) -> set[str]:
    """The sockets at the server's port but for the one that takes connections, named as those of descriptors."""
    rows = [line.split() for line in (process / "net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if int(row[1].partition(":")[2], 16) == port and row[3] != LISTENS}
