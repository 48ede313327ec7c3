"""PacedWriter: gives a stream a little at a time, so that what a slow peer has not taken stays countable."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from pycaserver.core.clock import Clock
from pycaserver.core.outbox import Frame, LongFrame

CHUNK: Final = 128 * 1024
"""Bytes given to the stream at once; the next follow when it has taken them."""


class _Part(NamedTuple):
    data: bytes | memoryview
    whole: bool
    """Whether a frame ends with it."""
    done: asyncio.Future[None] | None = None
    """Whom to tell that it is sent."""


class PacedWriter:
    """A queue of pieces, each of whole frames, in front of a stream. Progress is when the system takes something."""

    __slots__ = (
        "_clock",
        "_dead",
        "_in_flight",
        "_last_progress",
        "_queue",
        "_send",
        "_taken",
        "_within_frame",
        "on_room",
        "unsent",
    )

    def __init__(
        self, send: Callable[[bytes | memoryview], asyncio.Future[None]], clock: Clock, on_room: Callable[[], None]
    ) -> None:
        """send: hand bytes to the stream; its future is done when the system has them. It may raise when closed."""
        self.unsent = 0
        self._send = send
        self._clock = clock
        self.on_room: Callable[[], None] | None = on_room
        self._queue: deque[_Part] = deque()
        self._within_frame = False
        self._in_flight = 0
        self._dead = False
        self._last_progress = clock.monotonic()
        self._taken = 0

    def stalled_for(self, now: float, taken: int = 0) -> float:
        """Seconds for which bytes have been waiting without any being taken.

        taken: bytes that the system has ever taken of the stream, if that is known: a chunk may take long.
        """
        if taken != self._taken:
            self._taken, self._last_progress = taken, now
        return now - self._last_progress if self.unsent else 0.0

    def write(self, pieces: list[Frame]) -> None:
        """Send after all that waits."""
        if self._dead:
            return
        if not self.unsent:
            self._last_progress = self._clock.monotonic()
        for piece in pieces:
            self.unsent += len(piece)
            if isinstance(piece, LongFrame):
                *begun, last = piece.parts
                self._queue += (*(_Part(part, False) for part in begun), _Part(last, True))
            else:
                self._queue.append(_Part(piece, True))
        self._pump()

    def write_urgently(self, frame: bytes) -> asyncio.Future[None]:
        """Send a control frame before all that waits, but not into the middle of a frame; done when it is sent."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._dead:
            done.cancel()
            return done
        self.unsent += len(frame)
        self._queue.insert(self._begun(), _Part(frame, True, done))
        self._pump()
        return done

    def drop(self) -> None:
        """Forget all that waits, but for the rest of a frame that has begun."""
        begun = self._begun()
        while len(self._queue) > begun:
            part = self._queue.pop()
            self.unsent -= len(part.data)
            if part.done is not None:
                part.done.cancel()

    def end(self) -> None:
        """The stream is closed: nothing is sent any more."""
        self._within_frame = False
        self.drop()
        self._dead, self.unsent, self._send = True, 0, _nowhere

    def _pump(self) -> None:
        while self._queue and not self._in_flight:
            chunk, waiting = self._next_chunk()
            try:
                future = self._send(chunk)
            except Exception:  # the stream is closed; its close callback ends the session
                self.end()
                return
            if future.done():
                self._took(len(chunk), waiting)
            else:
                self._in_flight = len(chunk)
                future.add_done_callback(lambda f, waiting=waiting: self._sent(f, waiting))  # type: ignore[misc]

    def _begun(self) -> int:
        """How many parts there are of a frame whose beginning has been sent."""
        if not self._within_frame:
            return 0
        return 1 + next(place for place, part in enumerate(self._queue) if part.whole)

    def _next_chunk(self) -> tuple[bytes | memoryview, list[asyncio.Future[None]]]:
        """At most CHUNK bytes: many small parts joined, or a piece of a large one."""
        first = self._queue.popleft()
        if len(first.data) > CHUNK:
            view = memoryview(first.data)
            self._queue.appendleft(first._replace(data=view[CHUNK:]))
            self._within_frame = True
            return view[:CHUNK], []
        parts, size = [first], len(first.data)
        while self._queue and size + len(self._queue[0].data) <= CHUNK:
            parts.append(self._queue.popleft())
            size += len(parts[-1].data)
        self._within_frame = not parts[-1].whole
        waiting = [part.done for part in parts if part.done is not None]
        return (first.data if len(parts) == 1 else b"".join(part.data for part in parts)), waiting

    def _sent(self, future: asyncio.Future[None], waiting: list[asyncio.Future[None]]) -> None:
        size, self._in_flight = self._in_flight, 0
        if future.cancelled() or future.exception() is not None:
            self.end()
        if not self._dead:
            self._took(size, waiting)
            self._pump()
            if self.on_room is not None:
                self.on_room()

    def _took(self, size: int, waiting: list[asyncio.Future[None]]) -> None:
        self.unsent -= size
        self._last_progress = self._clock.monotonic()
        for done in waiting:
            if not done.done():
                done.set_result(None)


def _nowhere(data: bytes | memoryview) -> asyncio.Future[None]:
    raise EOFError("the stream is closed")
