"""Listener: the HTTP server on its port."""

import socket
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from pycaserver.web.routes import application
from pycaserver.web.site import Site


class Listener:
    """Accepts connections and hands them to the routes."""

    def __init__(self, site: Site, static: Path) -> None:
        self._site = site
        self._server = HTTPServer(
            application(site, static),
            idle_connection_timeout=site.limits.header_seconds,
            body_timeout=site.limits.header_seconds,
            max_header_size=65536,
            max_body_size=site.limits.message_bytes,
        )
        self.url = ""
        """Where the page is, once it listens."""

    def listen(self, address: str, port: int) -> None:
        """Bind and accept; OSError if the address is not ours or the port is taken."""
        family = socket.AF_UNSPEC if address else socket.AF_INET
        try:
            sockets = bind_sockets(port, address or None, family=family, backlog=1024)
        except OSError as error:
            raise OSError(f"{address or 'any address'}, port {port}: {error.strerror}") from error
        self._site.port = sockets[0].getsockname()[1]
        self._server.add_sockets(sockets)
        host = f"[{address}]" if ":" in address else address or "localhost"
        self.url = f"http://{host}:{self._site.port}/"

    def stop(self) -> None:
        """Accept no more; open connections go on."""
        self._server.stop()
