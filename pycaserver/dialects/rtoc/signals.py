"""The signals of RTOC: PVs of the mapping, and those that peers make, which are no PVs and live in this server only."""

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import numpy as np

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.history import Histories, HistoryBuffer, Samples
from pycaserver.core.services import Services
from pycaserver.core.values import Access, Array, DbrType, Elements, Metadata, PVValue, Texts
from pycaserver.dialects.rtoc.mapping import Mapping

SCHEME: Final = "rtoc://"
"""Before the names by which access rules know what is local: rtoc://DEVICE/SIGNAL."""
MAX_NAME: Final = 100
MOST_X: Final = 1e15
"""Greatest x of a local signal; beyond, neighbouring doubles are too far apart for a time stamp."""
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_~-]")
NANO: Final = 1_000_000_000

Curve: TypeAlias = tuple[Array | list[Any], Elements | list[Any]]
"""x and y; what is not finite is told as null."""


class Signal:
    """One signal. Its channel is that of its PV, or one of its own."""

    __slots__ = ("channel", "dname", "history", "id", "local", "pv", "sname", "unit_given", "writable")

    def __init__(
        self, id: int, dname: str, sname: str, channel: Channel, unit: str = "", *, writable: bool, local: bool = False
    ) -> None:
        self.id = id
        self.dname = dname
        self.sname = sname
        self.channel = channel
        self.pv = channel.name
        """The name by which access rules know it."""
        self.unit_given = unit
        self.writable = writable
        self.local = local
        self.history: HistoryBuffer = channel.history

    @property
    def name(self) -> str:
        """Device and signal."""
        return f"{self.dname}.{self.sname}"

    @property
    def unit(self) -> str:
        """As the settings say, or else the PV."""
        metadata = self.channel.metadata
        return self.unit_given or (metadata.units if metadata else "")

    @property
    def latest(self) -> tuple[Any, Any] | None:
        """The newest x and y."""
        value = self.channel.latest
        if value is None:
            return None
        x, y = curve_of(value)
        return (last(x), last(y)) if len(x) else None

    def ends(self) -> tuple[Any, Any]:
        """The least and greatest x of what is kept, None without any."""
        value = self.channel.latest
        is_curve = value is not None and isinstance(value.data, np.ndarray)
        x = curve_of(value)[0] if value and is_curve else self.history.all().times
        return (float(np.min(x)), float(np.max(x))) if len(x) else (None, None)

    def curve(self, most: int, xmin: float | None, xmax: float | None, *, reduce: bool = False) -> Curve:
        """The samples of that range of x: the newest `most`, or an envelope of no more. An array comes whole."""
        value = self.channel.latest
        if value is not None and isinstance(value.data, np.ndarray):
            return curve_of(value)
        samples = self.history.all() if self.local else self.history.all().distinct()
        samples = within(samples, xmin, xmax)
        samples = samples.reduced(max(1, most // 2)) if reduce else samples.last(most)
        return samples.times, samples.values

    def clear(self) -> None:
        """Forget the samples of a local signal."""
        self.history.close()
        self.channel.latest = None

    def append(self, x: float, y: float) -> None:
        """A sample of a local signal, told to those who subscribe."""
        self.channel.publish(sample(x, y))

    def replace(self, x: Array, y: Array) -> None:
        """Other samples for a local signal, told to nobody: doubles, as many of both."""
        self.clear()
        self.history.restore(Samples(x, y, np.zeros(len(x), np.uint8)))
        if len(x):
            self.channel.latest = sample(last(x), last(y))


class Signals:
    """All of them, by name and by id."""

    def __init__(self, services: Services, mapping: Mapping) -> None:
        """Opens the mapped PVs, so that their history begins now."""
        self._services = services
        self._most_local = mapping.local_signals
        self._histories = Histories(mapping.record_length)
        self.record_length = mapping.record_length
        self._by_name: dict[tuple[str, str], Signal] = {}
        self._by_pv: dict[str, Signal] = {}
        self._next_id = 0
        for row in mapping.signal:
            channel = services.pool.acquire(row.pv)
            channel.monitor()
            self._add(Signal(self._new_id(), row.dname, row.sname, channel, row.unit, writable=row.write))

    def __iter__(self) -> Iterator[Signal]:
        return iter(tuple(self._by_name.values()))

    def find(self, dname: str, sname: str) -> Signal | None:
        """By device and signal."""
        return self._by_name.get((dname, sname))

    def named(self, name: object) -> Signal:
        """By "DEVICE.SIGNAL" or id; PycaError(bad_request)."""
        if isinstance(name, str):
            dname, _, sname = name.partition(".")
            found = self.find(dname, sname)
        else:
            found = next((it for it in self if it.id == name and not isinstance(name, bool)), None)
        if found is None:
            raise PycaError("bad_request", f"There is no signal {str(name)[:MAX_NAME]!r}.")
        return found

    def of_pv(self, pv: str) -> Signal | None:
        """By the PV, or by the name of a local signal for access rules."""
        return self._by_pv.get(pv)

    def of_device(self, dname: object) -> list[Signal]:
        """Those of a device; PycaError(bad_request) if there is none."""
        found = [signal for signal in self if signal.dname == dname]
        if not found:
            raise PycaError("bad_request", f"There is no device {str(dname)[:MAX_NAME]!r}.")
        return found

    def create(self, dname: str, sname: str, unit: str) -> Signal:
        """A local one; PycaError(bad_request) if there are as many as there may be."""
        if sum(signal.local for signal in self) >= self._most_local:
            raise PycaError("bad_request", f"rtoc.local_signals is {self._most_local}.")
        services = self._services
        channel = Channel(
            local_name(dname, sname), services.clock, services.pool.fanout, services.figures, 0.0,
            HistoryBuffer(self._histories), services.events,
        )  # fmt: skip
        channel.connected(DbrType.DOUBLE, 1, "", Access(read=True, write=True))
        channel.metadata_changed(Metadata(DbrType.DOUBLE, 1, units=unit))
        return self._add(Signal(self._new_id(), dname, sname, channel, writable=True, local=True))

    def remove(self, signal: Signal) -> None:
        """Forget a local signal; nobody may be subscribed any more."""
        del self._by_name[signal.dname, signal.sname], self._by_pv[signal.pv]
        signal.channel.close()
        signal.clear()

    def resize(self, length: int) -> None:
        """Keep so many samples of each local signal."""
        self.record_length = self._histories.samples = length
        for signal in self:
            if signal.local:
                samples = signal.history.all()
                signal.clear()
                signal.history.restore(samples)

    def samples(self) -> int:
        """How many are kept in all."""
        return sum(min(signal.history.total, signal.history.capacity) for signal in self)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _add(self, signal: Signal) -> Signal:
        self._by_name[signal.dname, signal.sname] = self._by_pv[signal.pv] = signal
        return signal


def local_name(dname: str, sname: str) -> str:
    """How access rules know a local signal; PycaError(bad_request) for names that cannot be."""
    for name in (dname, sname):
        if not 0 < len(name) <= MAX_NAME or "." in name:
            raise PycaError("bad_request", f"A name has 1 to {MAX_NAME} characters and no dot: {name[:MAX_NAME]!r}.")
    return f"{SCHEME}{_quoted(dname)}/{_quoted(sname)}"


def _quoted(name: str) -> str:
    """Percent-encoded, since access rules know printable ASCII only."""
    return _UNSAFE.sub(lambda byte: b"%%%02X" % byte[0][0], name.encode()).decode()


def sample(x: float, y: float) -> PVValue:
    """A sample of a local signal; PycaError(bad_request) if x is out of all range."""
    if not abs(x) <= MOST_X:
        raise PycaError("bad_request", f"x must be within {MOST_X:g}.")
    seconds, nanos = divmod(round(x * NANO), NANO)
    return PVValue(y, 1, seconds, nanos, 0, 0)


def curve_of(value: PVValue) -> Curve:
    """One reading: an array over its indices, or one y at its time stamp."""
    data = value.data
    if isinstance(data, np.ndarray | Texts | list):
        return np.arange(len(data)), data
    return [value.timestamp], [data]


def last(elements: Elements | list[Any]) -> Any:
    """The last of at least one, as Python has it."""
    return elements[-1] if isinstance(elements, list) else elements[-1:].tolist()[0]


def within(samples: Samples, xmin: float | None, xmax: float | None) -> Samples:
    """Those of that range of x."""
    if xmin is not None:
        samples = samples.since(xmin)
    if xmax is not None:
        kept = samples.times <= xmax
        samples = Samples(samples.times[kept], samples.values[kept], samples.severities[kept])
    return samples
