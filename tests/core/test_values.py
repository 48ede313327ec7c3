"""core/values.py"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.values import (
    LARGE,
    AlarmSeverity,
    AlarmStatus,
    DbrType,
    Limits,
    Metadata,
    Texts,
    decode_text,
    is_large,
    severity_name,
    size_of,
    status_name,
)
from tests.fakes import value

NAN = math.nan
RAW = np.array(["Grüße".encode(), b"", b"cut\0off", b"\xb0C"], "S40")


def test_texts_are_decoded_part_by_part() -> None:
    texts = Texts(RAW)
    assert texts.tolist() == ["Grüße", "", "cut", "°C"]
    assert (texts[1:3].tolist(), texts[9:].tolist(), len(texts)) == (["", "cut"], [], 4)
    assert (size_of(texts), is_large(texts)) == (4 * 40, False)
    assert is_large(Texts(np.zeros(LARGE, "S40"))) and not is_large([""] * LARGE)


def test_texts_are_equal_by_their_bytes() -> None:
    assert Texts(RAW) == Texts(RAW.copy())
    assert Texts(RAW) not in (Texts(RAW[1:]), Texts(RAW[::-1]), RAW.tolist(), None)


def test_severities_are_those_of_alarm_h() -> None:
    assert [severity_name(number) for number in range(4)] == ["NO_ALARM", "MINOR", "MAJOR", "INVALID"]
    assert AlarmSeverity.MAJOR == 2


@pytest.mark.parametrize("number", [-1, 4, 99])
def test_a_severity_beyond_the_table_is_invalid(number: int) -> None:
    assert severity_name(number) == "INVALID"


def test_statuses_are_those_of_alarm_h() -> None:
    names = "NO_ALARM READ WRITE HIHI HIGH LOLO LOW STATE COS COMM TIMEOUT HWLIMIT CALC SCAN LINK SOFT BAD_SUB UDF"
    assert [status_name(number) for number in range(18)] == names.split()
    assert status_name(AlarmStatus.WRITE_ACCESS) == status_name(21) == "WRITE_ACCESS"


@pytest.mark.parametrize("number", [-1, 22, 99])
def test_a_status_beyond_the_table_is_its_number(number: int) -> None:
    assert status_name(number) == str(number)


def test_types_are_those_of_db_access_h() -> None:
    names = [kind.name for kind in sorted(DbrType)]
    assert names == ["STRING", "SHORT", "FLOAT", "ENUM", "CHAR", "LONG", "DOUBLE", "INT64"]  # the last is no type of CA
    assert [kind.value for kind in sorted(DbrType)] == list(range(8))


def some_metadata(limit: st.SearchStrategy[float]) -> st.SearchStrategy[Metadata]:
    limits = st.none() | st.builds(Limits, limit, limit)
    units, states = st.sampled_from(["", "mm", "°C"]), st.sampled_from([(), ("Off", "On")])
    return st.builds(
        Metadata, st.sampled_from(DbrType), st.integers(1, 3), units=units, precision=st.none() | st.integers(0, 2),
        enum_strs=states, display=limits, alarm=limits,
    )  # fmt: skip


def copy_of(data: Metadata, **changes: Any) -> Metadata:
    """Another object of equal content, its limits too."""
    pairs = {name: getattr(data, name) for name in ("display", "control", "warning", "alarm")}
    fresh = {name: pair and Limits(float(repr(pair.low)), float(repr(pair.high))) for name, pair in pairs.items()}
    plain = {name: getattr(data, name) for name in ("type", "count", "units", "precision", "enum_strs")}
    return Metadata(**{**plain, **fresh, **changes})


@given(some_metadata(st.floats()))
def test_metadata_is_the_same_as_its_copy_even_with_nan_limits(data: Metadata) -> None:
    assert data.same_as(copy_of(data))


@given(some_metadata(st.sampled_from([0.0, 1.0])), some_metadata(st.sampled_from([0.0, 1.0])))
def test_without_nan_the_same_is_equal(one: Metadata, other: Metadata) -> None:
    assert one.same_as(other) == (one == other)


@pytest.mark.parametrize(
    "change",
    [{"type": DbrType.LONG}, {"count": 2}, {"units": "m"}, {"precision": 3}, {"enum_strs": ("A",)},
     {"display": Limits(0.0, NAN)}, {"control": None}, {"warning": Limits(0, 1)}, {"alarm": Limits(NAN, 2.0)}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_any_change_of_metadata_shows(change: dict[str, Any]) -> None:
    pair = Limits(NAN, 1.0)
    data = Metadata(DbrType.DOUBLE, 1, "mm", 2, (), pair, pair, pair, pair)
    assert data.same_as(copy_of(data))
    assert not data.same_as(copy_of(data, **change))


def test_no_metadata_is_not_the_same() -> None:
    assert not Metadata(DbrType.DOUBLE, 1).same_as(None)


def test_the_time_stamp_keeps_microseconds() -> None:
    stamp = value(seconds=1_447_799_204, nanos=250_000_000).timestamp
    assert stamp == 1447799204.25
    assert value(seconds=1_447_799_204, nanos=123_457_000).timestamp == pytest.approx(1447799204.123457, abs=5e-7)


@given(st.integers(0, 2**31), st.integers(0, 999_999_999))
def test_the_time_stamp_is_exact_to_half_a_microsecond(seconds: int, nanos: int) -> None:
    stamp = value(seconds=seconds, nanos=nanos).timestamp
    assert abs((stamp - seconds) * 1e9 - nanos) < 500


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_utf8_is_read_as_such(text: str) -> None:
    assert decode_text(text.encode()) == text
    assert decode_text(text.encode() + b"\0rubbish\xff") == text


@given(st.binary())
def test_other_bytes_are_read_as_latin_1(raw: bytes) -> None:
    text = decode_text(raw)
    assert "\0" not in text
    assert raw.split(b"\0")[0] in (text.encode(), text.encode("latin-1", "ignore"))


def test_latin_1_units() -> None:
    assert decode_text(b"\xb5m\0\0\0") == "µm"
