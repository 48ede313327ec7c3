"""Outbox: what one session is still owed. Bounded; when the peer is behind, the newest value of each PV wins.

Finished frames are collected and written once per batch. Once `value_limit` bytes wait for the peer, values are no
longer kept as frames: their subscriptions are remembered, and encoded afresh when there is room. Other messages are
always kept, in order, up to `hard_limit` beside the largest of them, at which the peer is given up as too slow.
"""

from typing import Final, Protocol, TypeAlias

from pycaserver.core.clock import Clock, Timer
from pycaserver.core.errors import TOO_SLOW, CloseCode
from pycaserver.core.fanout import Fanout
from pycaserver.core.figures import Figures

LOW_WATER: Final = 64 * 1024
"""Bytes waiting below which a session that was behind is given more."""


class LongFrame:
    """A finished message in parts, so that a large array is sent from where it lies."""

    __slots__ = ("_size", "parts")

    def __init__(self, *parts: bytes | memoryview) -> None:
        """Views are of bytes."""
        self.parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        return self._size


Frame: TypeAlias = bytes | LongFrame
"""A finished message, or several that are written one after the other."""


class Framing(Protocol):
    """How messages become the bytes that a transport carries."""

    def __hash__(self) -> int:
        """What is framed alike is shared."""

    def text(self, payload: bytes) -> bytes:
        """Finish one JSON message."""

    def long(self, parts: list[bytes]) -> Frame:
        """Finish one JSON message that is in parts."""

    def binary(self, head: bytes, body: memoryview) -> Frame:
        """Finish one binary message."""

    def join(self, frames: list[Frame]) -> list[Frame]:
        """Finished messages as fewer pieces, which many sessions may share."""

    def pack(self, frames: list[Frame]) -> list[Frame]:
        """All that is due, as pieces to be written one after the other."""


class Owing(Protocol):
    """What may be owed a message that is made once there is room for it: a subscription, above all."""

    owed: int
    """How much it stands for; 0: nothing is owed."""
    not_before: float
    """Monotonic time before which it is not due."""
    timer: Timer | None
    """The outbox's own: it is waited for until then."""

    def __hash__(self) -> int:
        """By identity."""
        return id(self)

    def ready(self) -> bool:
        """Whether take is quick now. If not, it will be: then Outbox.owe_ready is called."""
        return True

    def take(self, now: float) -> Frame:
        """The finished message, which settles what was owed."""

    def told(self) -> None:
        """What take gave is told: what is told from now on comes after it."""


class Transport(Protocol):
    """The peer's end of a session; calls Outbox.on_room when the peer has taken something."""

    @property
    def unsent(self) -> int:
        """Bytes accepted by write that the operating system has not taken yet."""

    def write(self, pieces: list[Frame]) -> None:
        """Send in order; never blocks, never raises."""

    def ping(self) -> bool:
        """Ask the peer for a sign of life; whether an answer is to be expected."""

    def close(self, code: CloseCode) -> None:
        """Close the connection; harmless if it is closed."""


