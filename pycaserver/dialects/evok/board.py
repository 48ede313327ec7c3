"""Board: all devices of the settings, shared by all sessions, and the ticks after which changes are told."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from pycaserver.core.clock import Clock, Timer
from pycaserver.core.piecework import Pieces
from pycaserver.core.pool import ChannelPool
from pycaserver.dialects.evok.circuit import Circuit
from pycaserver.dialects.evok.device import FIELDS, NAMES, Device, Kind, Profile


class Board:
    """Its channels stay open, so that a new peer finds all values."""

    def __init__(
        self, devices: Sequence[Device], profile: Profile, tick_seconds: float, pool: ChannelPool, clock: Clock
    ) -> None:
        self.tick_seconds = tick_seconds
        self.listeners: dict[Callable[[list[Circuit]], object], None] = {}
        """Told after a tick of all circuits that may have changed."""
        self._clock = clock
        self._piecework = pool.fanout.piecework
        self._names = NAMES[profile]
        self._changed: dict[Circuit, None] = {}
        self._timer: Timer | None = None
        self._circuits: dict[Kind, dict[str, Circuit]] = {kind: {} for kind in FIELDS}
        for device in devices:
            circuit = Circuit(device, profile, pool, self._on_change)
            self._circuits[device.dev] |= {name: circuit for name in (device.circuit, device.alias) if name}

    def __iter__(self) -> Iterator[Circuit]:
        """All, in Evok's order."""
        return iter(dict.fromkeys(chain.from_iterable(circuits.values() for circuits in self._circuits.values())))

    def kinds(self, name: str) -> tuple[Kind, ...]:
        """What a request means by that `dev`; none if there is no such thing."""
        return self._names.get(name, ())

    def find(self, dev: str, circuit: str) -> Circuit | None:
        """The device by its dev, under any of its names, and its circuit or alias."""
        found = (self._circuits[kind].get(circuit) for kind in self.kinds(dev))
        return next((each for each in found if each is not None), None)

    def close(self) -> None:
        """Leave all channels."""
        if self._timer is not None:
            self._timer.cancel()
        for circuit in self:
            circuit.close()

    def _on_change(self, circuit: Circuit) -> None:
        if not self.listeners:
            return
        self._changed[circuit] = None
        if self._timer is None:
            self._timer = self._clock.call_later(self.tick_seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        changed, self._changed = list(self._changed), {}
        self._piecework.begin(self._tell(changed))

    def _tell(self, changed: list[Circuit]) -> Pieces:
        """Each of the listeners in turn: there may be many, and many circuits."""
        for listener in list(self.listeners):
            if listener in self.listeners:
                listener(changed)
                yield listener
