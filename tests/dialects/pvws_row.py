"""PV Web Socket's row of the contract."""

import json
from base64 import b64decode

import numpy as np

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.services import Services
from pycaserver.dialects.pvws import PvwsSession
from pycaserver.sections import Pvws
from tests.dialects.contract import Heard, Row
from tests.fakes import FRAMINGS


def open_session(services: Services, transport: Transport) -> PvwsSession:
    return PvwsSession(services, transport, FRAMINGS[0], Identity(), None, Pvws())


def read(message: bytes) -> Heard:
    said = json.loads(message)
    if said["type"] == "error":
        return ["error"]
    if "b64dbl" in said:
        return [np.frombuffer(b64decode(said["b64dbl"]), "<f8").tolist()]
    if said.get("readonly") and said.get("severity") == "INVALID":
        return ["gone"]
    return [said["value"]] if "value" in said else []


ROW = Row(
    open=open_session,
    subscribe=b'{"type": "subscribe", "pvs": ["PV"]}',
    write=b'{"type": "write", "pv": "PV", "value": 5}',
    read=read,
)
