"""GET /api/pv/NAME/stream: the native messages as server-sent events; `curl -N` is a camonitor."""

import asyncio
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream

from pycaserver.core.errors import TOO_SLOW, CloseCode, PycaError
from pycaserver.core.request_session import RequestSession
from pycaserver.core.requests import Connect, OptionKeys
from pycaserver.core.rights import Rights
from pycaserver.web.framing import EVENTS
from pycaserver.web.handlers import Guarded
from pycaserver.web.peer import SessionPeer
from pycaserver.web.query import STREAM_KEYS, query_of
from pycaserver.web.tcp import reset, tune


class StreamPV(Guarded):
    """One subscription as an event stream, with all bounds of a WebSocket session."""

    _peer: "EventStreamPeer | None" = None

    async def get(self, name: str) -> None:
        """Streams until the peer or the server goes."""
        query = query_of(self, STREAM_KEYS)
        request = Connect(pv=name, **{key: getattr(query, key) for key in _OPTION_FIELDS})
        Rights(self.site.access, self.identity).check_read(name)
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # nginx would hold events back
        peer = self._peer = EventStreamPeer(self)
        try:
            peer.begin(request)
            await peer.closed.wait()
        finally:
            peer.end()
            self._peer = None  # which has us

    def on_connection_close(self) -> None:
        """The peer is gone."""
        if self._peer is not None:
            self._peer.end()


_OPTION_FIELDS = tuple(key for key in OptionKeys.__struct_fields__ if key != "id")


class EventStreamPeer(SessionPeer[RequestSession]):
    """One event stream."""

    def __init__(self, handler: StreamPV) -> None:
        super().__init__(handler.site, handler.identity, handler.counted_address, self._send)
        self.closed = asyncio.Event()
        self._handler = handler
        self._stream = cast(HTTP1Connection, handler.request.connection).stream

    def begin(self, request: Connect) -> None:
        """Make the session and subscribe; 503 if the server is full."""
        site = self._site
        if not site.hub.has_room(self.address, self.admission.identity.user):
            raise PycaError("server_full")
        tune(self._stream)
        framings = (EVENTS, EVENTS)
        self.session = RequestSession(site.services, site.native, self, framings, self.admission.identity)
        site.hub.add(self)
        self.ping()  # sends the headers, so that the peer knows that it is connected
        self.session.execute(request)

    def end(self) -> None:
        """The stream is over."""
        self._site.hub.remove(self)
        self._end_session()
        self.writer.end()
        self.closed.set()

    def ping(self) -> bool:
        """A comment, which keeps proxies from closing the stream; there is no answer to it."""
        self.writer.write([b":\n\n"])
        return False

    def close(self, code: CloseCode) -> None:
        """End the stream: EventSource comes back by itself."""
        if self.session is not None:
            self._site.figures.closes[code.code] += 1
            self.end()
            if code is TOO_SLOW:
                reset(self._stream)  # it would not read the end of the stream either

    @property
    def _carrier(self) -> IOStream:
        return self._stream

    def _send(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        self._handler.write(bytes(data))
        return self._handler.flush()
