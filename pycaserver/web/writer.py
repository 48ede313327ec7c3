"""PacedWriter: gives a stream a little at a time, so that what a slow peer has not taken stays countable."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from pycaserver.core.clock import Clock

CHUNK: Final = 128 * 1024
"""Bytes given to the stream at once; the next follow when it has taken them."""

Piece = tuple[bytes | memoryview, asyncio.Future[None] | None]


class PacedWriter:
    """A queue of pieces, each of whole frames, in front of a stream. Progress is when the system takes a chunk."""

    def __init__(
        self, send: Callable[[bytes | memoryview], asyncio.Future[None]], clock: Clock, on_room: Callable[[], None]
    ) -> None:
        """send: hand bytes to the stream; its future is done when the system has them. It may raise when closed."""
        self.unsent = 0
        self._send = send
        self._clock = clock
        self._on_room = on_room
        self._queue: deque[Piece] = deque()
        self._within_piece = False
        self._in_flight = 0
        self._dead = False
        self._last_progress = clock.monotonic()

    def stalled_for(self, now: float) -> float:
        """Seconds for which bytes have been waiting without any being taken."""
        return now - self._last_progress if self.unsent else 0.0

    def write(self, pieces: list[bytes]) -> None:
        """Send after all that waits."""
        if self._dead:
            return
        if not self.unsent:
            self._last_progress = self._clock.monotonic()
        for piece in pieces:
            self.unsent += len(piece)
            self._queue.append((piece, None))
        self._pump()

    def write_urgently(self, frame: bytes) -> asyncio.Future[None]:
        """Send a control frame before all that waits, but not into the middle of a frame; done when it is sent."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._dead:
            done.cancel()
            return done
        self.unsent += len(frame)
        self._queue.insert(1 if self._within_piece else 0, (frame, done))
        self._pump()
        return done

    def drop(self) -> None:
        """Forget all that waits, but for the rest of a frame that has begun."""
        kept = deque([self._queue[0]] if self._within_piece else [])
        for data, done in list(self._queue)[len(kept) :]:
            self.unsent -= len(data)
            if done is not None:
                done.cancel()
        self._queue = kept

    def end(self) -> None:
        """The stream is closed: nothing is sent any more."""
        self._within_piece = False
        self.drop()
        self._dead, self.unsent = True, 0

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

    def _next_chunk(self) -> tuple[bytes | memoryview, list[asyncio.Future[None]]]:
        """At most CHUNK bytes: many small pieces joined, or a part of a large one."""
        data, done = self._queue.popleft()
        if len(data) > CHUNK:
            view = memoryview(data)
            self._queue.appendleft((view[CHUNK:], done))
            self._within_piece = True
            return view[:CHUNK], []
        self._within_piece = False
        parts, size, waiting = [data], len(data), [done] if done else []
        while self._queue and size + len(self._queue[0][0]) <= CHUNK:
            data, done = self._queue.popleft()
            parts.append(data)
            size += len(data)
            waiting += [done] if done else []
        return (parts[0] if len(parts) == 1 else b"".join(parts)), waiting

    def _sent(self, future: asyncio.Future[None], waiting: list[asyncio.Future[None]]) -> None:
        size, self._in_flight = self._in_flight, 0
        if future.cancelled() or future.exception() is not None:
            self.end()
        if not self._dead:
            self._took(size, waiting)
            self._pump()
            self._on_room()

    def _took(self, size: int, waiting: list[asyncio.Future[None]]) -> None:
        self.unsent -= size
        self._last_progress = self._clock.monotonic()
        for done in waiting:
            if not done.done():
                done.set_result(None)
