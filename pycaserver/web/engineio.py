"""EnginePeer: one Engine.IO connection, polling or WebSocket, as transport of a session and peer of the hub.

python-engineio keeps an unbounded queue per peer. It is given a little at a time; the rest waits in the outbox.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from tornado.iostream import IOStream

from pycaserver.core.errors import GOING_AWAY, TOO_SLOW, CloseCode
from pycaserver.dialects.xovac import XovacSession
from pycaserver.web.framing import SEPARATOR
from pycaserver.web.logins import Proven
from pycaserver.web.peer import SessionPeer
from pycaserver.web.site import Site

LEAVE_SECONDS: Final = 2.0
"""How long a peer has to take what is due before it is disconnected."""
POLLED: Final = 10
"""Packets of one polling answer: clients in Python refuse more than 16, a ping and the like included."""
NAME: Final = "\0"
"""Begins the name of a large packet; JSON escapes it."""
_GOODBYE: Final = b"1" + SEPARATOR
"""Socket.IO's DISCONNECT, after which a client does not come back by itself."""


class Socket(Protocol):
    """The WebSocket of a peer that has one."""

    @property
    def stream(self) -> IOStream | None:
        """Its connection, while it is open."""

    async def drained(self) -> None:
        """Until the operating system has all that was written."""

    def leaving(self, code: CloseCode) -> None:
        """It will be closed, and this is why."""

    def leave(self, code: CloseCode) -> None:
        """Close; at once if the peer does not read."""


class EnginePeer(SessionPeer[XovacSession]):
    """Bounds what waits in Engine.IO's queue."""

    def __init__(self, site: Site, engine: Any, sid: str, identity: Proven, address: str) -> None:
        """engine: the engineio.AsyncServer; sid: what it calls the connection. address: for which limits count."""
        super().__init__(site, identity, address, self._send)
        self.asked_by = identity
        """Who made the connection; all its requests must be theirs."""
        self.socket: Socket | None = None
        self._engine = engine
        self._sid = sid
        self._queue: asyncio.Queue[Any] = engine.sockets[sid].queue
        self._packets: list[list[bytes]] = [[]]
        """The parts of those that are to be delivered together; the last one is still to come."""
        self._large: dict[str, list[bytes]] = {}
        """The parts of packets that the library has only the names of."""
        self._delivery: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._patience = site.clock.call_later(site.limits.header_seconds, self._give_up)

    def begin(self, open_session: Callable[["EnginePeer"], XovacSession]) -> None:
        """It speaks Socket.IO."""
        self._patience.cancel()
        self.session = open_session(self)

    def end(self) -> None:
        """The connection is gone."""
        self._patience.cancel()
        self._site.hub.remove(self)
        self._end_session()
        self.writer.end()
        if self._delivery is not None:
            self._delivery.cancel()
            self._delivery = None  # the traceback that it then keeps has us
        self._queue.put_nowait(None)  # ends a poll that waits

    def parts_of(self, packet: str) -> list[bytes]:
        """Of a packet as Engine.IO has it, in which a name may stand for a large one: once."""
        if packet[1:2] != NAME:
            return [packet.encode()]
        return [packet[:1].encode(), *self._large.pop(packet[1:], ())]

    def ping(self) -> bool:
        """Engine.IO does so by itself."""
        return False

    def close(self, code: CloseCode) -> None:
        """Tell why, and disconnect."""
        if self._leaving is not None:
            return
        self._site.figures.closes[code.code] += 1
        if self.session is not None and code is not TOO_SLOW:
            self.session.tell("close", {"code": code.code, "message": code.sentence})
            self.session.outbox.flush()
        self._end_session()
        if code is TOO_SLOW:
            self.writer.drop()
        elif not code.reconnect:
            self.writer.write([_GOODBYE])
        self._depart(code)

    def leave(self) -> None:
        """The peer has taken its leave."""
        if self._leaving is None:
            self._end_session()
            self._depart(GOING_AWAY)

    def _give_up(self) -> None:
        """A connection that never speaks Socket.IO takes the place of a session."""
        if self._leaving is None:
            self._depart(TOO_SLOW)

    def _depart(self, code: CloseCode) -> None:
        if self.socket is not None:
            self.socket.leaving(code)  # at once: the library may be about to close it
        self._leaving = asyncio.ensure_future(self._leave(code))

    async def _leave(self, code: CloseCode) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                while self.writer.unsent and self._delivery is not None and code is not TOO_SLOW:
                    await asyncio.wait([self._delivery])
                await self._engine.disconnect(self._sid)
        except TimeoutError:
            self._engine.sockets.pop(self._sid, None)
        finally:
            self.end()
            if self.socket is not None:
                self.socket.leave(code)

    @property
    def _carrier(self) -> IOStream | None:
        return self.socket.stream if self.socket is not None else None

    def _send(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Gather whole packets and hand them over; done when the peer's transport has taken them."""
        first, *others = bytes(data).split(SEPARATOR)
        self._packets[-1].append(first)
        self._packets += ([other] for other in others)
        if self._packets[-1] == [b""]:
            packets, self._packets = self._packets[:-1], [[]]
            self._delivery = asyncio.ensure_future(self._deliver(packets))
        else:  # the next part in the next turn: a large packet has many
            self._delivery = asyncio.ensure_future(asyncio.sleep(0))
        return self._delivery

    async def _deliver(self, packets: list[list[bytes]]) -> None:
        while packets:
            many = len(packets) if self.socket is not None else POLLED
            now, packets = packets[:many], packets[many:]
            for packet in now:
                await self._engine.send(self._sid, self._as_text(packet))
            await self._queue.join()
        if self.socket is not None:
            await self.socket.drained()

    def _as_text(self, packet: list[bytes]) -> str:
        """What the library is given: of a large packet the name, for it would copy it again and again."""
        if len(packet) == 1:
            return packet[0].decode()
        name = f"{NAME}{id(packet)}"
        self._large[name] = packet
        return name
