"""The one WebSocket handler: binds a session to a Tornado connection. Writing is paced, closing is never in doubt."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from pycaserver.core.errors import (
    CLOSE_CODES,
    CREDENTIALS_EXPIRED,
    INVALID_UTF8,
    PROTOCOL_ERROR,
    TOO_SLOW,
    TRY_LATER,
    CloseCode,
    PycaError,
)
from pycaserver.core.identity import Identity
from pycaserver.core.rights import Gate
from pycaserver.core.session import Session
from pycaserver.web.framing import TEXT, frame
from pycaserver.web.handlers import Guarded
from pycaserver.web.peer import SessionPeer
from pycaserver.web.receiving import received
from pycaserver.web.site import Site
from pycaserver.web.tcp import forget_error, reset, tune

RESET_SECONDS: Final = 2.0
"""How long a peer that is too slow, or for whom there is no room, has for the close frame, before it is reset."""
LINGER_SECONDS: Final = 2.0
"""How long a peer whose message was cut off may go on sending, so that it gets to read why."""
PART_BYTES: Final = 256 * 1024
"""Read at once."""
OpenSession: TypeAlias = Callable[["WebSocketPeer", Identity, Gate], Session]
"""Makes the session of one peer, in the dialect of the address; it may tell something at once."""

_CLOSE: Final = 0x8
_PING: Final = 0x9
_PEERS_CODES: Final = (range(1000, 1004), range(1007, 1015), range(3000, 5000))
"""Those that a peer may close with; the others are reserved, or only for use within a program."""
_SENTENCES: Final = {close.code: close.sentence for close in CLOSE_CODES}


class Protocol(WebSocketProtocol13):
    """Tornado's protocol, but: text is checked, control frames keep out of other frames, a refusal is delivered."""

    handler: "SessionSocket"
    _draining = False

    @property
    def _peer(self) -> "WebSocketPeer":
        assert self.handler.peer is not None
        return self.handler.peer

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Tornado's; a close of our own, and not the echo of the peer's, ends the session first."""
        if code is not None and not self.is_closing():
            self._peer.closing(code)
            reason = _SENTENCES.get(code, reason)
        super().close(code, reason)

    def on_connection_close(self) -> None:
        """The handler has done with us; a peer that is to read why goes on sending meanwhile."""
        if not self._draining:
            super().on_connection_close()

    def _handle_message(self, opcode: int, data: bytes) -> Any:
        masked, self._frame_mask = self._frame_mask is not None, None
        if not masked:  # Tornado would not mind
            return self._refuse(PROTOCOL_ERROR)
        if opcode == TEXT and not self.client_terminated:  # Tornado would decode, and on failure only abort
            if not _is_utf8(data):
                return self._refuse(INVALID_UTF8)
            return self._run_callback(self.handler.on_message, data)
        if opcode == _CLOSE and not _is_close(data):  # Tornado would answer with whatever code it was
            return self._refuse(PROTOCOL_ERROR)
        if opcode == _PING and self._peer.writer.unsent > self.handler.site.limits.backlog_bytes:
            return None  # it does not read our pongs either
        return super()._handle_message(opcode, data)

    def _refuse(self, code: CloseCode) -> None:
        """Close because of what the peer has sent."""
        self.close(code.code)
        self._abort()

    async def _read_bytes(self, n: int) -> bytes:
        """A large payload in parts: others have their turn between them, and before what is done with all of it."""
        if n <= PART_BYTES:
            return await super()._read_bytes(n)
        parts = []
        while n:
            parts.append(await super()._read_bytes(min(n, PART_BYTES)))
            n -= len(parts[-1])
            await asyncio.sleep(0)
        whole = b"".join(parts)
        await asyncio.sleep(0)
        return whole

    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> "asyncio.Future[None]":
        whole = frame(opcode, data)
        if opcode != _CLOSE:
            return self._peer.writer.write_urgently(whole)
        self._peer.writer.write([whole])
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _abort(self) -> None:
        """After a close frame of ours, read on for a while: closing with unread input would reset the connection."""
        hub = self.handler.site.hub
        if self.server_terminated and not self._draining and not self.stream.closed() and hub.linger(self):
            self._draining = self.client_terminated = True
            self._peer.keep(asyncio.ensure_future(self._drain()))
        else:
            super()._abort()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while True:
                    await self.stream.read_bytes(65536, partial=True)
        except (StreamClosedError, TimeoutError, AssertionError):
            super()._abort()
        finally:
            self.handler.site.hub.gone(self)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_close(payload: bytes) -> bool:
    """Whether a close frame has no code, or one that may stand in a frame (RFC 6455, 7.4)."""
    code = int.from_bytes(payload[:2], "big")
    return not payload or (len(payload) > 1 and any(code in codes for codes in _PEERS_CODES))


class WebSocketPeer(SessionPeer[Session]):
    """One WebSocket connection."""

    __slots__ = ("_open_session", "_protocol", "_tasks", "direct")

    def __init__(self, handler: "SessionSocket", protocol: Protocol, site: Site) -> None:
        super().__init__(site, handler.identity, handler.counted_address, protocol.stream.write)
        self.direct = site.identities.proxies.is_direct(handler.request)
        """Whether no proxy is between."""
        self._open_session = handler.open_session
        self._protocol = protocol
        self._tasks: dict[asyncio.Task[None], None] = {}

    def begin(self) -> None:
        """Make the session, or send the peer away if the server is full."""
        site = self._site
        if site.hub.has_room(self.address, self.admission.identity.user):
            self.session = self._open_session(self, self.admission.identity, self.admission)
            site.hub.add(self)
        elif site.hub.linger(self):
            self.close(TRY_LATER)
            site.clock.call_later(RESET_SECONDS, reset, self._protocol.stream)
        else:
            reset(self._protocol.stream)

    def end(self) -> None:
        """The connection is gone, or is not listened to any more."""
        self._site.hub.remove(self)
        self._site.hub.gone(self)
        self._end_session()

    def ping(self) -> bool:
        """Send a ping, to be answered by a pong."""
        if not self._protocol.is_closing():
            self._protocol.write_ping(b"")
        return True

    def close(self, code: CloseCode) -> None:
        """Close after what is due; a peer that does not even read is reset soon."""
        if self._protocol.is_closing():
            return
        if code is TOO_SLOW:
            self._end_session()
            self.writer.drop()
            self._site.clock.call_later(RESET_SECONDS, reset, self._protocol.stream)
        self._protocol.close(code.code)

    def closing(self, code: int) -> None:
        """A close frame is to be sent: what is due goes before it, and nothing after it."""
        self._site.figures.closes[code] += 1
        if self.session is not None:
            self.session.outbox.flush()
        self._end_session()

    @property
    def _carrier(self) -> IOStream:
        return self._protocol.stream

    def keep(self, task: "asyncio.Task[None]") -> None:
        """Hold a task until it is done."""
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)


class SessionSocket(Guarded, WebSocketHandler):
    """Tornado's side of a WebSocket connection."""

    open_to_all = True  # to authenticate in the first message
    peer: WebSocketPeer | None = None

    def initialize(self, site: Site, open_session: OpenSession) -> None:  # type: ignore[override]
        """Tornado hands over the site and what makes a session in the dialect of this address."""
        super().initialize(site)
        self.open_session = open_session

    @property
    def max_message_size(self) -> int:
        """Bytes; a larger message closes with 1009."""
        return self.site.limits.message_bytes

    async def get(self, *args: str, **kwargs: str) -> None:
        """The handshake; whoever comes by without one is told what this is."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await super().get(*args, **kwargs)
        else:
            self.set_header("Upgrade", "websocket")
            error = PycaError("bad_request", "This is the address of a WebSocket.")
            self.finish_error(error, HTTPStatus.UPGRADE_REQUIRED)

    def check_origin(self, origin: str) -> bool:
        """prepare has checked, by our own list."""
        return True

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Ours, for the one version that browsers speak."""
        plain = super().get_websocket_protocol()
        return Protocol(self, False, plain.params) if isinstance(plain, WebSocketProtocol13) else None

    def open(self, *args: str, **kwargs: str) -> None:
        """A peer has connected."""
        assert isinstance(self.ws_connection, Protocol)
        tune(self.ws_connection.stream)
        self.peer = WebSocketPeer(self, self.ws_connection, self.site)
        self.peer.begin()

    async def on_message(self, message: str | bytes) -> None:
        """A message; binary ones are taken like text, as some clients know no other."""
        if self.peer is not None and self.peer.admission.is_over:
            self.peer.close(CREDENTIALS_EXPIRED)
        elif self.peer is not None and self.peer.session is not None:
            self.peer.last_heard = self.site.clock.monotonic()  # its pong may wait behind many messages
            await received(self.peer.session, message if isinstance(message, bytes) else message.encode())

    def on_pong(self, data: bytes) -> None:
        """The peer lives."""
        if self.peer is not None:
            self.peer.last_heard = self.site.clock.monotonic()

    def on_connection_close(self) -> None:
        """The stream is closed, or the peer has taken its leave."""
        stream = self.ws_connection.stream if isinstance(self.ws_connection, Protocol) else None
        super().on_connection_close()
        if stream is not None:
            forget_error(stream)

    def on_close(self) -> None:
        """The peer is gone."""
        if self.peer is not None:
            self.peer.end()
            self.peer = None
