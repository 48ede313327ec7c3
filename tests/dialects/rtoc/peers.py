"""A station with a few signals on a fake source, and peers of it."""

import json
from typing import Any

from pycaserver.core.identity import Identity
from pycaserver.dialects.rtoc.mapping import RtocAction, RtocPlugin, RtocSignal
from pycaserver.dialects.rtoc.session import RtocSession
from pycaserver.dialects.rtoc.station import Station
from pycaserver.sections import Rtoc
from tests.fakes import FRAMINGS, FakeLimits, FakeTransport, World

SIGNALS = [
    RtocSignal(dname="Cryostat", sname="T1", pv="T1"),
    RtocSignal(dname="Cryostat", sname="Setpoint", pv="SP", write=True),
    RtocSignal(dname="Scope", sname="Trace", pv="WAVE", unit="mV"),
]
ACTIONS = [RtocAction(name="vent", put=(("VALVE", 1), ("SP", 20.0)))]
PLUGINS = [RtocPlugin(name="Cryostat", parameters=("SP",), functions=("vent",))]


def mapping(**keys: Any) -> Rtoc:
    return Rtoc(**{"enabled": True, "signal": SIGNALS, "action": ACTIONS, "plugin": PLUGINS, **keys})


def station(world: World, limits: FakeLimits | None = None, **keys: Any) -> Station:
    return Station(world.services(limits or FakeLimits()), mapping(**keys))


class RtocPeer:
    """One peer: asks, and hears."""

    def __init__(self, station: Station, world: World, address: str = "10.0.0.1", *, direct: bool = True) -> None:
        self.transport = FakeTransport()
        self.clock = world.clock
        self.station = station
        identity = Identity(address=address)
        self.session = RtocSession(station, self.transport, FRAMINGS[0], identity, direct=direct)
        self._heard = 0

    def says(self, data: bytes) -> None:
        self.session.receive(data)
        self.clock.run()

    def asks(self, **keys: Any) -> list[Any]:
        """All that is heard when it has asked."""
        self.sends(**keys)
        return self.hears()

    def sends(self, **keys: Any) -> None:
        """Ask, and no more."""
        data = json.dumps(keys).encode()
        self.session.receive(self.session.cipher.encrypt(data) if self.session.cipher else data)

    @property
    def told(self) -> bool:
        """Whether there is something that it has not heard."""
        return len(self.transport.taken) > self._heard

    def hears(self) -> list[Any]:
        self.clock.run()
        pieces, self._heard = self.transport.taken[self._heard :], len(self.transport.taken)
        cipher = self.session.cipher
        return [json.loads(cipher.decrypt(piece[1:]) if cipher else piece[1:]) for piece in pieces]
