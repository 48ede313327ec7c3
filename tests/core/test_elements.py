"""What may be written, and as what."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.elements import DTYPES, data_of, elements_of
from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType, Metadata

STATES = ("Off", "On", "")


def pv(type: DbrType, count: int = 1, states: tuple[str, ...] = ()) -> Metadata:
    return Metadata(type, count, enum_strs=states)


def refusal(value: Any, metadata: Metadata) -> str:
    with pytest.raises(PycaError) as caught:
        elements_of(value, metadata)
    assert caught.value.code == "bad_value"
    return caught.value.message


@pytest.mark.parametrize(
    ("value", "metadata", "elements"),
    [
        (5, pv(DbrType.DOUBLE), [5.0]),
        (2.5, pv(DbrType.FLOAT), [2.5]),
        ("Infinity", pv(DbrType.FLOAT), [math.inf]),
        ("-Infinity", pv(DbrType.DOUBLE), [-math.inf]),
        (5e-324, pv(DbrType.DOUBLE), [5e-324]),
        (32767, pv(DbrType.SHORT), [32767]),
        (-(2**31), pv(DbrType.LONG), [-(2**31)]),
        (5.0, pv(DbrType.LONG), [5]),
        (255, pv(DbrType.CHAR), [255]),
        ("On", pv(DbrType.ENUM, states=STATES), [1]),
        (2, pv(DbrType.ENUM, states=STATES), [2]),
        (65535, pv(DbrType.ENUM), [65535]),
        ("a" * 39, pv(DbrType.STRING), [b"a" * 39]),
        ("", pv(DbrType.STRING), [b""]),
        ("ü", pv(DbrType.STRING), ["ü".encode()]),
        (["a", "b"], pv(DbrType.STRING, 3), [b"a", b"b"]),
        (["a" * 39, "ü"], pv(DbrType.STRING, 3), [b"a" * 39, "ü".encode()]),
        ([1, "Infinity", 2.5], pv(DbrType.DOUBLE, 3), [1.0, math.inf, 2.5]),
        (["On", 0], pv(DbrType.ENUM, 2, STATES), [1, 0]),
        ([7], pv(DbrType.LONG), [7]),
        (7, pv(DbrType.LONG, 10), [7]),
        ("text", pv(DbrType.CHAR, 5), list(b"text\0")),
        ([1, 2], pv(DbrType.CHAR, 5), [1, 2]),
        (np.array([1, 2], "<i8"), pv(DbrType.FLOAT, 2), [1.0, 2.0]),
        (np.array([0.0, 65535.0]), pv(DbrType.ENUM, 2), [0, 65535]),
    ],
)
def test_what_may_be_written(value: Any, metadata: Metadata, elements: list[Any]) -> None:
    written = elements_of(value, metadata)
    assert written.tolist() == elements
    assert written.dtype == np.dtype(DTYPES[metadata.type])


def test_nan_and_negative_zero_stay_what_they_are() -> None:
    assert math.isnan(elements_of("NaN", pv(DbrType.DOUBLE))[0])
    assert math.copysign(1, elements_of(-0.0, pv(DbrType.DOUBLE))[0]) == -1


@pytest.mark.parametrize(
    ("value", "metadata", "sentence"),
    [
        (2**31, pv(DbrType.LONG), "2147483648 is outside -2147483648 to 2147483647"),
        (2**40, pv(DbrType.LONG), "outside"),
        (10**400, pv(DbrType.LONG), "too large"),
        (10**400, pv(DbrType.DOUBLE), "too large"),
        (-32769, pv(DbrType.SHORT), "outside -32768 to 32767, what a short can hold"),
        (256, pv(DbrType.CHAR), "outside 0 to 255"),
        (-1, pv(DbrType.CHAR), "outside"),
        (1.5, pv(DbrType.LONG), "1.5 is no integer"),
        ("NaN", pv(DbrType.LONG), "nan is no integer"),
        ("Infinity", pv(DbrType.SHORT), "inf is no integer"),
        (1e39, pv(DbrType.FLOAT), "outside"),
        ("5", pv(DbrType.DOUBLE), '"5" is a string'),
        ("x" * 1000, pv(DbrType.DOUBLE), "x..."),
        ("On", pv(DbrType.LONG), '"On" is a string'),
        (3, pv(DbrType.ENUM, states=STATES), "outside 0 to 2"),
        (-1, pv(DbrType.ENUM, states=STATES), "outside"),
        (0.5, pv(DbrType.ENUM, states=STATES), "no integer"),
        ("on", pv(DbrType.ENUM, states=STATES), 'its states are "Off", "On"'),
        ("On", pv(DbrType.ENUM), "none that has a name"),
        (65536, pv(DbrType.ENUM), "outside"),
        ("a" * 40, pv(DbrType.STRING), "40 bytes"),
        ("ü" * 20, pv(DbrType.STRING), "40 bytes"),
        (5, pv(DbrType.STRING), "number is no string"),
        (np.zeros(1), pv(DbrType.STRING), "number is no string"),
        ("a\0b", pv(DbrType.STRING), "NUL"),
        (["a", "a\0"], pv(DbrType.STRING, 2), "NUL"),
        (["a", "b" * 41], pv(DbrType.STRING, 2), "41 bytes"),
        (["a", 5], pv(DbrType.STRING, 2), "number is no string"),
        ("\ud800", pv(DbrType.STRING), "surrogate"),
        ("text!", pv(DbrType.CHAR, 5), "5 bytes"),
        ("a", pv(DbrType.CHAR), "needs an array"),
        ("a\0", pv(DbrType.CHAR, 5), "NUL"),
        ([], pv(DbrType.DOUBLE, 5), "1 to 5 elements, not 0"),
        ([1, 2], pv(DbrType.DOUBLE), "one value, not 2"),
        (["a", "b"], pv(DbrType.STRING), "one value, not 2"),
        ([1] * 6, pv(DbrType.LONG, 5), "not 6"),
        ([1, 2.5], pv(DbrType.LONG, 5), "Element 1, 2.5, is no integer"),
        ([1, 70000], pv(DbrType.SHORT, 5), "Element 1, 70000, is outside"),
        (np.array([np.nan]), pv(DbrType.SHORT, 5), "no integer"),
        (np.array([2**63], "<u8"), pv(DbrType.LONG, 5), "outside"),
    ],
)
def test_what_is_refused_and_why(value: Any, metadata: Metadata, sentence: str) -> None:
    assert sentence in refusal(value, metadata)


scalars = (
    st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "On", "x"])
    | st.text()
)


@given(st.sampled_from(DbrType), st.sampled_from([1, 3]), scalars | st.lists(scalars, max_size=5))
def test_either_the_elements_are_what_was_given_or_there_is_a_refusal(type: DbrType, count: int, value: Any) -> None:
    try:
        written = elements_of(value, pv(type, count, STATES))
    except PycaError as error:
        assert error.code == "bad_value"
        return
    given_ = value if isinstance(value, list) else [value]
    assert written.dtype == np.dtype(DTYPES[type])
    if type is DbrType.CHAR and isinstance(value, str):
        assert written.tobytes() == value.encode() + b"\0"
    elif type in (DbrType.SHORT, DbrType.LONG, DbrType.CHAR):
        assert written.tolist() == given_
    elif type is DbrType.STRING:
        assert [raw.decode() for raw in written.tolist()] == given_
    else:
        assert len(written) == len(given_)


# -- integers of 64 bits, and back


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (2**63 - 1, [2**63 - 1]),
        (-(2**63), [-(2**63)]),
        (5.0, [5]),
        ([9007199254740993, 1.0], [9007199254740993, 1]),
        (np.array([2**62 + 1, 3], "<i8"), [2**62 + 1, 3]),
        (np.array([4.0]), [4]),
    ],
)
def test_integers_of_64_bits_are_exact(value: Any, elements: list[int]) -> None:
    written = elements_of(value, pv(DbrType.INT64, 3))
    assert written.tolist() == elements
    assert written.dtype == np.int64


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (2**63, "outside -9223372036854775808"),
        (1e300, "outside"),
        (np.array([2**64 - 1], "<u8"), "outside"),
        (1.5, "1.5 is no integer"),
        ("NaN", "nan is no integer"),
        ("Infinity", "inf is no integer"),
        ("5", "is a string"),
    ],
)
def test_what_is_no_integer_of_64_bits(value: Any, sentence: str) -> None:
    assert sentence in refusal(value, pv(DbrType.INT64))


@pytest.mark.parametrize(
    ("value", "metadata", "data"),
    [
        (1.5, pv(DbrType.DOUBLE), 1.5),
        ("On", pv(DbrType.ENUM, states=STATES), 1),
        ("ü", pv(DbrType.STRING), "ü"),
        (["a", "b"], pv(DbrType.STRING, 3), ["a", "b"]),
        (2**63 - 1, pv(DbrType.INT64), 2**63 - 1),
    ],
)
def test_elements_become_the_data_of_a_value(value: Any, metadata: Metadata, data: Any) -> None:
    back = data_of(elements_of(value, metadata), metadata)
    assert back == data
    assert type(back) is type(data)


def test_the_data_of_an_array_is_its_own() -> None:
    elements = np.array([1.0, 2.0])
    data = data_of(elements, pv(DbrType.DOUBLE, 5))
    elements[0] = 9
    assert isinstance(data, np.ndarray)
    assert data.tolist() == [1.0, 2.0]
    assert not data.flags.writeable
