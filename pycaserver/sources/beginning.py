"""Beginning: whether a monitor has missed a value as it began.

A C IOC queues the first value of a monitor, and only then has changes posted to it (event_add_action of EPICS Base's
camessage.c calls db_post_single_event before db_event_enable). What the PV becomes in between is lost, and a PV that
then rests would be told wrongly until it changes again. So each is read once, right behind its monitor on the same
circuit, where the IOC takes both up in this order: if it then has another value than the monitor began with, and the
monitor tells nothing more, it gets another one.
"""

from typing import Any, Final, Protocol

from pycaserver.sources.dbr import TIME, head_of
from pycaserver.sources.monitor import ECA_NORMAL, Handoff

WAIT_SECONDS: Final = 1.0
"""In which what was posted comes: the answer to a read may overtake it."""


class Monitored(Protocol):
    """A connection whose values are monitored."""

    @property
    def is_present(self) -> bool:
        """Whether the PV is still connected by it."""

    def value(self, dbr_type: int, count: int, status: int, raw: Any, merged: int) -> None:
        """A DBR_TIME event of the monitor."""

    def monitor_anew(self) -> None:
        """The monitor has missed a value: have another."""


class Beginning:
    """That of one monitor, whose events go this way until it is settled. All on the loop."""

    __slots__ = ("_connection", "_first", "_goes_on", "_handoff", "_over", "_read", "key")

    def __init__(self, handoff: Handoff, connection: Monitored) -> None:
        self._connection = connection
        self._handoff = handoff
        self._first: bytes | None = None
        """What the monitor began with."""
        self._read: bytes | None = None
        self._goes_on = False
        """Whether there is more to be had from the monitor, or nothing from the read."""
        self._over = False
        self.key = handoff.new_key(self._came)
        """For the events of the monitor and the answer to the read, DBR_STS, by which they are told apart."""

    def _came(self, dbr_type: int, count: int, status: int, raw: Any, merged: int) -> None:
        normal = status == ECA_NORMAL
        if dbr_type < TIME:
            self._read = head_of(dbr_type, raw) if normal else b""
            self._goes_on |= not normal
        else:
            self._connection.value(dbr_type, count, status, raw, merged)
            self._goes_on |= self._first is not None or merged > 0
            self._first = head_of(dbr_type, raw) if normal else None
        if not self._over and self._read is not None:
            self._look()

    def _look(self) -> None:
        if self._goes_on:
            self._end()
        elif self._first is not None:
            assert self._read is not None
            both = min(len(self._first), len(self._read))  # an IOC answers for an empty array as if it had an element
            if self._first[:both] == self._read[:both]:
                self._end()
            else:
                self._handoff.later(WAIT_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if not self._over and self._connection.is_present:
            self._end()
            self._connection.monitor_anew()

    def _end(self) -> None:
        """Events go to the connection at once from now on."""
        self._over = True
        if self._connection.is_present:  # else the key is taken back, or is about to be
            self._handoff.targets[self.key] = self._connection.value
