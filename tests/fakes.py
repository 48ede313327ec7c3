"""Stand-ins for all that the core is given: time, a source of values, a transport, framings; and a world made of them.

Everything happens on the fake clock: nothing moves until a test says so, so no test waits and none can be flaky.
"""

import heapq
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pycaserver.core.access import AccessControl, Rules
from pycaserver.core.audit import AuditEntry
from pycaserver.core.channel import Channel
from pycaserver.core.errors import CloseCode, PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Frame, LongFrame
from pycaserver.core.pool import ChannelPool
from pycaserver.core.request_session import RequestSession
from pycaserver.core.rights import Gate
from pycaserver.core.services import Services
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, Array, Data, DbrType, Metadata, PVValue
from pycaserver.dialects.native import NativeDialect

WALL_START = 1_700_000_000.0
"""UNIX seconds at which the fake clock begins."""

READ_WRITE = Access(read=True, write=True)
DENIED = Access(read=False, write=False)


@dataclass
class FakeTimer:
    """A call to come, which the test can see and count."""

    call: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True
        self.call = lambda: None  # as asyncio does


class FakeClock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0
        self._soon: deque[Callable[[], object]] = deque()
        self._later: list[tuple[float, int, FakeTimer]] = []
        self._order = count()

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return WALL_START + self.now

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        self._soon.append(lambda: function(*args))
        return None

    def call_later(self, delay: float, function: Callable[..., object], *args: Any) -> FakeTimer:
        timer = FakeTimer(lambda: function(*args))
        heapq.heappush(self._later, (self.now + delay, next(self._order), timer))
        return timer

    def run(self) -> None:
        """Do all that is due now."""
        while self._soon:
            self.run_one()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done soon."""
        return not self._soon

    def run_one(self) -> None:
        """Do the next of it, if there is any."""
        if self._soon:
            self._soon.popleft()()

    def advance(self, seconds: float) -> None:
        """Let time pass: every timer is called at its own time."""
        end = self.now + seconds
        self.run()
        while self._later and self._later[0][0] <= end:
            due, _, timer = heapq.heappop(self._later)
            self.now = max(self.now, due)
            if not timer.cancelled:
                timer.call()
            self.run()
        self.now = end

    @property
    def pending(self) -> int:
        """Timers that would still be called."""
        return sum(not timer.cancelled for _, _, timer in self._later)


def value(data: Data = 1.0, *, count: int | None = None, seconds: int = 1_447_799_204, nanos: int = 0,
          severity: int = 0, status: int = 0) -> PVValue:  # fmt: skip
    """A reading; its count is that of its data."""
    if count is None:
        count = len(data) if hasattr(data, "__len__") and not isinstance(data, str) else 1
    return PVValue(data, count, seconds, nanos, severity, status)


Done = Callable[[PVValue | PycaError], None]


@dataclass(eq=False)
class FakePut:
    """A put that has come to the source."""

    elements: Array
    events: PutEvents
    wait: bool


class FakeSourceChannel:
    """The source's end of one channel: the test plays the IOC through it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.monitors = 0
        self.closed = False
        self.reads: list[Done] = []
        """Reads that the IOC has not answered, and that nobody has forgotten."""
        self.puts: list[FakePut] = []
        """Puts that have no outcome yet."""
        self.sends = True
        """Whether puts go out at once; otherwise they can be taken back."""

    # -- what the core calls

    def monitor(self) -> None:
        self.monitors += 1

    def get(self, done: Done) -> Callable[[], None]:
        self.reads.append(done)
        return lambda: self.reads.remove(done) if done in self.reads else None

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        put = FakePut(elements, events, wait)
        self.puts.append(put)
        if self.sends:
            events.sent()
        return lambda: put in self.puts and not self.sends  # as in a real source, it holds the put

    def close(self) -> None:
        self.closed = True

    # -- what the test says

    def complete(self, error: PycaError | None = None, old: PVValue | None = None) -> FakePut:
        """The outcome of the oldest put."""
        put = self.puts.pop(0)
        put.events.done(old, error)
        return put

    def connect(self, type: DbrType = DbrType.DOUBLE, count: int = 1, access: Access = READ_WRITE) -> None:
        """The PV connects; its metadata has not come yet."""
        self.channel.connected(type, count, "ioc:5064", access)

    def bring_up(self, data: Data = None, *, units: str = "", type: DbrType = DbrType.DOUBLE, count: int = 1,
                 enum_strs: tuple[str, ...] = (), access: Access = READ_WRITE) -> None:  # fmt: skip
        """The PV connects and its metadata comes; then its value, if data is given."""
        self.connect(type, count, access)
        self.channel.metadata_changed(Metadata(type, count, units=units, enum_strs=enum_strs))
        if data is not None:
            self.channel.publish(value(data))

    def post(self, *data: Data, **keys: Any) -> None:
        """Values come, one after the other."""
        for each in data:
            self.channel.publish(value(each, **keys))

    def answer(self, result: PVValue | PycaError) -> None:
        """Answer the oldest read."""
        self.reads.pop(0)(result)


