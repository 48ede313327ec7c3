"""Socket.IO events, as the contract speaks them."""

import json

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.services import Services
from pycaserver.dialects.native import NativeDialect
from pycaserver.dialects.xovac import Commands, XovacSession
from tests.dialects.contract import Heard, Row
from tests.fakes import FRAMINGS


class Open:
    """Everybody may be."""

    locked = False

    def authenticate(self, token: str) -> Identity:
        return Identity(user=token)


def open_session(services: Services, transport: Transport, commands: Commands | None = None) -> XovacSession:
    native, known = NativeDialect(), commands or Commands([], [])
    return XovacSession(services, native, transport, FRAMINGS[0], Identity(), Open(), known)


def read(message: bytes) -> Heard:
    said = json.loads(message)
    if isinstance(said, list) or said["msg_type"] == "connection":
        return ["gone"] if isinstance(said, dict) and not said["conn"] else []
    return {"monitor": [said.get("value")], "error": ["error"]}.get(said["msg_type"], [])


ROW = Row(
    open=open_session,
    subscribe=b'["connect_pv", "PV"]',
    write=b'["put", {"pv": "PV", "value": 5}]',
    read=read,
)
