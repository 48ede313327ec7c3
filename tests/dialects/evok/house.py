"""A board of devices on a fake world, and peers that speak Evok."""

import json
from dataclasses import dataclass, field
from typing import Any

from pycaserver.core.identity import Identity
from pycaserver.core.rights import Gate
from pycaserver.core.values import DbrType, Limits, Metadata
from pycaserver.dialects.evok.board import Board
from pycaserver.dialects.evok.device import Device, Point, Profile
from pycaserver.dialects.evok.session import EvokSession
from tests.fakes import READ_WRITE, FakeLimits, FakeTransport, Lines, World

TICK = 0.05
DEVICES = (
    Device("do", "1_01", Point("DO", write=True), alias="lamp"),
    Device("ro", "2_01", Point("RO", write=True)),
    Device("di", "1_01", Point("DI"), debounce=Point("DEBOUNCE", write=True)),
    Device("ai", "1_01", Point("AI"), mode=Point("MODE", write=True)),
    Device("ao", "1_01", Point("AO", write=True), mode="Voltage", unit="V", range=(0.0, 10.0)),
    Device("register", "1_0", Point("REGISTER", write=True)),
    Device("led", "1_01", 1.0),
)


class EvokPeer:
    """A session with the fake transport at its end."""

    def __init__(self, world: World, board: Board, gate: Gate | None = None, **limits: Any) -> None:
        self.transport = FakeTransport()
        self._world = world
        services = world.services(FakeLimits(**limits))
        self.session = EvokSession(services, board, self.transport, Lines(), Identity(), gate)
        self._heard = 0

    def says(self, message: str | bytes) -> None:
        """Send a message."""
        self.session.receive(message.encode() if isinstance(message, str) else message)
        self._world.clock.run()

    def asks(self, cmd: str, **keys: Any) -> None:
        """Send a command."""
        self.says(json.dumps({"cmd": cmd, **keys}))

    def hears(self) -> list[Any]:
        """The messages that came since the last time, after a tick."""
        self._world.clock.advance(TICK)
        pieces, self._heard = list(self.transport.taken)[self._heard :], len(self.transport.taken)
        assert all(piece[:1] == b"T" for piece in pieces)
        return [json.loads(piece[1:]) for piece in pieces]

    def values(self) -> list[list[tuple[str, str, Any]]]:
        """The same in short: dev, circuit and value of the objects of each list."""
        return [[(each["dev"], each["circuit"], each["value"]) for each in message] for message in self.hears()]

    def takes(self, size: int) -> None:
        """Take so many bytes of what waits."""
        self.transport.take(size)
        self.session.outbox.on_room()
        self._world.clock.run()


@dataclass
class House:
    """The board, with all its PVs connected, and as many peers as a test wants."""

    world: World = field(default_factory=World)
    devices: tuple[Device, ...] = DEVICES
    profile: Profile = "v3"
    connected: bool = True

    def __post_init__(self) -> None:
        self.board = Board(self.devices, self.profile, TICK, self.world.pool, self.world.clock)
        if self.connected:
            for name in self.world.source.channels:
                self.bring_up(name)

    def bring_up(self, name: str) -> None:
        """The PV connects and has the value 0."""
        source = self.world.source[name]
        type_ = DbrType.ENUM if name in ("DO", "MODE") else DbrType.LONG if name == "REGISTER" else DbrType.DOUBLE
        states = {"DO": ("Off", "On"), "MODE": ("Voltage", "Current")}.get(name, ())
        source.channel.connected(type_, 1, "ioc:5064", READ_WRITE)
        metadata = Metadata(type_, 1, units="mA", enum_strs=states, display=Limits(4.0, 20.0))
        source.channel.metadata_changed(metadata)
        source.post(0 if type_ in (DbrType.ENUM, DbrType.LONG) else 0.0)

    def post(self, name: str, *values: Any) -> None:
        """The IOC posts values."""
        self.world.source[name].post(*values)

    def peer(self, gate: Gate | None = None, **limits: Any) -> EvokPeer:
        return EvokPeer(self.world, self.board, gate, **limits)
