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
MOST_WAITING: Final = 10_000
MOST_WAITING_BYTES: Final = 16 * 1024 * 1024


class Circuit:
    """One IOC's share of libca. All on the loop."""

    def __init__(self) -> None:
        self._on_the_way = 0
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._waiting_bytes = 0
        self._releasing = False

    def send(self, size: int, call: Callable[[], None], most: int = MOST_WAITING) -> None:
        """Call, now or as soon as there is room for so many bytes, in order; say arrived(size) once for it.

        PycaError(put_failed) if `most` wait, or too many bytes; what has no size is always taken.
        """
        if not self._waiting and self._has_room(size):
            self._on_the_way += size
            call()
            return
        if size and (len(self._waiting) >= most or self._waiting_bytes + size > MOST_WAITING_BYTES):
            raise PycaError("put_failed", f"{self._waiting_bytes} bytes wait for this IOC already; nothing was sent.")
        self._waiting.append((size, call))
        self._waiting_bytes += size

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
            size, call = self._waiting.popleft()
            self._waiting_bytes -= size
            self._on_the_way += size
            call()

    def _has_room(self, size: int) -> bool:
        return self._on_the_way == 0 or self._on_the_way + size <= MOST_BYTES
