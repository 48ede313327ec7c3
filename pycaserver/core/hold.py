"""Hold: the values of a new connection wait for its metadata, so that the first that is told has its units."""

from collections.abc import Callable
from typing import Final

from pycaserver.core.clock import Clock, Timer
from pycaserver.core.values import PVValue

METADATA_SECONDS: Final = 2.0
"""How long values wait for an IOC that does not answer the metadata request; the newest is kept."""


class Hold:
    """That of one connection, or of one right to read: until the first value is told."""

    __slots__ = ("_count", "_timer", "_value", "due")

    def __init__(self) -> None:
        self.due = True
        """Whether metadata is waited for."""
        self._timer: Timer | None = None
        self._value: PVValue | None = None
        self._count = 0

    def bound(self, clock: Clock, give_up: Callable[[], None]) -> None:
        """The PV can be read: if metadata is due it should be here soon; what is called if it is not."""
        if self.due:
            self._timer = clock.call_later(METADATA_SECONDS, give_up)

    def end(self) -> None:
        """Metadata came, or is not waited for any longer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self.due = None, False

    def add(self, value: PVValue, merged: int) -> None:
        """A value came, for which the source has dropped so many older ones."""
        self._value = value
        self._count += 1 + merged

    def take(self) -> tuple[PVValue | None, int]:
        """The newest value that has waited, if any has, and how many older ones it stands for."""
        return self._value, self._count - 1