class Outbox:
    """The queue of one session. `open` says that a value may be put in as a frame right now."""

    __slots__ = (
        "_clock",
        "_closed",
        "_fanout",
        "_figures",
        "_flush_due",
        "_frames",
        "_largest",
        "_paused",
        "_size",
        "_transport",
        "_waiting",
        "framing",
        "hard_limit",
        "open",
        "reframing",
        "value_limit",
    )

    def __init__(
        self,
        transport: Transport,
        framing: Framing,
        fanout: Fanout,
        clock: Clock,
        figures: Figures,
        backlog_bytes: int,
    ) -> None:
        self.open = True
        self.framing = framing
        self.value_limit = backlog_bytes // 4
        self.hard_limit = backlog_bytes * 8
        self._transport = transport
        self._fanout = fanout
        self._clock = clock
        self._figures = figures
        self._frames: list[Frame] = []
        self._size = 0
        self._largest = 0
        self._flush_due = False
        self._paused = False
        self.reframing = 0
        """How many changes of the framing are not known to all subscriptions yet."""
        self._closed = False
        self._waiting: dict[Owing, None] = {}

    @property
    def backlog(self) -> int:
        """Bytes that wait for the peer."""
        return self._size + self._transport.unsent

    @property
    def paused(self) -> bool:
        """Whether values are held back."""
        return self._paused

    def tell(self, frame: Frame) -> None:
        """Add a finished message that is no value, after all values that came before it."""
        self._fanout.flush()
        self.put_block([frame], len(frame))

    def put_block(self, frames: list[Frame], size: int) -> None:
        """Add finished messages of so many bytes in all.

        With the hard limit waiting, the largest block apart, the session is closed as too slow.
        """
        if self._closed:
            return
        self._frames += frames
        self._size += size
        if size > self._largest:
            self._largest = size
        if not self._flush_due:
            self._flush_due = True
            self._clock.call_soon(self.flush)
        backlog = self._size + self._transport.unsent
        if backlog >= self.value_limit:
            self.open = False
            if backlog - self._largest >= self.hard_limit:
                self.close()
                self._clock.call_soon(self._transport.close, TOO_SLOW)  # not from within a channel's fan-out

    def flush(self) -> None:
        """Write all that is due in one go."""
        self._flush_due = False
        self._write()
        self.on_room()

    def on_room(self) -> None:
        """The peer has taken something: give it the newest of what it is owed, a little at a time."""
        if self.open or self._paused or self.reframing or self._closed:
            return
        self._fanout.flush()
        while self._waiting and self.backlog < LOW_WATER:
            subscription = next(iter(self._waiting))
            if not subscription.ready():
                break
            self._send(subscription)
        self.open = not self._waiting and self.backlog < self.value_limit

    def owe(self, subscription: Owing) -> None:
        """The subscription has an owed value: send it when there is room, no pause and its rate allows."""
        if subscription.timer is not None or subscription in self._waiting:
            return
        wait = subscription.not_before - self._clock.monotonic()
        if wait > 0:
            subscription.timer = self._clock.call_later(wait, self._due, subscription)
        elif not self.open:
            self._waiting[subscription] = None
        elif subscription.ready():
            self._send(subscription)

    def owe_ready(self, subscription: Owing) -> None:
        """What was not ready is now; it may not be owed any more."""
        if subscription.owed:
            self.owe(subscription)
        self.on_room()

    def settle(self, subscription: Owing) -> None:
        """Send what it is owed now, if anything, whatever holds it back."""
        self._fanout.flush()
        if subscription.owed:
            self._send(subscription)

    def reconsider(self, subscription: Owing) -> None:
        """Its options are others now: what it is owed may be due at once."""
        if subscription.timer is not None:
            subscription.timer.cancel()
            subscription.timer = None
            self.owe(subscription)

    def forget(self, subscription: Owing) -> None:
        """Owe the subscription nothing any more."""
        self._waiting.pop(subscription, None)
        if subscription.timer is not None:
            subscription.timer.cancel()
            subscription.timer = None
        subscription.owed = 0

    def pause(self) -> None:
        """Hold values back."""
        self._fanout.flush()
        self._paused, self.open = True, False

    def resume(self) -> None:
        """Give the newest of what was held back."""
        self._paused = False
        self.on_room()

    def reframe(self, framing: Framing) -> None:
        """Go on with another framing, after what is due has gone with the present one.

        Values are held back until reframed() is called, once the subscriptions encode for it.
        """
        self._fanout.flush()
        self._write()
        self.framing = framing
        self.reframing, self.open = self.reframing + 1, False

    def reframed(self) -> None:
        """All subscriptions encode for the framing."""
        self.reframing -= 1
        self.on_room()

    def close(self) -> None:
        """Drop everything; nothing is sent any more."""
        self._closed, self.open = True, False
        self._frames, self._size = [], 0
        for subscription in list(self._waiting):
            self.forget(subscription)

    def _write(self) -> None:
        if self._frames and not self._closed:
            frames, self._frames = self._frames, []
            self._figures.bytes_out += self._size
            self._size = 0
            self._transport.write(self.framing.pack(frames))
            if not self._transport.unsent:
                self._largest = 0

    def _send(self, subscription: Owing) -> None:
        try:
            frame = subscription.take(self._clock.monotonic())
        finally:
            self.forget(subscription)
        self._figures.updates_out += not self._closed
        self.put_block([frame], len(frame))
        subscription.told()

    def _due(self, subscription: Owing) -> None:
        subscription.timer = None
        self.owe(subscription)
