"""DBR bytes to values, against pyepics' own definitions of the structures."""

import ctypes
import math
import struct
from typing import Any

import numpy as np
import pytest
from epics import dbr as pyepics
from epics.ca import find_libca
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.values import LARGE, DbrType, Limits, Texts
from pycaserver.sources.dbr import (
    CONTROL_HEAD,
    CTRL,
    EPICS_EPOCH,
    SIZES,
    STS,
    TIME,
    TIME_LAYOUTS,
    decode_control,
    decode_time,
    head_of,
)

OF_CA = tuple(TIME_LAYOUTS)
NUMERIC = [kind for kind in OF_CA if kind is not DbrType.STRING]
SAMPLES = {
    DbrType.SHORT: [-32768, 0, 32767],
    DbrType.FLOAT: [1.5, -0.0, 3.0],
    DbrType.ENUM: [0, 3, 65535],
    DbrType.CHAR: [0, 128, 255],
    DbrType.LONG: [-(2**31), 0, 2**31 - 1],
    DbrType.DOUBLE: [5e-324, -0.0, 1.7976931348623157e308],
}


OFFSET_SIZE = "offset", "size"


def status_bytes(kind: DbrType, values: list[float], severity: int = 2, status: int = 3) -> bytes:
    """DBR_STS_x as libca lays it out."""
    head = struct.pack("=hh", status, severity).ljust(SIZES[STS + kind][0], b"\xbb")
    return head + np.array(values, TIME_LAYOUTS[kind].dtype).tobytes()


def time_bytes(kind: DbrType, values: list[float], severity: int = 2, status: int = 3) -> bytes:
    """DBR_TIME_x as libca lays it out."""
    layout = TIME_LAYOUTS[kind]
    head = struct.pack("=hhII", status, severity, 1000, 250_000_000).ljust(layout.offset, b"\xaa")
    return head + np.array(values, layout.dtype).tobytes()


@pytest.mark.parametrize("kind", OF_CA)
def test_the_layouts_are_those_of_pyepics(kind: DbrType) -> None:
    structure = pyepics.Map[TIME + kind]
    assert (structure.value.offset, structure.value.size) == SIZES[TIME + kind]


@pytest.mark.parametrize("kind", OF_CA)
def test_the_sizes_with_an_alarm_are_those_of_libca(kind: DbrType) -> None:
    libca = ctypes.CDLL(find_libca())
    offset, size = (((ctypes.c_ushort * CTRL).in_dll(libca, f"dbr_value_{name}"))[STS + kind] for name in OFFSET_SIZE)
    assert SIZES[STS + kind] == (offset, size)


@pytest.mark.parametrize("kind", NUMERIC)
def test_heads_tell_alarms_and_elements_apart_and_nothing_else(kind: DbrType) -> None:
    low, middle, _ = SAMPLES[kind]
    heads = [
        head_of(type, make(kind, values, *alarm))
        for values in ([low], [middle], [low, middle])
        for alarm in ((0, 0), (0, 1), (1, 0))
        for type, make in ((STS + kind, status_bytes), (TIME + kind, time_bytes))
    ]
    assert [heads.index(head) // 2 for head in heads] == [*(n // 2 for n in range(12)), 0, 0, 1, 1, 2, 2]
    assert len(head_of(TIME + kind, time_bytes(kind, []))) == CONTROL_HEAD


def test_heads_of_texts_end_with_the_text() -> None:
    one, same, other, none = (
        head_of(TIME, bytes(12) + text.ljust(40, end))
        for text, end in ((b"on\0", b"x"), (b"on\0", b"\0"), (b"only", b"\0"), (b"", b"\0"))
    )
    assert one == same != other != none
    assert len(one) == len(none) != len(head_of(TIME, bytes(12)))


@pytest.mark.parametrize("kind", NUMERIC)
def test_the_control_sizes_end_where_the_value_begins(kind: DbrType) -> None:
    padding = {DbrType.CHAR: 1}.get(kind, 0)
    assert pyepics.Map[CTRL + kind].value.offset == SIZES[CTRL + kind][0] + padding


def test_an_ioc_that_does_not_carry_nanoseconds_is_understood() -> None:
    raw = TIME_LAYOUTS[DbrType.DOUBLE].scalar.pack(0, 0, 7, 4_000_000_001, 1.5)
    value = decode_time(TIME + DbrType.DOUBLE, 1, raw, is_array=False)
    assert (value.seconds, value.nanos) == (EPICS_EPOCH + 11, 1)


@pytest.mark.parametrize("kind", NUMERIC)
def test_a_scalar(kind: DbrType) -> None:
    value = decode_time(TIME + kind, 1, time_bytes(kind, SAMPLES[kind][:1]), is_array=False)
    assert value.data == SAMPLES[kind][0] and not isinstance(value.data, np.ndarray)
    assert (value.count, value.severity, value.status) == (1, 2, 3)
    assert (value.seconds, value.nanos) == (EPICS_EPOCH + 1000, 250_000_000)
    assert value.timestamp == EPICS_EPOCH + 1000.25


@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_stays_one_at_any_length(kind: DbrType, count: int) -> None:
    value = decode_time(TIME + kind, count, time_bytes(kind, SAMPLES[kind][:count]), is_array=True)
    assert isinstance(value.data, np.ndarray) and value.count == count
    assert value.data.dtype == np.dtype(TIME_LAYOUTS[kind].dtype)
    assert value.data.tobytes() == np.array(SAMPLES[kind][:count], value.data.dtype).tobytes()


@pytest.mark.parametrize("kind", OF_CA)
def test_a_scalar_without_elements_is_nothing(kind: DbrType) -> None:
    value = decode_time(TIME + kind, 0, time_bytes(kind, []), is_array=False)
    assert value.data is None and value.count == 0


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"plain", "plain"), ("Grüße".encode(), "Grüße"), (b"\xb0C", "°C"), (b"cut\0off", "cut"), (b"x" * 40, "x" * 40)],
)
def test_strings_are_utf8_or_latin1_up_to_their_nul(raw: bytes, text: str) -> None:
    event = time_bytes(DbrType.STRING, []) + raw.ljust(40, b"\0")
    assert decode_time(TIME, 1, event, is_array=False).data == text


