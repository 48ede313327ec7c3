"""Circuit: what is on its way to one IOC, bounded, so that libca never blocks its caller.

libca takes what one gives it until 360 kB (0x58000) wait for an IOC that does not read; the next request for any PV of
that IOC then blocks. On top of that the kernel holds some, 4 MB on the loopback of Linux, but none of it for certain.
So puts and reads beyond a part of that wait here, and so do the requests behind them. Bytes have arrived once the IOC
has answered a read that was sent with or after them.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from pycaserver.core.errors import PycaError

MOST_BYTES: Final = 128 * 1024
"""On their way to one IOC at once; a larger put goes alone."""
MOST_PUTS: Final = 10_000
MOST_READS: Final = 100_000
"""Of all PVs and sessions: ten thousand PVs of ten pages, and not without end."""
MOST_WAITING_BYTES: Final = 16 * 1024 * 1024
"""Of the puts, and of the reads."""


class Queued:
    """The requests of one kind that wait for an IOC. A kind of its own has each that must not crowd out another."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._number = 0
        self._bytes = 0

    def add(self, size: int) -> None:
        """One more; PycaError(put_failed) if so many wait, or so many bytes."""
        if self._number >= self._most or self._bytes + size > MOST_WAITING_BYTES:
            waits = f"{self._number} requests with {self._bytes} bytes"
            raise PycaError("put_failed", f"{waits} wait for this IOC already; nothing was sent.")
        self._number += 1
        self._bytes += size

    def remove(self, size: int) -> None:
        """Its turn has come."""
        self._number -= 1
        self._bytes -= size


class Circuit:
    """One IOC's share of libca. All on the loop."""

    def __init__(self) -> None:
        self.puts = Queued(MOST_PUTS)
        self.reads = Queued(MOST_READS)
        self._on_the_way = 0
        self._waiting: deque[tuple[int, Callable[[], None], Queued | None]] = deque()
        self._releasing = False

    def send(self, size: int, call: Callable[[], None], kind: Queued | None = None) -> None:
        """Call, now or as soon as there is room for so many bytes, in order; say arrived(size) once for it.

        PycaError(put_failed) if too much of its kind waits; what is of none is always taken.
        """
        if not self._waiting and self._has_room(size):
            self._on_the_way += size
            call()
            return
        if kind is not None:
            kind.add(size)
        self._waiting.append((size, call, kind))

    def arrived(self, size: int) -> None:
        """The IOC has taken so many bytes, or never will."""
        self._on_the_way -= size
        if self._releasing:  # said by a call below, of what is over already: the loop there goes on
            return
        self._releasing = True
        try:
            self._release()
        finally:
            self._releasing = False

    def _release(self) -> None:
        while self._waiting and self._has_room(self._waiting[0][0]):
            size, call, kind = self._waiting.popleft()
            if kind is not None:
                kind.remove(size)
            self._on_the_way += size
            call()

    def _has_room(self, size: int) -> bool:
        return self._on_the_way == 0 or self._on_the_way + size <= MOST_BYTES
