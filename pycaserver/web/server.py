"""Listener: the HTTP server on its port, with or without TLS; a dialect may have a port of its own beside it."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets
from tornado.web import Application

from pycaserver.web.connections import Connections, descriptors_for
from pycaserver.web.proxies import Proxies, network_of
from pycaserver.web.routes import application, extra_applications, foreign_dialects
from pycaserver.web.site import Site
from pycaserver.web.tcp import allow_descriptors, forget_error
from pycaserver.web.tls import Certificate

log = logging.getLogger(__name__)


class Listener:
    """Accepts connections and hands them to the routes."""

    def __init__(
        self, site: Site, static: Path, certificate: Certificate | None = None, pages: Path | None = None
    ) -> None:
        """certificate: for https and wss; OSError if it cannot be used. pages: the facility's own."""
        self._site = site
        self._certificate = certificate
        self._bounds = _bounds(site)
        dialects = foreign_dialects(site, static)
        self._server = self._serving(application(site, static, dialects, pages))
        self._extra = {port: self._serving(extra) for port, extra in extra_applications(site, dialects).items()}
        self.url = ""
        """Where the page is, once it listens."""

    def listen(self, address: str, port: int) -> None:
        """Bind and accept, also on the dialects' own ports; OSError if the address is not ours or a port is taken."""
        self._site.port = _bind(self._server, address, port)
        for extra_port, server in self._extra.items():
            _bind(server, address, extra_port)
        host = f"[{address}]" if ":" in address else address or "localhost"
        self.url = f"{'https' if self._certificate else 'http'}://{host}:{self._site.port}/"

    def reload_certificate(self) -> None:
        """Read the files again, for the connections to come; OSError if they cannot be used: then nothing changes."""
        if self._certificate:
            context = self._certificate.context()
            for server in self._servers:
                server.ssl_options = context

    def stop(self) -> None:
        """Accept no more; open connections go on."""
        for server in self._servers:
            server.stop()

    @property
    def _servers(self) -> "list[BoundedServer]":
        return [self._server, *self._extra.values()]

    def _serving(self, application: Application) -> "BoundedServer":
        """All ports obey the same Host and Origin lists, TLS, limits and identities."""
        site, certificate = self._site, self._certificate
        return BoundedServer(
            application,
            connections=self._bounds,
            proxies=lambda: site.identities.proxies,
            ssl_options=certificate.context() if certificate else None,
            idle_connection_timeout=site.limits.header_seconds,  # the TLS handshake included
            body_timeout=site.limits.header_seconds,
            max_header_size=65536,
            max_body_size=site.limits.message_bytes,
        )


def _bind(server: "BoundedServer", address: str, port: int) -> int:
    """Accept there; the port, which is a free one where 0 was asked for."""
    family = socket.AF_UNSPEC if address else socket.AF_INET
    try:
        sockets = bind_sockets(port, address or None, family=family, backlog=1024)
    except OSError as error:
        raise OSError(f"{address or 'any address'}, port {port}: {error.strerror}") from error
    server.add_sockets(sockets)
    bound: int = sockets[0].getsockname()[1]
    return bound


def _bounds(site: Site) -> Connections:
    wanted = descriptors_for(site.limits)
    granted = allow_descriptors(wanted)
    if granted < wanted:
        log.warning("limits.sessions: a full server has %d files and sockets open, but may have %d", wanted, granted)
    return Connections(site.limits, site.figures, granted)


class BoundedServer(HTTPServer):
    """Tornado's, but it knows its connections and bounds them."""

    def initialize(  # type: ignore[override]
        self,
        request_callback: Application,
        *,
        connections: Connections,
        proxies: Callable[[], Proxies],
        **options: Any,
    ) -> None:
        """Tornado's way of constructing. proxies: those that are trusted now; each stands for many peers."""
        super().initialize(request_callback, **options)
        self._bounds = connections
        self._proxies = proxies

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        """A connection is accepted; under TLS its handshake is still to come."""
        if self._bounds.admit(stream, network_of(address[0]), shared=self._proxies().is_trusted(address[0])):
            super().handle_stream(stream, address)
        else:
            stream.close()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """A connection may ask, for the first time or again."""
        stream = cast(HTTP1Connection, request_conn).stream
        self._bounds.wait(stream)
        return _Awaited(super().start_request(server_conn, request_conn), lambda: self._bounds.work(stream))

    def on_close(self, server_conn: object) -> None:
        """The connection is closed, or has become a WebSocket."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._bounds.leave(stream)
        forget_error(stream)
        super().on_close(server_conn)


class _Awaited(HTTPMessageDelegate):
    """Tells when a request has come whole."""

    def __init__(self, delegate: HTTPMessageDelegate, came: Callable[[], None]) -> None:
        self._delegate = delegate
        self._came = came
        self.headers_received = delegate.headers_received  # type: ignore[method-assign]
        self.data_received = delegate.data_received  # type: ignore[method-assign]
        self.on_connection_close = delegate.on_connection_close  # type: ignore[method-assign]

    def finish(self) -> None:
        """Headers and body are there."""
        self._came()
        self._delegate.finish()
