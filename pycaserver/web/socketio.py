"""Socket.IO at /socket.io/: python-socketio behind our own checks, limits and identities."""

import asyncio
import logging
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec
import socketio
from engineio.payload import Payload
from socketio.exceptions import ConnectionRefusedError
from tornado.concurrent import Future
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from pycaserver.core.errors import CREDENTIALS_EXPIRED, NO_PONG, TOO_SLOW, CloseCode, PycaError
from pycaserver.dialects.xovac import Commands, XovacSession
from pycaserver.web.engineio import NAME, EnginePeer
from pycaserver.web.framing import SEPARATOR, SOCKETIO, TEXT, header
from pycaserver.web.handlers import Guarded
from pycaserver.web.packets import BAD, Json, Packet
from pycaserver.web.receiving import received
from pycaserver.web.site import Site
from pycaserver.web.tcp import reset, tune

log = logging.getLogger("pycaserver.socketio")
log.setLevel(logging.CRITICAL)  # the library tells each packet, and has a trace for whatever a peer does wrong

MOST_PACKETS: Final = 10_000
"""Packets in one polling request; the library's own 16 is less than what a page sends when it begins."""
_PING: Final = 0x9
_ALLOWED: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}


class Gateway:
    """The Socket.IO server and its peers."""

    def __init__(self, site: Site, commands: Commands) -> None:
        self.peers: dict[str, EnginePeer] = {}
        """By Engine.IO's session ids."""
        self._connected: dict[str, EnginePeer] = {}
        self._site = site
        self._commands = commands
        seconds = max(1, round(site.limits.ping_seconds))  # Engine.IO tells clients whole ones
        self.server = socketio.AsyncServer(
            async_mode="tornado", async_handlers=False, serializer=Packet, json=Json, logger=log, engineio_logger=log,
            cors_allowed_origins=[], http_compression=False, cookie=None, ping_interval=seconds, ping_timeout=seconds,
            max_http_buffer_size=site.limits.message_bytes,
        )  # fmt: skip
        Payload.max_decode_packets = MOST_PACKETS
        for event, handler in (("connect", self._connect), ("disconnect", self._disconnect), ("*", self._event)):
            self.server.on(event, handler)
        engine = self.server.eio
        self._opened, self._closed = engine.handlers["connect"], engine.handlers["disconnect"]
        engine.on("connect", self._open)
        engine.on("disconnect", self._close)

    async def _open(self, sid: str, environ: dict[str, Any]) -> bool | None:
        """An Engine.IO connection: it takes the place of a session from now on."""
        handler, hub = environ["tornado.handler"], self._site.hub
        if not hub.has_room(handler.counted_address, handler.identity.user):
            return False
        peer = EnginePeer(self._site, self.server.eio, sid, handler.identity, handler.counted_address)
        self.peers[sid] = peer
        hub.add(peer)
        handler.join(peer)
        await self._opened(sid, environ)
        return None

    async def _close(self, sid: str, reason: str) -> None:
        peer = self.peers.pop(sid, None)
        if peer is not None and reason == self.server.reason.PING_TIMEOUT:
            peer.close(NO_PONG)
        await self._closed(sid, reason)
        if peer is not None:
            peer.end()

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Socket.IO's CONNECT; it may show a token."""
        peer: EnginePeer | None = environ["tornado.handler"].peer
        if peer is None or peer.session is not None:
            raise ConnectionRefusedError("This connection has its session already.")
        try:
            if isinstance(auth, dict) and isinstance(token := auth.get("token"), str):
                peer.admission.authenticate(token)
        except PycaError as error:
            raise ConnectionRefusedError(error.message, {"code": error.code}) from None
        peer.begin(self._session)
        self._connected[sid] = peer

    async def _disconnect(self, sid: str, reason: str) -> None:
        if peer := self._connected.pop(sid, None):
            peer.leave()

    async def _event(self, event: str, sid: str, *payload: Any) -> None:
        """Those of one peer come one after the other; waiting here keeps it from being read."""
        peer = self._connected.get(sid)
        if peer is None or peer.session is None:
            return
        if peer.admission.is_over:
            peer.close(CREDENTIALS_EXPIRED)
            return
        data = payload[0].encode(errors="replace") if event == BAD else msgspec.json.encode([event, *payload])
        await received(peer.session, data)

    def _session(self, peer: EnginePeer) -> XovacSession:
        site, admission = self._site, peer.admission
        return XovacSession(
            site.services, site.native, peer, SOCKETIO, admission.identity, admission, self._commands
        )  # fmt: skip


