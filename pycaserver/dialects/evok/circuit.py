"""Circuit: a device as it is now: its PVs, the object that Evok would send, and the timer of a set with a time-out."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Timer
from pycaserver.core.pool import ChannelPool
from pycaserver.core.values import Data, Metadata, Texts
from pycaserver.core.watch import Watch
from pycaserver.dialects.encoding import text_of
from pycaserver.dialects.evok.device import FIELDS, SPOKEN, Device, Kind, Point, Profile

Changed: TypeAlias = "Callable[[Circuit], object]"
MayRead: TypeAlias = Callable[[str], bool]

_ENCODER: Final = msgspec.json.Encoder()


class Circuit:
    """One device; opens the channels of its PVs and keeps them open."""

    def __init__(self, device: Device, profile: Profile, pool: ChannelPool, changed: Changed) -> None:
        """changed: called whenever the object may be another than before."""
        self.device = device
        self._profile: Profile = profile
        self._watches = {name: Watch(pool, point.pv, self._on_change) for name, point in device.points.items()}
        self._changed = changed
        self._timer: Timer | None = None
        self._whole: bytes | None = None

    @property
    def kind(self) -> Kind:
        """Of the device."""
        return self.device.dev

    @property
    def pending(self) -> bool:
        """Whether its value is going to be undone."""
        return self._timer is not None

    def encoded(self, may_read: MayRead) -> bytes:
        """The object as JSON; fields are null whose PVs may not be read."""
        channels = {name: watch.channel for name, watch in self._watches.items()}
        shown = {name: channel for name, channel in channels.items() if may_read(channel.name)}
        if len(shown) < len(channels):
            return self._encode(shown)
        if self._whole is None:
            self._whole = self._encode(shown)
        return self._whole

    def await_undoing(self, timer: Timer | None) -> None:
        """From now on this timer, if any, stands for what is to come; the one before does not come any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer
        self._on_change()

    def undone(self) -> None:
        """What the timer stood for has come."""
        self._timer = None
        self._on_change()

    def close(self) -> None:
        """Leave the channels."""
        for watch in self._watches.values():
            watch.end()

    # -- inside

    def _on_change(self) -> None:
        self._whole = None
        self._changed(self)

    def _encode(self, channels: dict[str, Channel]) -> bytes:
        device = self.device
        found = {"dev": device.dev, **SPOKEN[self._profile].get(device.dev, {}), "circuit": device.circuit}
        fields: dict[str, Any] = dict(found)
        for name in FIELDS[device.dev]:
            field = self._field(name, channels)
            if field is not UNSET:
                fields[name] = field
        return _ENCODER.encode(fields | ({"alias": device.alias} if device.alias else {}))

    def _field(self, name: str, channels: dict[str, Channel]) -> Any:
        given = getattr(self.device, name, None)
        if name == "value":
            data = data_of(channels.get(name)) if isinstance(given, Point) else given
            return CONVERTERS[self.kind](data)
        if isinstance(given, Point):
            return plain(name, channels.get(name))
        if given is not None:
            return given
        return _LEFT_OUT[name](self, channels) if name in _LEFT_OUT else UNSET

    def _glob_dev_id(self, channels: dict[str, Channel]) -> Any:
        return 1 if self._profile == "v2" else UNSET

    def _unit(self, channels: dict[str, Channel]) -> str | None:
        metadata = _metadata(channels.get("value"))
        return metadata.units if metadata else None

    def _range(self, channels: dict[str, Channel]) -> list[float] | None:
        metadata = _metadata(channels.get("value"))
        limits = metadata.display if metadata else None
        return None if limits is None or not np.isfinite([limits.low, limits.high]).all() else [limits.low, limits.high]

    def _modes(self, channels: dict[str, Channel]) -> Any:
        metadata = _metadata(channels.get("mode"))
        now = self._field("mode", channels)
        names = metadata.enum_strs if metadata and metadata.enum_strs else (now,) if now is not None else ()
        if self.kind in ("do", "di"):
            return names
        scale = {"unit": self._field("unit", channels), "range": self._field("range", channels)}
        return {name: {"value": i, **(scale if name == now else {})} for i, name in enumerate(names)}

    def _time(self, channels: dict[str, Channel]) -> float | None:
        channel = channels.get("value")
        return channel.latest.timestamp if channel is not None and channel.latest is not None else None


_LEFT_OUT: Final[dict[str, Callable[[Circuit, dict[str, Channel]], Any]]] = {
    "pending": lambda circuit, _: circuit.pending,
    "unit": Circuit._unit,
    "range": Circuit._range,
    "mode": lambda *_: "Simple",
    "modes": Circuit._modes,
    "debounce": lambda *_: 0,
    "counter": lambda *_: 0,
    "counter_mode": lambda *_: "Disabled",
    "counter_modes": lambda *_: ["Disabled"],
    "glob_dev_id": Circuit._glob_dev_id,
    "address": lambda circuit, _: circuit.device.circuit,
    "lost": lambda circuit, channels: (
        isinstance(circuit.device.value, Point) and data_of(channels.get("value")) is None
    ),
    "time": Circuit._time,
}
"""What a field is that the settings leave out; those that are not here are absent then."""


def data_of(channel: Channel | None) -> Data:
    """The newest value; None while there is none."""
    known = channel is not None and channel.known and channel.latest is not None
    return channel.latest.data if known and channel is not None and channel.latest is not None else None


TEXTS: Final = frozenset({"unit", "mode", "counter_mode", "address", "type"})
"""Fields that an array of chars is the text of."""
ENDS: Final = 2
"""Elements of a range."""


def plain(field: str, channel: Channel | None) -> Any:
    """The newest value as JSON can say it: the state of an enum, null for what is no number.

    Of an array the first element, or the first two of the range.
    """
    data, metadata = data_of(channel), _metadata(channel)
    if isinstance(data, np.ndarray) and data.dtype == np.uint8 and field in TEXTS:
        return text_of(data)
    if isinstance(data, np.ndarray | Texts | list):
        first = data[:ENDS]
        said = [_scalar(each, metadata) for each in (first if isinstance(first, list) else first.tolist())]
        return said if field == "range" else said[0] if said else None
    return _scalar(data, metadata)


def _scalar(data: Data, metadata: Metadata | None) -> Any:
    if isinstance(data, float):
        return number(data)
    states = metadata.enum_strs if metadata else ()
    return states[data] if isinstance(data, int) and 0 <= data < len(states) else data


def _metadata(channel: Channel | None) -> Metadata | None:
    return channel.metadata if channel is not None and channel.known else None


def number(data: Data) -> float | None:
    """A finite number; of an array the first element, as Channel Access gives a client that asks for one."""
    if isinstance(data, np.ndarray):
        return number(data[0]) if len(data) else None
    if isinstance(data, str | list | Texts) or data is None:
        return None
    return float(data) if np.isfinite(data) else None


def integer(data: Data) -> int | None:
    """The same, cut off."""
    found = number(data)
    return None if found is None else int(found)


def bit(data: Data) -> int | None:
    """0, or 1 for anything else."""
    found = number(data)
    return None if found is None else int(found != 0)


CONVERTERS: Final[dict[Kind, Callable[[Data], float | int | None]]] = {
    "ro": bit, "do": bit, "di": bit, "led": bit, "wd": bit,
    "ai": number, "ao": number, "temp": number, "register": integer,
}  # fmt: skip
"""What `value` is, by the kind of device."""
