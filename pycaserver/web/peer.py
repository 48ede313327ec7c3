"""SessionPeer: a connection that has a session: transport of the session's outbox, and a peer of the hub."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from tornado.iostream import IOStream

from pycaserver.core.outbox import Frame
from pycaserver.core.session import Session
from pycaserver.web.admission import Admission
from pycaserver.web.logins import Proven
from pycaserver.web.site import Site
from pycaserver.web.tcp import taken_from
from pycaserver.web.writer import PacedWriter

S = TypeVar("S", bound=Session)


class SessionPeer(Generic[S]):
    """Base of all kinds, each of which has begin, end, ping and close."""

    __slots__ = ("_site", "address", "admission", "last_heard", "last_ping", "session", "writer")

    def __init__(
        self,
        site: Site,
        identity: Proven,
        address: str,
        send: Callable[[bytes | memoryview], "asyncio.Future[None]"],
    ) -> None:
        """address: for which limits count; send: see PacedWriter."""
        self.address = address
        self.admission = Admission(site.identities, identity, address, site.clock)
        self.last_heard = self.last_ping = site.clock.monotonic()
        self.writer = PacedWriter(send, site.clock, self._on_room)
        self.session: S | None = None
        self._site = site

    @property
    def unsent(self) -> int:
        """Bytes that wait for the peer."""
        return self.writer.unsent

    def stalled_for(self, now: float) -> float:
        """Seconds for which the peer has taken nothing of what waits."""
        stream = self._carrier
        return self.writer.stalled_for(now, taken_from(stream) if stream is not None else 0)

    @property
    def _carrier(self) -> IOStream | None:
        """What its bytes go through, where that is one."""
        return None

    def write(self, pieces: list[Frame]) -> None:
        """Send what the session's framing has finished."""
        self.writer.write(pieces)

    def _end_session(self) -> None:
        self.writer.on_room = None  # of which it is a part
        session, self.session = self.session, None
        if session is not None:
            session.ended()

    def _on_room(self) -> None:
        if self.session is not None:
            self.session.outbox.on_room()
