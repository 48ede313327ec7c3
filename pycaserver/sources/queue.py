"""The queue between libca's threads and the event loop, in Python: for where the compiled Ring (_ring.c) is not there.

Both are one thing: events, copied as libca calls back, and calls put between them, in the order in which they came. The
loop takes all at once; it is woken by a byte in a pipe, once until it says that it is idle.
"""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol, TypeAlias

from epics import dbr

ECA_NORMAL: Final = 1
EVENT_BYTES: Final = 640
"""What an event takes beside its own bytes, about, once it is a Python object."""

Event: TypeAlias = tuple[int, int, int, int, Any, int]
"""Key of the subscription or read, DBR type, element count, CA status, bytes or a buffer of them (none unless the
status is normal), and how many older events this one stands for."""
Call: TypeAlias = Callable[[], object]
Item: TypeAlias = Event | Call
Sizes: TypeAlias = Mapping[int, tuple[int, int]]
"""DBR type to the bytes before the elements, and those of one element."""


class Queue(Protocol):
    """What an EventQueue and a Ring can do. Made with sizes, the pipe's end, and the bytes that may wait."""

    @property
    def callback(self) -> int:
        """The address of the function that libca is to call."""

    @property
    def merged(self) -> int:
        """Events dropped for a newer one of their key because the loop was behind."""

    def usr(self, key: int, /) -> int:
        """What libca is to hand back for that key; keys count from 1."""

    def put(self, call: Call, /) -> None:
        """From any thread: put a call in its place among the events."""

    def take(self) -> list[Item]:
        """All that waits, in order."""

    def idle(self) -> bool:
        """Have the next one wake the loop; False if there is one already."""


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


_pinned = threading.local()


def pin_thread_state() -> None:
    """Keep this foreign thread's Python state for good: ctypes would make and destroy one for each callback."""
    if not hasattr(_pinned, "state"):
        _pinned.state = ctypes.pythonapi.PyGILState_Ensure()


class EventQueue:
    """The queue as a deque, filled by a ctypes callback. Nothing is merged before the loop takes it."""

    def __init__(self, sizes: Sizes, wake_fd: int, limit: int, /) -> None:
        """limit: bytes waiting above which only the newest event of each key is kept."""
        self.merged = 0
        self._sizes = sizes
        self._wake_fd = wake_fd
        self._limit = limit
        self._items: deque[Item] = deque()
        self._awake = False
        self._function = dbr.make_callback(self._on_event, EventArgs)
        self.callback = ctypes.cast(self._function, ctypes.c_void_p).value or 0

    def usr(self, key: int, /) -> int:
        """The key itself; ctypes could not tell 0 from nothing."""
        return key

    def put(self, call: Call, /) -> None:
        """From any thread."""
        self._items.append(call)
        self._wake()

    def take(self) -> list[Item]:
        """On the loop."""
        items = [self._items.popleft() for _ in range(len(self._items))]
        if sum(EVENT_BYTES + len(item[4]) for item in items if isinstance(item, tuple)) > self._limit:
            kept = compact(items)
            self.merged += len(items) - len(kept)
            return kept
        return items

    def idle(self) -> bool:
        """On the loop."""
        self._awake = False
        if self._items:
            self._awake = True
        return not self._awake

    def _on_event(self, args: Any) -> None:
        """On libca's threads: no CA call, no lock, no decoding."""
        pin_thread_state()
        dbr_type, count = args.type, args.count
        raw = b""
        if args.status == ECA_NORMAL and dbr_type in self._sizes:
            offset, size = self._sizes[dbr_type]
            raw = ctypes.string_at(args.raw, offset + count * size)
        self._items.append((args.usr, dbr_type, count, args.status, raw, 0))
        self._wake()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            with suppress(BlockingIOError):  # a full pipe wakes too
                os.write(self._wake_fd, b"\0")


def compact(items: list[Item]) -> list[Item]:
    """Only the newest event of each key and type, with the number of those it replaces.

    Calls keep their place, and no event crosses one: a value never comes to stand on the wrong side of a connection.
    """
    kept: list[Item | None] = []
    newest: dict[tuple[int, int], int] = {}
    for item in items:
        if isinstance(item, tuple):
            place = newest.get(item[:2])
            if place is not None and isinstance(older := kept[place], tuple):
                kept[place] = None
                item = (*item[:5], item[5] + older[5] + 1)
            newest[item[:2]] = len(kept)
        else:
            newest.clear()
        kept.append(item)
    return [item for item in kept if item is not None]
