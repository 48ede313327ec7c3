"""The native protocol's row of the contract."""

import json

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.request_session import RequestSession
from pycaserver.core.services import Services
from pycaserver.dialects.native import NativeDialect
from tests.dialects.contract import Heard, Row
from tests.fakes import FRAMINGS


def open_session(services: Services, transport: Transport) -> RequestSession:
    return RequestSession(services, NativeDialect(), transport, FRAMINGS, Identity())


def read(message: bytes) -> Heard:
    said = json.loads(message)
    if said["msg_type"] == "connection":
        return [] if said["conn"] else ["gone"]
    return {"monitor": [said.get("value")], "error": ["error"]}.get(said["msg_type"], [])


ROW = Row(
    open=open_session,
    subscribe=b'{"action": "connect", "pv": "PV"}',
    write=b'{"action": "put", "pv": "PV", "value": 5}',
    read=read,
)
