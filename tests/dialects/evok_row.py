"""Evok's row of the contract."""

import json

from pycaserver.core.identity import Identity
from pycaserver.core.outbox import Transport
from pycaserver.core.services import Services
from pycaserver.dialects.evok.board import Board
from pycaserver.dialects.evok.device import Device, Point
from pycaserver.dialects.evok.session import EvokSession
from tests.dialects.contract import Heard, Row
from tests.fakes import FRAMINGS

TICK = 0.05


class OnlySession(EvokSession):
    """The board, which otherwise outlives sessions, ends with it."""

    def ended(self) -> None:
        super().ended()
        self._board.close()


def open_session(services: Services, transport: Transport) -> EvokSession:
    device = Device("ao", "1_01", Point("PV", write=True))
    board = Board([device], "v3", TICK, services.pool, services.clock)
    return OnlySession(services, board, transport, FRAMINGS[0], Identity())


def read(message: bytes) -> Heard:
    return ["gone" if each["value"] is None else each["value"] for each in json.loads(message)]


ROW = Row(
    open=open_session,
    subscribe=b'{"cmd": "all"}',
    write=b'{"cmd": "set", "dev": "ao", "circuit": "1_01", "value": 5}',
    read=read,
    arrays=lambda heard: [array[0] for array in heard],
    nan="gone",
    seconds=TICK,
    merges=True,
    tells_errors=False,
)