class FakeAudit:
    """Keeps the entries; refuses all puts while `trouble` says why."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.trouble = ""

    def ready(self) -> None:
        if self.trouble:
            raise PycaError("write_disabled", self.trouble)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


class FakeSource:
    """A source whose channels the test finds by name."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.channels: dict[str, FakeSourceChannel] = {}

    def open(self, name: str, channel: Channel) -> FakeSourceChannel:
        self.opened.append(name)
        self.channels[name] = FakeSourceChannel(channel)
        return self.channels[name]

    def __getitem__(self, name: str) -> FakeSourceChannel:
        return self.channels[name]


def flat(piece: Frame) -> bytes:
    """As the peer gets it."""
    return piece if isinstance(piece, bytes) else b"".join(piece.parts)


class FakeTransport:
    """A peer's end that reads everything at once, unless `reading` is false: then it takes what the test lets it."""

    def __init__(self) -> None:
        self.reading = True
        self.pieces: deque[bytes] = deque()
        """Written and not wholly taken."""
        self.taken: list[bytes] = []
        self.writes = 0
        self.pings = 0
        self.closed: CloseCode | None = None
        self._part = 0

    @property
    def unsent(self) -> int:
        return sum(map(len, self.pieces)) - self._part

    def write(self, pieces: list[Frame]) -> None:
        self.writes += 1
        self.pieces.extend(map(flat, pieces))
        if self.reading:
            self.take(self.unsent)

    def ping(self) -> bool:
        self.pings += 1
        return True

    def close(self, code: CloseCode) -> None:
        self.closed = self.closed or code

    def take(self, size: int) -> None:
        """The peer takes so many bytes; the caller then says so to the outbox, as a real transport does."""
        self._part += size
        while self.pieces and len(self.pieces[0]) <= self._part:
            self._part -= len(self.pieces[0])
            self.taken.append(self.pieces.popleft())
        if not self.pieces:
            self._part = 0


class Lines:
    """A framing of one message a piece, marked so that a message finished by another framing shows."""

    def text(self, payload: bytes) -> bytes:
        return b"T" + payload

    def long(self, parts: list[bytes]) -> Frame:
        return LongFrame(b"T", *parts)

    def binary(self, head: bytes, body: memoryview) -> Frame:
        return LongFrame(b"B" + head, body)

    def join(self, frames: list[Frame]) -> list[Frame]:
        return frames

    def pack(self, frames: list[Frame]) -> list[Frame]:
        return frames


class Arrays:
    """A framing of all messages in one piece, a JSON array."""

    def text(self, payload: bytes) -> bytes:
        return payload

    def long(self, parts: list[bytes]) -> bytes:
        return b"".join(parts)

    def binary(self, head: bytes, body: memoryview) -> Frame:
        raise AssertionError("the core tests send no binary messages in arrays")

    def join(self, frames: list[bytes]) -> list[bytes]:
        return [b",".join(frames)]

    def pack(self, frames: list[bytes]) -> list[bytes]:
        return [b"A[" + b",".join(frames) + b"]"]


