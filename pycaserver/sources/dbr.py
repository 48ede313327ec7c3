"""DBR_TIME_* and DBR_CTRL_* bytes to values: the layouts of db_access.h as literal tables. Pure."""

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from sys import intern
from typing import Any, Final, NamedTuple

import numpy as np

from pycaserver.core.values import DbrType, Elements, Limits, Metadata, PVValue, Texts, decode_text, is_large

EPICS_EPOCH: Final = 631152000
"""UNIX seconds of 1990-01-01T00:00:00Z, at which EPICS time begins."""

STS: Final = 7
"""DBR_STS_x is the native type plus this."""
TIME: Final = 14
"""DBR_TIME_x is the native type plus this."""
CTRL: Final = 28
"""DBR_CTRL_x is the native type plus this."""

DYNAMIC: Final = 0
"""An element count of 0 asks the IOC for as many as there are now."""

STRING_SIZE: Final = 40


class Layout(NamedTuple):
    """How the elements of DBR_TIME_x lie: where they begin, their size in bytes, their numpy type; and a scalar."""

    offset: int
    size: int
    dtype: str
    scalar: Struct
    """Status, severity, seconds, nanoseconds and one element."""


_STAMP: Final = Struct("=hhII")

TIME_LAYOUTS: Final = {
    DbrType.STRING: Layout(12, STRING_SIZE, "S40", Struct("=hhII40s")),
    DbrType.SHORT: Layout(14, 2, "i2", Struct("=hhII2xh")),
    DbrType.FLOAT: Layout(12, 4, "f4", Struct("=hhIIf")),
    DbrType.ENUM: Layout(14, 2, "u2", Struct("=hhII2xH")),
    DbrType.CHAR: Layout(15, 1, "u1", Struct("=hhII3xB")),
    DbrType.LONG: Layout(12, 4, "i4", Struct("=hhIIi")),
    DbrType.DOUBLE: Layout(16, 8, "f8", Struct("=hhII4xd")),
}

_UNPACK_SCALAR: Final = {TIME + kind: layout.scalar.unpack_from for kind, layout in TIME_LAYOUTS.items()}
_TIME_STRING: Final = int(TIME + DbrType.STRING)
_NANOS: Final = 1_000_000_000


def decode_time(dbr_type: int, count: int, raw: Any, is_array: bool) -> PVValue:
    """A DBR_TIME_x event; numeric arrays are views of raw, bytes or a buffer. An empty scalar has the data None."""
    if count == 1 and not is_array:
        status, severity, seconds, nanos, data = _UNPACK_SCALAR[dbr_type](raw)
        if dbr_type == _TIME_STRING:
            data = decode_text(data)
    else:
        status, severity, seconds, nanos = _STAMP.unpack_from(raw)
        data = _array(DbrType(dbr_type - TIME), count, raw) if is_array or count > 1 else None
    if nanos >= _NANOS:  # an IOC that does not carry
        seconds, nanos = seconds + nanos // _NANOS, nanos % _NANOS
    return PVValue(data, count, EPICS_EPOCH + seconds, nanos, severity, status)


def _array(kind: DbrType, count: int, raw: Any) -> Elements | list[str]:
    layout = TIME_LAYOUTS[kind]
    array = np.frombuffer(raw, layout.dtype, count, layout.offset)
    if kind is not DbrType.STRING:
        return array
    texts = Texts(array)
    return texts if is_large(texts) else texts.tolist()


CONTROL_HEAD: Final = 4
"""Bytes of status and severity at the start of DBR_CTRL_x."""
_UNITS_SIZE: Final = 8
_STATE_SIZE: Final = 26
_MAX_STATES: Final = 16


class ControlLayout(NamedTuple):
    """Where DBR_CTRL_x keeps its units, and the eight limits behind them; counted from after the head."""

    precision: Struct | None
    units: int
    limits: Struct


