"""Connections: those that are no session (yet), bounded in all and for each address."""

from typing import Final, Protocol

from pycaserver.core.figures import Figures

PER_SESSION: Final = 2
"""Connections let in for each session that there may be: a page asks for more than its session."""
SPARE: Final = 16
"""Let in beyond those, so that a small server that is full can say so."""
RESERVE: Final = 256
"""Descriptors left for IOCs, files and logs, or a quarter of all if there are few."""


def descriptors_for(limits: "ConnectionLimits") -> int:
    """Files and sockets that a full server has open."""
    return RESERVE + SPARE + (1 + PER_SESSION) * limits.sessions


class Connection(Protocol):
    """What is accepted, asks for something, and may be closed."""

    def close(self) -> None:
        """At once."""


class ConnectionLimits(Protocol):
    """The settings from which the bounds follow."""

    sessions: int
    sessions_per_address: int


class _Crowd:
    """The connections of one address, and among them those that have asked for nothing yet, eldest first."""

    __slots__ = ("all", "waiting")

    def __init__(self) -> None:
        self.all: set[Connection] = set()
        self.waiting: dict[Connection, None] = {}


class Connections:
    """Where there are too many, the connection that has asked for nothing for longest gives way to the new one."""

    def __init__(self, limits: ConnectionLimits, figures: Figures, descriptors: int) -> None:
        """descriptors: how many files and sockets the process may have open."""
        self._figures = figures
        self._sockets = descriptors - min(RESERVE, descriptors // 4)
        self._most = SPARE + PER_SESSION * limits.sessions
        self._most_per_address = SPARE + PER_SESSION * limits.sessions_per_address
        self._crowds: dict[str, _Crowd] = {}
        self._addresses: dict[Connection, str] = {}
        self._waiting: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: Connection, address: str, *, shared: bool = False) -> bool:
        """Whether a new connection is let in; shared: the address stands for many, and is not bounded itself."""
        crowd = self._crowds.get(address)
        if crowd is not None and not shared and len(crowd.all) >= self._most_per_address:
            admitted = self._give_way(crowd.waiting)
        else:
            admitted = self._has_room() or self._give_way(self._waiting)
        if admitted:
            self._enter(connection, address)
        else:
            self._figures.connections_dropped += 1
        return admitted

    def wait(self, connection: Connection) -> None:
        """Its next request has not come."""
        if connection in self._addresses:
            self._waiting[connection] = None
            self._crowds[self._addresses[connection]].waiting[connection] = None

    def work(self, connection: Connection) -> None:
        """Its request has come: it keeps its place until the answer has gone."""
        if connection in self._addresses:
            self._waiting.pop(connection, None)
            self._crowds[self._addresses[connection]].waiting.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """It is closed or has become a session; harmless if it has left before."""
        self.work(connection)
        address = self._addresses.pop(connection, None)
        if address is not None:
            self._crowds[address].all.remove(connection)
            if not self._crowds[address].all:
                del self._crowds[address]
            self._figures.connections = len(self)

    def _has_room(self) -> bool:
        return len(self) < self._most and len(self) + self._figures.sessions < self._sockets

    def _enter(self, connection: Connection, address: str) -> None:
        self._addresses[connection] = address
        self._crowds.setdefault(address, _Crowd()).all.add(connection)
        self._figures.connections = len(self)
        self.wait(connection)

    def _give_way(self, waiting: dict[Connection, None]) -> bool:
        eldest = next(iter(waiting), None)
        if eldest is None:
            return False
        self._figures.connections_dropped += 1
        self.leave(eldest)
        eldest.close()
        return True
