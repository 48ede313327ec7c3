"""The hand-off of events from libca's threads to the event loop, which works them off in bounded pieces.

THREADS: libca calls on threads of its own. There a queue takes the bytes; all that is here happens on the loop, but
for post and new_key.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from ctypes import c_void_p
from itertools import count
from typing import Any, Final, TypeAlias

from pycaserver.sources.dbr import SIZES
from pycaserver.sources.queue import ECA_NORMAL, Call, EventQueue, Item, Queue, Sizes

try:
    from pycaserver.sources._ring import Ring as BestQueue
except ImportError:  # there was no C compiler
    BestQueue = EventQueue  # type: ignore[misc,assignment]

__all__ = ["ECA_NORMAL", "BestQueue", "Handoff", "Target"]

log = logging.getLogger(__name__)

Target: TypeAlias = Callable[[int, int, int, Any, int], None]
"""Called with an event's type, count, status, bytes, and how many older ones were dropped for it."""

DRAIN_SECONDS: Final = 0.005
"""How long the loop works on events before it lets others have their turn."""
BUSY_EVENTS: Final = 100
"""Events at once from which on much is coming."""
PAUSE_SECONDS: Final = 0.0007
"""How long the loop then waits before it looks again: larger batches, fewer sends."""
QUEUE_BYTES: Final = 64 * 1024 * 1024
"""Bytes waiting for the loop above which only the newest event of each subscription is kept."""


class Handoff:
    """Events and calls on their way to the loop, in order."""

    def __init__(
        self,
        watch: Callable[[int, Callable[[], None]], object],
        later: Callable[[float, Callable[[], None]], object],
        failed: Callable[[], None],
        make_queue: Callable[[Sizes, int, int], Queue] = BestQueue,
    ) -> None:
        """watch: call whenever a file descriptor can be read; later: after seconds; failed: counts a fault."""
        self.targets: dict[int, Target] = {}
        """Who is told of an event, by its key; keys count from 1."""
        self.later = later
        """Call after seconds."""
        self._keys = count(1)
        self._failed = failed
        self._pending: deque[Item] = deque()
        self._read_fd, self._write_fd = os.pipe()
        for end in (self._read_fd, self._write_fd):
            os.set_blocking(end, False)
        self.queue = make_queue(SIZES, self._write_fd, QUEUE_BYTES)
        watch(self._read_fd, self._woken)

    def new_key(self, target: Target, *, once: bool = False) -> int:
        """A key for what has events, or only one, all of which go to the target. From any thread."""
        key, targets = next(self._keys), self.targets

        def only(*event: Any) -> None:
            targets.pop(key, None)
            target(*event)

        targets[key] = only if once else target
        return key

    def callback_and_usr(self, key: int) -> tuple[c_void_p, c_void_p]:
        """What libca is to call, and to hand back, for the events of that key."""
        return c_void_p(self.queue.callback), c_void_p(self.queue.usr(key))

    def post(self, call: Call) -> None:
        """From any thread: have it called on the loop, after all that was posted before."""
        self.queue.put(call)

    def _woken(self) -> None:
        os.read(self._read_fd, 64)
        self._drain()

    def _drain(self) -> None:
        """Work off what waits, for a bounded time.

        While much comes, the loop looks every PAUSE_SECONDS and is not woken: the threads and the loop take turns, and
        do not fight event by event. It does not pause with work left.
        """
        if not self._pending:
            self._pending.extend(self.queue.take())
        done = self._work_off()
        if self._pending:
            self.later(0.0, self._drain)
        elif done >= BUSY_EVENTS:
            self.later(PAUSE_SECONDS, self._drain)
        elif not self.queue.idle():
            self.later(0.0, self._drain)

    def _work_off(self) -> int:
        """Work for a bounded time; the number of events and calls that were worked off."""
        pending, done = self._pending, 0
        deadline = time.monotonic() + DRAIN_SECONDS
        while pending:
            some = min(len(pending), 16)
            done += some
            try:
                self._work(some)
            except Exception:
                log.exception("an event of Channel Access could not be handled")
                self._failed()
            if time.monotonic() > deadline:
                break
        return done

    def _work(self, some: int) -> None:
        pending, targets = self._pending, self.targets
        for _ in range(some):
            item = pending.popleft()
            if isinstance(item, tuple):
                key, dbr_type, count, status, raw, merged = item
                target = targets.get(key)
                if target is not None:
                    target(dbr_type, count, status, raw, merged)
            else:
                item()
