"""`python -m tests.autobahn.echo serve ...` is the server with one address more: /echo sends each message back.

Its handler is that of /monitor; only what is done with a message is another.
"""

from functools import partial
from typing import Any

from tornado.web import Application

from pycaserver.cli import main
from pycaserver.web import routes, server
from pycaserver.web.framing import frame
from pycaserver.web.site import Site
from pycaserver.web.websocket import Protocol, SessionSocket


class EchoProtocol(Protocol):
    """Remembers whether a message is text."""

    handler: "Echo"

    def _handle_message(self, opcode: int, data: bytes) -> Any:
        self.handler.opcode = opcode
        return super()._handle_message(opcode, data)


class Echo(SessionSocket):
    """Sends each message back as it came."""

    opcode = 0

    def get_websocket_protocol(self) -> EchoProtocol | None:
        ours = super().get_websocket_protocol()
        return EchoProtocol(self, False, ours.params) if isinstance(ours, Protocol) else None

    async def on_message(self, message: str | bytes) -> None:
        assert isinstance(message, bytes) and self.peer is not None
        self.peer.write([frame(self.opcode, message)])


def with_echo(site: Site, *arguments: Any) -> Application:
    """The server's application, and the address that echoes."""
    application = routes.application(site, *arguments)
    session = partial(routes._native, site)
    application.add_handlers(".*", [(r"/echo", Echo, {"site": site, "open_session": session})])
    return application


if __name__ == "__main__":
    server.application = with_echo
    main()