_CONTROL_LAYOUTS: Final = {
    DbrType.SHORT: ControlLayout(None, 0, Struct("=8h")),
    DbrType.FLOAT: ControlLayout(Struct("=h"), 4, Struct("=8f")),
    DbrType.CHAR: ControlLayout(None, 0, Struct("=8B")),
    DbrType.LONG: ControlLayout(None, 0, Struct("=8i")),
    DbrType.DOUBLE: ControlLayout(Struct("=h"), 4, Struct("=8d")),
}

_STATE_COUNT: Final = Struct("=h")

_STATUS_OFFSETS: Final = {
    DbrType.STRING: 4,
    DbrType.SHORT: 4,
    DbrType.FLOAT: 4,
    DbrType.ENUM: 4,
    DbrType.CHAR: 5,
    DbrType.LONG: 4,
    DbrType.DOUBLE: 8,
}
"""Where the elements of DBR_STS_x begin."""

SIZES: Final = {
    **{int(STS + kind): (offset, TIME_LAYOUTS[kind].size) for kind, offset in _STATUS_OFFSETS.items()},
    **{int(TIME + kind): (layout.offset, layout.size) for kind, layout in TIME_LAYOUTS.items()},
    **{
        int(CTRL + kind): (CONTROL_HEAD + layout.units + _UNITS_SIZE + layout.limits.size, 0)
        for kind, layout in _CONTROL_LAYOUTS.items()
    },
    int(CTRL + DbrType.ENUM): (CONTROL_HEAD + 2 + _MAX_STATES * _STATE_SIZE, 0),
}
"""DBR_x to the bytes before the elements and the bytes of one; of DBR_CTRL_x only what comes before the value."""


def head_of(dbr_type: int, raw: Any) -> bytes:
    """Alarm and first element, if any, of a DBR_TIME_x or DBR_STS_x event: equal for equal ones of a native type."""
    offset, size = SIZES[dbr_type]
    view = memoryview(raw)
    element = bytes(view[offset : offset + size])
    if size == STRING_SIZE:
        element = element.partition(b"\0")[0].ljust(len(element), b"\0")  # behind the end may be anything
    return bytes(view[:4]) + element


@lru_cache(maxsize=1024)
def decode_control(dbr_type: int, control: bytes, count: int) -> Metadata:
    """A DBR_CTRL_x event, without its head, of a PV with that native element count. Strings have no such events.

    What is alike is one object: many PVs have the same, and caproto's IOCs post properties with every value.
    """
    kind = DbrType(dbr_type - CTRL)
    decode = _CONTROL_DECODERS.get(kind, _numeric_control)
    return decode(kind, control, count)


def _enum_control(kind: DbrType, control: bytes, count: int) -> Metadata:
    (states,) = _STATE_COUNT.unpack_from(control)
    first = _STATE_COUNT.size
    starts = range(first, first + min(states, _MAX_STATES) * _STATE_SIZE, _STATE_SIZE)
    return Metadata(kind, count, enum_strs=tuple(decode_text(control[s : s + _STATE_SIZE]) for s in starts))


def _numeric_control(kind: DbrType, control: bytes, count: int) -> Metadata:
    layout = _CONTROL_LAYOUTS[kind]
    limits = layout.limits.unpack_from(control, layout.units + _UNITS_SIZE)
    display_high, display_low, alarm_high, warning_high, warning_low, alarm_low, control_high, control_low = limits
    return Metadata(
        kind,
        count,
        units=intern(decode_text(control[layout.units : layout.units + _UNITS_SIZE])),
        precision=layout.precision.unpack_from(control)[0] if layout.precision else None,
        display=Limits(float(display_low), float(display_high)),
        control=Limits(float(control_low), float(control_high)),
        warning=Limits(float(warning_low), float(warning_high)),
        alarm=Limits(float(alarm_low), float(alarm_high)),
    )


_CONTROL_DECODERS: Final[dict[DbrType, Callable[[DbrType, bytes, int], Metadata]]] = {DbrType.ENUM: _enum_control}
