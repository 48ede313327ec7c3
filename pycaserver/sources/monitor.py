"""The raw monitor callback, and the hand-off from libca's threads to the event loop.

THREADS: libca calls on threads of its own. There, bytes are copied and appended to one deque, and the loop is woken
at most once until it has looked: no CA call, no lock, no decoding. All else happens on the loop.
"""

import ctypes
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from epics import dbr

from pycaserver.sources.dbr import CONTROL_SIZES, TIME_SIZES

log = logging.getLogger(__name__)

Event: TypeAlias = tuple[int, int, int, int, bytes, int]
"""Key of the subscription or read, DBR type, element count, CA status, bytes (none unless the status is normal), and
how many older events this one stands for."""
Target: TypeAlias = Callable[[int, int, int, bytes, int], None]
"""Called on the loop with an event's type, count, status, bytes, and how many older ones were dropped for it."""

ECA_NORMAL: Final = 1
DRAIN_SECONDS: Final = 0.005
"""How long the loop works on events before it lets others have their turn."""
BUSY_EVENTS: Final = 32
"""Events at once from which on much is coming."""
PAUSE_SECONDS: Final = 0.0007
"""How long the loop then leaves the interpreter to libca's threads."""
COMPACT_EVENTS: Final = 100_000
"""Events waiting for the loop above which only the newest of each subscription is kept."""
COMPACT_BYTES: Final = 64 * 1024 * 1024
"""The same for their bytes."""

_pinned = threading.local()


def pin_thread_state() -> None:
    """Keep this foreign thread's Python state for good: ctypes would make and destroy one for each callback."""
    if not hasattr(_pinned, "state"):
        _pinned.state = ctypes.pythonapi.PyGILState_Ensure()


class EventArgs(ctypes.Structure):
    """struct event_handler_args of cadef.h, with usr as a plain number."""

    _fields_ = (
        ("usr", ctypes.c_void_p),
        ("chid", dbr.chid_t),
        ("type", ctypes.c_long),
        ("count", ctypes.c_long),
        ("raw", ctypes.c_void_p),
        ("status", ctypes.c_int),
    )


class Handoff:
    """Events and calls on their way to the loop, in order."""

    def __init__(
        self,
        wake: Callable[[Callable[[], None]], object],
        later: Callable[[float, Callable[[], None]], object],
        failed: Callable[[], None],
    ) -> None:
        """wake: call on the loop, from any thread; later: from the loop, after seconds; failed: counts a fault."""
        self.targets: dict[int, Target] = {}
        """Who is told of an event, by its key; keys count from 1, as ctypes cannot tell 0 from nothing."""
        self.merged = 0
        """Events dropped for a newer one of their subscription because the loop was behind."""
        self._wake = wake
        self._later = later
        self._failed = failed
        self._queue: deque[Event | Callable[[], None]] = deque()
        self._woken = False
        self._bytes_in = 0  # written by libca's threads, which take turns
        self._bytes_out = 0  # written by the loop
        self.callback: Any = dbr.make_callback(self._on_event, EventArgs)

    def post(self, call: Callable[[], None]) -> None:
        """From any thread: have it called on the loop, after all that was posted before."""
        self._queue.append(call)
        self._wake_once()

    def drain(self) -> None:
        """On the loop: work off what waits, for a bounded time.

        While much comes, the loop looks every PAUSE_SECONDS and is not woken: libca's threads and the loop take the
        interpreter in turns, and do not fight for it event by event.
        """
        queue = self._queue
        if len(queue) > COMPACT_EVENTS or self._bytes_in - self._bytes_out > COMPACT_BYTES:
            self._compact()
        if self._work_off() >= BUSY_EVENTS or queue:
            self._later(PAUSE_SECONDS, self.drain)
        else:
            self._woken = False
            if queue:  # it came after we looked and before we said so
                self._wake_once()

    def _work_off(self) -> int:
        """Work for a bounded time; the number of events and calls that were worked off."""
        queue, done = self._queue, 0
        deadline = time.monotonic() + DRAIN_SECONDS
        while queue:
            some = min(len(queue), 16)
            done += some
            try:
                self._work(some)
            except Exception:
                log.exception("an event of Channel Access could not be handled")
                self._failed()
            if time.monotonic() > deadline:
                break
        return done

    def _on_event(self, args: Any) -> None:
        pin_thread_state()
        dbr_type, count = args.type, args.count
        raw = b""
        if args.status == ECA_NORMAL:
            if dbr_type in TIME_SIZES:
                offset, size = TIME_SIZES[dbr_type]
                raw = ctypes.string_at(args.raw, offset + count * size)
            elif dbr_type in CONTROL_SIZES:
                raw = ctypes.string_at(args.raw, CONTROL_SIZES[dbr_type])
        self._bytes_in += len(raw)
        self._queue.append((args.usr, dbr_type, count, args.status, raw, 0))
        self._wake_once()

    def _wake_once(self) -> None:
        if not self._woken:
            self._woken = True
            try:
                self._wake(self.drain)
            except RuntimeError:  # the loop is closed: the process is about to end
                log.debug("an event came after the event loop's end")

    def _work(self, some: int) -> None:
        queue, targets = self._queue, self.targets
        for _ in range(some):
            item = queue.popleft()
            if isinstance(item, tuple):
                key, dbr_type, count, status, raw, merged = item
                self._bytes_out += len(raw)
                target = targets.get(key)
                if target is not None:
                    target(dbr_type, count, status, raw, merged)
            else:
                item()

    def _compact(self) -> None:
        before = [self._queue.popleft() for _ in range(len(self._queue))]
        kept, dropped_bytes = compact(before)
        self.merged += len(before) - len(kept)
        self._bytes_out += dropped_bytes
        self._queue.extendleft(reversed(kept))


def compact(items: "list[Event | Callable[[], None]]") -> "tuple[list[Event | Callable[[], None]], int]":
    """Only the newest event of each key, with the number of those it replaces; and the bytes that this frees.

    Calls keep their place, and no event crosses one: a value never comes to stand on the wrong side of a connection.
    """
    kept: list[Event | Callable[[], None] | None] = []
    newest: dict[int, int] = {}
    freed = 0
    for item in items:
        if isinstance(item, tuple):
            place = newest.get(item[0])
            if place is not None and isinstance(older := kept[place], tuple):
                kept[place] = None
                freed += len(older[4])
                item = (*item[:5], older[5] + 1)
            newest[item[0]] = len(kept)
        else:
            newest.clear()
        kept.append(item)
    return [item for item in kept if item is not None], freed
