"""RTOC's row of the contract."""

import json

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.services import Services
from pycaserver.dialects.rtoc.mapping import RtocSignal
from pycaserver.dialects.rtoc.session import RtocSession
from pycaserver.dialects.rtoc.station import Station
from pycaserver.sections import Rtoc
from tests.dialects.contract import Heard, Row
from tests.fakes import FRAMINGS


def open_session(services: Services, transport: Transport) -> RtocSession:
    mapping = Rtoc(signal=[RtocSignal(dname="D", sname="S", pv="PV", write=True)])
    return RtocSession(Station(services, mapping), transport, FRAMINGS[0], Identity())


def read(message: bytes) -> Heard:
    said = json.loads(message)
    if said.get("error"):
        return ["error"]
    if "event" in said:
        return ["gone"] if said["event"]["text"].startswith("disconnected") else []
    if "signal" not in said:
        return []
    ys = said["signal"]["y"]
    return [["NaN" if y is None else y for y in ys]] if len(ys) > 1 else ["NaN" if y is None else y for y in ys]


ROW = Row(
    open=open_session,
    subscribe=b'{"subscribe": ["signal", "D.S"]}',
    write=b'{"y": [5], "sname": ["S"], "dname": "D"}',
    read=read,
    lasting=True,
)