def test_a_string_array() -> None:
    event = time_bytes(DbrType.STRING, []) + b"one".ljust(40, b"\0") + b"".ljust(40, b"\0") + b"\xe9".ljust(40, b"\0")
    assert decode_time(TIME, 3, event, is_array=True).data == ["one", "", "é"]


@pytest.mark.parametrize(("count", "type"), [(LARGE - 1, list), (LARGE, Texts)])
def test_a_large_string_array_is_not_decoded_yet(count: int, type: type[Any]) -> None:
    strings = [f"text {number}" for number in range(count)]
    event = time_bytes(DbrType.STRING, []) + np.array(strings, "S40").tobytes()
    data = decode_time(TIME, count, event, is_array=True).data
    assert isinstance(data, type)
    assert (data.tolist() if isinstance(data, Texts) else data) == strings


@given(st.floats(width=64, allow_nan=True), st.integers(0, 2**32 - 1), st.integers(0, 999_999_999))
def test_doubles_and_stamps_are_exact(number: float, seconds: int, nanos: int) -> None:
    raw = struct.pack("=hhIIid", 0, 0, seconds, nanos, 0, number)
    value = decode_time(TIME + DbrType.DOUBLE, 1, raw, is_array=False)
    assert struct.pack("=d", value.data) == struct.pack("=d", number)
    assert (value.seconds, value.nanos) == (EPICS_EPOCH + seconds, nanos)


@pytest.mark.parametrize("kind", [DbrType.SHORT, DbrType.FLOAT, DbrType.CHAR, DbrType.LONG, DbrType.DOUBLE])
def test_numeric_metadata(kind: DbrType) -> None:
    control = pyepics.Map[CTRL + kind]()
    control.units = b"\xb0C"
    for number, name in enumerate(pyepics.ctrl_limits):
        setattr(control, name, 10 + number)
    if kind in (DbrType.FLOAT, DbrType.DOUBLE):
        control.precision = 4
    metadata = decode_control(CTRL + kind, bytes(control)[CONTROL_HEAD:], count=7)
    assert (metadata.type, metadata.count, metadata.units) == (kind, 7, "°C")
    assert metadata.precision == (4 if kind in (DbrType.FLOAT, DbrType.DOUBLE) else None)
    assert (metadata.display, metadata.alarm) == (Limits(11.0, 10.0), Limits(15.0, 12.0))
    assert (metadata.warning, metadata.control) == (Limits(14.0, 13.0), Limits(17.0, 16.0))


def test_limits_that_are_not_set_stay_nan() -> None:
    control = pyepics.ctrl_double()
    control.upper_alarm_limit = math.nan
    metadata = decode_control(CTRL + DbrType.DOUBLE, bytes(control)[CONTROL_HEAD:], 1)
    assert metadata.alarm is not None and math.isnan(metadata.alarm.high)


@pytest.mark.parametrize("states", [0, 2, 16])
def test_enum_metadata(states: int) -> None:
    control = pyepics.ctrl_enum()
    control.no_str = states
    names = [f"state {number}" for number in range(16)]
    names[1] = "\xb5m"
    for number, name in enumerate(names):
        control.strs[number] = (ctypes.c_char * 26)(*name.encode("latin-1"))
    metadata = decode_control(CTRL + DbrType.ENUM, bytes(control)[CONTROL_HEAD:], 1)
    assert metadata.enum_strs == tuple(names[:states])
