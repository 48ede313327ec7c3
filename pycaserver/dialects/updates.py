"""What PV Web Socket tells of a PV: updates, each of which a client merges into the ones before."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType

from pycaserver.core.channel import Channel
from pycaserver.core.groups import Update as Change
from pycaserver.core.outbox import Frame, Framing
from pycaserver.core.terms import number_message
from pycaserver.core.values import Array, Data, DbrType, Limits, Metadata, PVValue, Texts, is_large
from pycaserver.dialects.encoding import PIECES, json_pieces, little_endian, spliced
from pycaserver.dialects.prepared import PreparingEncoder

_ENCODER: Final = msgspec.json.Encoder()


class Update(Struct, tag_field="type", tag="update", kw_only=True):
    """The keys in the order of the original; what is left out stays as it was."""

    pv: str
    vtype: str | UnsetType = UNSET
    units: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    precision: int | UnsetType = UNSET
    min: float | str | UnsetType = UNSET
    max: float | str | UnsetType = UNSET
    warn_low: float | str | UnsetType = UNSET
    warn_high: float | str | UnsetType = UNSET
    alarm_low: float | str | UnsetType = UNSET
    alarm_high: float | str | UnsetType = UNSET
    labels: tuple[str, ...] | UnsetType = UNSET
    severity: str | UnsetType = UNSET
    value: float | str | list[str] | UnsetType = UNSET
    text: str | UnsetType = UNSET
    b64dbl: str | UnsetType = UNSET
    b64flt: str | UnsetType = UNSET
    b64int: str | UnsetType = UNSET
    b64srt: str | UnsetType = UNSET
    b64byt: str | UnsetType = UNSET
    readonly: bool | UnsetType = UNSET
    seconds: int
    nanos: int

    def json(self) -> bytes:
        """As it is sent."""
        return _ENCODER.encode(self)


_SEVERITIES: Final = ("NONE", "MINOR", "MAJOR", "INVALID")
_SCALARS: Final = {
    DbrType.STRING: "VString",
    DbrType.SHORT: "VShort",
    DbrType.FLOAT: "VFloat",
    DbrType.ENUM: "VEnum",
    DbrType.CHAR: "VByte",
    DbrType.LONG: "VInt",
    DbrType.DOUBLE: "VDouble",
    DbrType.INT64: "VLong",
}
_ARRAYS: Final = {
    "f8": ("b64dbl", "VDoubleArray"),
    "f4": ("b64flt", "VFloatArray"),
    "i4": ("b64int", "VIntArray"),
    "i2": ("b64srt", "VShortArray"),
    "i1": ("b64byt", "VByteArray"),
    "u1": ("b64byt", "VByteArray"),
}
"""By the type of the elements. Others are sent as float64, which holds them; bytes have no sign in the protocol."""
_EMPTY: Final[dict[DbrType, dict[str, Any]]] = {
    DbrType.STRING: {"value": []},
    DbrType.SHORT: {"b64srt": ""},
    DbrType.FLOAT: {"b64flt": ""},
    DbrType.CHAR: {"b64byt": ""},
    DbrType.LONG: {"b64int": ""},
}
"""Arrays without elements; b64dbl for the others."""
_NOTHING: Final[dict[DbrType, dict[str, Any]]] = {
    DbrType.STRING: {"text": ""},
    DbrType.ENUM: {"value": "NaN", "text": ""},
}
"""Scalars without a value; NaN for the others."""


class UpdateEncoder(PreparingEncoder):
    """Makes the updates of one channel: what has changed since the last one, or all there is to say.

    A subscription that shares it has either been told every value, or is about to be told all that there is to say.
    Which severity was told last is not known for both, so the change after such a one says the severity again.
    """

    __slots__ = ("_framing", "_metadata", "_readonly", "_severity", "_shared")

    def __init__(self, framing: Framing, *, readonly: bool, shared: bool) -> None:
        super().__init__()
        self._framing = framing
        self._readonly = readonly
        self._shared = shared
        self._metadata: Metadata | None = None
        self._severity = -1

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        """For one subscription, which may have missed updates."""
        if not self._shared:
            return self.change(channel, value)
        self._severity = -1
        return self._finish(value, lambda shown: whole(channel, shown, readonly=self._readonly))

    def pieces(self, channel: Channel, value: PVValue) -> Iterator[bytes] | None:
        """Of a large array, as base64; of strings as JSON."""
        data = value.data
        if not isinstance(data, np.ndarray | Texts) or not is_large(data):
            return None
        return json_pieces(data) if isinstance(data, Texts) else PIECES["base64"](_sendable(data))

    def batch(self, updates: list[Change]) -> list[Frame]:
        """For all that have missed nothing."""
        frames = []
        for group, value, _ in updates:
            assert isinstance(group.encode, UpdateEncoder)
            frames.append(group.encode.change(group.channel, value))
        return frames

    def change(self, channel: Channel, value: PVValue) -> Frame:
        """The next update; all there is to say if the metadata are others, and after forget."""
        if channel.metadata is not self._metadata:
            self._metadata, self._severity = channel.metadata, value.severity
            return self._finish(value, lambda shown: whole(channel, shown, readonly=self._readonly))
        changed, self._severity = value.severity != self._severity, value.severity
        return self._finish(value, lambda shown: _changed(channel, shown, changed=changed))

    def forget(self) -> None:
        """What was told before does not hold any more: there is a new connection."""
        self._metadata = None

    def _finish(self, value: PVValue, make: Callable[[PVValue], Update]) -> Frame:
        """The update with that value; one whose array is prepared is made without, and gets it in pieces."""
        pieces = self.prepared(value)
        if pieces is None:
            return self._framing.text(make(value).json())
        data = value.data
        assert isinstance(data, np.ndarray | Texts)
        update = make(msgspec.structs.replace(value, data=data[:0]))
        opening = '"value":[' if isinstance(data, Texts) else f'"{_array_type(data)[0]}":"'
        return self._framing.long(spliced(update.json(), opening.encode(), pieces))


def _changed(channel: Channel, value: PVValue, *, changed: bool) -> Update:
    """What differs from the update before. changed: whether the severity does."""
    keys = _value_keys(value.data, channel.metadata)
    update = Update(pv=channel.name, **keys, seconds=value.seconds, nanos=value.nanos)
    if changed:
        update.severity = _severity_name(value.severity)
    return update


def whole(channel: Channel, value: PVValue, *, readonly: bool) -> Update:
    """All there is to say of a PV."""
    metadata = channel.metadata or Metadata(DbrType.DOUBLE, value.count)
    return Update(
        pv=channel.name,
        vtype=_vtype(value.data, metadata),
        **_metadata_keys(metadata),
        severity=_severity_name(value.severity),
        **_value_keys(value.data, metadata),
        readonly=readonly,
        seconds=value.seconds,
        nanos=value.nanos,
    )


def unknown(name: str, now: float) -> Update:
    """A PV that is not connected yet; now: UNIX seconds."""
    return Update(pv=name, readonly=True, **_time_keys(now))


def lost(name: str, metadata: Metadata, now: float) -> Update:
    """A PV that is not connected any more: nothing of its value is left after a merge; now: UNIX seconds."""
    if metadata.count > 1:
        nothing = _EMPTY.get(metadata.type, {"b64dbl": ""})
    else:
        nothing = _NOTHING.get(metadata.type, {"value": "NaN"})
    return Update(pv=name, severity="INVALID", **nothing, readonly=True, **_time_keys(now))


def _time_keys(now: float) -> dict[str, Any]:
    seconds = int(now)
    return {"seconds": seconds, "nanos": int((now - seconds) * 1_000_000_000)}


def _vtype(data: Data, metadata: Metadata) -> str:
    if isinstance(data, np.ndarray):
        return _array_type(data)[1]
    return "VStringArray" if isinstance(data, list | Texts) else _SCALARS[metadata.type]


def _value_keys(data: Data, metadata: Metadata | None) -> dict[str, Any]:
    if isinstance(data, np.ndarray):
        return _array_keys(data)
    if isinstance(data, float):
        return {"value": number_message(data)}
    if isinstance(data, int):
        enum = metadata is not None and metadata.type is DbrType.ENUM
        return {"value": data, "text": _label(data, metadata)} if enum else {"value": data}
    if isinstance(data, str):
        return {"text": data}
    if isinstance(data, Texts):
        return {"value": data.tolist()}
    return {"value": "NaN" if data is None else data}


def _label(index: int, metadata: Metadata | None) -> str:
    labels = metadata.enum_strs if metadata else ()
    return labels[index] if index < len(labels) else str(index)


def _array_type(array: Array) -> tuple[str, str]:
    return _ARRAYS.get(array.dtype.str[1:], _ARRAYS["f8"])


def _array_keys(array: Array) -> dict[str, Any]:
    return {_array_type(array)[0]: b64encode(little_endian(_sendable(array)).tobytes()).decode()}


def _sendable(array: Array) -> Array:
    return array if array.dtype.str[1:] in _ARRAYS else array.astype(np.float64)


def _metadata_keys(metadata: Metadata) -> dict[str, Any]:
    if metadata.type is DbrType.STRING:
        return {}
    if metadata.type is DbrType.ENUM:
        return {"labels": metadata.enum_strs}
    return {
        "units": metadata.units,
        "description": "",  # Channel Access has none
        "precision": metadata.precision or 0,
        **_limit_keys("min", "max", metadata.display),
        **_limit_keys("warn_low", "warn_high", metadata.warning),
        **_limit_keys("alarm_low", "alarm_high", metadata.alarm),
    }


def _limit_keys(low: str, high: str, limits: Limits | None) -> dict[str, Any]:
    if limits is None:
        return {low: "NaN", high: "NaN"}
    return {low: number_message(limits.low), high: number_message(limits.high)}


def _severity_name(severity: int) -> str:
    return _SEVERITIES[severity] if severity < len(_SEVERITIES) else "UNDEFINED"