FRAMINGS = (Lines(), Arrays())
"""As in the server, the same for all sessions, so that they share what is encoded."""


def read_piece(piece: bytes) -> list[dict[str, Any]]:
    """The messages of one piece; a binary one has its payload as `binary`."""
    kind, body = piece[:1], piece[1:]
    assert kind in (b"T", b"A", b"B"), f"not finished by its framing: {piece[:80]!r}"
    if kind == b"B":
        return [{"msg_type": "monitor", "binary": body}]
    decoded = json.loads(body)
    return decoded if kind == b"A" else [decoded]


@dataclass
class FakeLimits:
    """The settings of a session."""

    subscriptions_per_session: int = 10
    requests_per_second: float = 1000
    errors_per_second: float = 20
    backlog_bytes: int = 262144


class Peer:
    """A session with the fake transport at its end."""

    def __init__(self, world: "World", limits: FakeLimits, gate: Gate | None = None) -> None:
        self.transport = FakeTransport()
        self.lines, arrays = FRAMINGS
        self._clock = world.clock
        services = world.services(limits)
        framings = (self.lines, arrays)
        self.session = RequestSession(services, NativeDialect(), self.transport, framings, Identity(), gate)
        self._heard = 0

    def says(self, message: str | bytes | dict[str, Any]) -> float:
        """Send a message; the seconds for which the peer is not read."""
        if isinstance(message, dict):
            message = json.dumps(message)
        wait = self.session.receive(message.encode() if isinstance(message, str) else message)
        self._clock.run()
        return wait

    def asks(self, action: str, **keys: Any) -> None:
        """Send a request."""
        self.says({"action": action, **keys})

    def connects(self, pv: str | list[str], **options: Any) -> None:
        self.asks("connect", pv=pv, **options)

    def hears(self) -> list[dict[str, Any]]:
        """The messages that came since the last time."""
        self._clock.run()
        pieces, self._heard = self.transport.taken[self._heard :], len(self.transport.taken)
        return [message for piece in pieces for message in read_piece(piece)]

    def gist(self) -> list[Any]:
        """The same in short: values and (type, True or False of a connection, code of an error)."""
        return [_GISTS.get(m["msg_type"], lambda m: m["msg_type"])(m) for m in self.hears()]

    def takes(self, size: int) -> None:
        """Take so many bytes of what waits."""
        self.transport.take(size)
        self.session.outbox.on_room()
        self._clock.run()

    def reads_all(self) -> None:
        """Read from now on, and all that waits."""
        self.transport.reading = True
        self.takes(self.transport.unsent)


_GISTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "monitor": lambda m: m["value"],
    "connection": lambda m: ("connection", m["conn"]),
    "error": lambda m: ("error", m["code"]),
}


@dataclass
class World:
    """A pool on a fake source and clock, and as many peers as a test wants."""

    search_seconds: float = 3.0
    linger_seconds: float = 5.0
    clock: FakeClock = field(default_factory=FakeClock)
    figures: Figures = field(default_factory=Figures)
    source: FakeSource = field(default_factory=FakeSource)
    access: AccessControl = field(default_factory=lambda: AccessControl(Rules(writes=True, default="write")))
    audit: FakeAudit = field(default_factory=FakeAudit)

    def __post_init__(self) -> None:
        self.pool = ChannelPool(self.source, self.clock, self.figures, self.search_seconds, self.linger_seconds)

    def peer(self, gate: Gate | None = None, **limits: Any) -> Peer:
        return Peer(self, FakeLimits(**limits), gate)

    def services(self, limits: FakeLimits) -> Services:
        """What sessions are given."""
        return Services(self.pool, self.clock, self.figures, limits, self.access, self.audit)

    def channel(self, name: str = "PV") -> Channel:
        """A channel with its source's end, opened by the pool; world.source[name] plays its IOC."""
        return self.pool.acquire(name)