class _Protocol(WebSocketProtocol13):
    """Tornado's, but a peer that does not read gets no pongs either."""

    def _handle_message(self, opcode: int, data: bytes) -> Any:
        if opcode == _PING and self.stream.writing():
            return None
        return super()._handle_message(opcode, data)


class SocketIO(Guarded, WebSocketHandler):
    """One request of Engine.IO: a poll, a post, or a WebSocket, on which the library reads and writes."""

    open_to_all = True  # to show a token in CONNECT, or to authenticate
    peer: EnginePeer | None = None

    def initialize(self, site: Site, gateway: Gateway) -> None:  # type: ignore[override]
        """Tornado hands over the site and the Socket.IO server."""
        super().initialize(site)
        self._gateway = gateway
        self._received: asyncio.Queue[str | bytes | None] = asyncio.Queue(1)
        self._last: Future[None] | None = None
        self._why: CloseCode | None = None
        self._end = OSError("the WebSocket is closed")
        self._tasks: set[asyncio.Future[None]] = set()
        self._answer: bytes | None = None
        """That to a poll, in which names stand for large packets."""

    @property
    def max_message_size(self) -> int:
        """Bytes; a larger message closes with 1009."""
        return self.site.limits.message_bytes

    def prepare(self) -> None:
        """403 for a request about a session of somebody else, 503 if there is no room for one more."""
        super().prepare()
        self.set_header("Cache-Control", "no-store")
        if self.get_query_argument("j", None) is not None:
            raise PycaError("bad_request", "There is no JSONP here.")
        sid = self.get_query_argument("sid", None)
        peer = self._gateway.peers.get(sid) if sid else None
        if sid and peer is None and self._is_upgrade:  # a WebSocket of nobody would count nowhere
            raise PycaError("bad_request", "There is no such session.")
        if peer is not None and _asker(peer.asked_by) != _asker(self.identity):
            raise PycaError("forbidden", "The session was begun by somebody else.")
        if not sid and not self.site.hub.has_room(self.counted_address, self.identity.user):
            raise PycaError("server_full")

    @property
    def _is_upgrade(self) -> bool:
        return self.request.headers.get("Upgrade", "").lower() == "websocket"

    async def get(self, *args: str, **kwargs: str) -> None:
        """A poll, or the handshake of a WebSocket."""
        if self._is_upgrade:
            await super().get(*args, **kwargs)
        else:
            await self._gateway.server.handle_request(self)
            if self._answer is not None:
                await self._finish_large(self._answer)

    def write(self, chunk: Any) -> None:
        """The library's; it has the names of large packets only."""
        if isinstance(chunk, bytes) and NAME.encode() in chunk:
            self._answer = chunk
        else:
            super().write(chunk)

    def finish(self, chunk: Any = None) -> "Future[None]":
        """The library's; a large answer is not written yet."""
        if self._answer is None:
            return super().finish(chunk)
        later: Future[None] = Future()
        later.set_result(None)
        return later

    async def _finish_large(self, answer: bytes) -> None:
        """Part by part, so that nobody waits for it."""
        self._answer = None
        peer = self._gateway.peers.get(self.get_query_argument("sid", ""))
        packets = [peer.parts_of(packet) for packet in answer.decode().split(SEPARATOR.decode())] if peer else []
        body = [part for packet in packets for part in (SEPARATOR, *packet)][1:]
        self.set_header("Content-Length", str(sum(map(len, body))))
        with suppress(StreamClosedError):
            for part in body:
                self.write(part)
                await self.flush()
            self.finish()

    async def post(self) -> None:
        """Packets of a peer that polls."""
        await self._gateway.server.handle_request(self)

    def options(self) -> None:
        """What a browser asks before a page of another origin may send a token: those not listed are refused."""
        self.set_status(HTTPStatus.NO_CONTENT)
        for name, value in _ALLOWED.items():
            self.set_header(name, value)

    def check_origin(self, origin: str) -> bool:
        """prepare has checked, by our own list."""
        return True

    def get_compression_options(self) -> None:
        """None: what is sent is shared, small and new."""

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Ours, for the one version that browsers speak."""
        plain = super().get_websocket_protocol()
        return _Protocol(self, False, plain.params) if isinstance(plain, WebSocketProtocol13) else None

    def open(self, *args: str, **kwargs: str) -> None:
        """A WebSocket, of a new session or of one that polled until now."""
        assert isinstance(self.ws_connection, WebSocketProtocol13)
        tune(self.ws_connection.stream)
        if peer := self._gateway.peers.get(self.get_query_argument("sid", "")):
            self.join(peer)
        self._keep(asyncio.ensure_future(self._serve()))

    def join(self, peer: EnginePeer) -> None:
        """This is the peer's, or its WebSocket."""
        self.peer = peer
        if self.ws_connection is not None and peer.socket is None:
            peer.socket = self

    async def _serve(self) -> None:
        try:
            await self._gateway.server.handle_request(self)
        except Exception as error:  # whatever the library makes of what the peer sends
            log.debug("a connection failed: %r", error)
        if self.peer is not None and self.peer.socket is self:
            self.peer.leave()
        self.close()
        self._end.__traceback__ = self.peer = None  # both may have us

    async def on_message(self, message: str | bytes) -> None:
        """The next is not read before this one is taken."""
        await self._received.put(message)

    async def get_next_message(self) -> str | bytes:
        """The library's: a message; OSError at the end."""
        try:
            message = await self._received.get()
        except asyncio.CancelledError:  # the library has heard nothing, not even a pong, for as long as it waits
            if self.peer is not None:
                self.peer.close(NO_PONG)
            raise
        if message is None:
            raise self._end
        return message

    def on_close(self) -> None:
        """The WebSocket is closed."""
        self._keep(asyncio.ensure_future(self._received.put(None)))

    def write_message(self, message: Any, binary: bool = False) -> "Future[None]":
        """The library's; it does not wait, so we look after what becomes of it."""
        if self.peer is not None and message[1:2] == NAME:
            self._last = self._write_parts(self.peer.parts_of(message))
        else:
            self._last = super().write_message(message, binary)
        self._last.add_done_callback(lambda sent: sent.cancelled() or sent.exception())
        return self._last

    def _write_parts(self, parts: list[bytes]) -> "Future[None]":
        """A message, of which the parts are not copied; WebSocketClosedError."""
        stream = self.stream
        if stream is None or stream.closed():
            raise WebSocketClosedError
        for part in (header(TEXT, sum(map(len, parts))), *parts):
            written = stream.write(part)
        return written

    @property
    def stream(self) -> IOStream | None:
        """Its connection, while it is open."""
        return self.ws_connection.stream if isinstance(self.ws_connection, WebSocketProtocol13) else None

    async def drained(self) -> None:
        """Until the operating system has all that was written."""
        if self._last is not None:
            await asyncio.wait([self._last])

    def leaving(self, code: CloseCode) -> None:
        """It will be closed, by us or by the library, and this is why."""
        self._why = code

    def leave(self, code: CloseCode) -> None:
        """Close; at once if the peer does not read."""
        if code is TOO_SLOW and isinstance(self.ws_connection, WebSocketProtocol13):
            reset(self.ws_connection.stream)
        else:
            self.close()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """The library's too, which has no codes."""
        super().close(*((code, reason) if code is not None or self._why is None else self._why[:2]))

    def _keep(self, task: "asyncio.Future[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _asker(identity: Any) -> tuple[str, str, str]:
    return identity.user, identity.means, identity.address
