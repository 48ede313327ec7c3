"""dialects/encoding.py"""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from pycaserver.core.values import LARGE
from pycaserver.dialects.encoding import JSON_PIECE, Document, binary_parts, envelope, json_list, little_endian, text_of

DTYPES = st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8", "i8", "u8"])
arrays = DTYPES.flatmap(lambda dtype: nps.arrays(dtype, st.integers(0, 40)))
NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@given(arrays)
def test_json_gives_every_element_back_bit_by_bit(array: np.ndarray[Any, Any]) -> None:
    text = json.dumps(json_list(array), allow_nan=False)
    back = np.array([NUMBERS.get(item, item) for item in json.loads(text)], array.dtype)
    finite = ~np.isnan(array) if array.dtype.kind == "f" else np.full(len(array), True)
    assert back[finite].tobytes() == array[finite].tobytes()  # -0.0 and denormals too
    assert np.isnan(back[~finite]).all()


def test_json_has_words_for_non_finite_numbers() -> None:
    array = np.array([1.5, math.nan, math.inf, -math.inf, -0.0])
    assert json_list(array) == [1.5, "NaN", "Infinity", "-Infinity", 0.0]
    assert math.copysign(1, json_list(array)[-1]) == -1


# -- envelope


def naive_envelope(values: list[float], points: int) -> list[float]:
    """Over stretches that begin where the eye would put them."""
    edges = [int(start) for start in np.linspace(0, len(values), points, endpoint=False)] + [len(values)]
    reduced = []
    for i in range(points):
        stretch = values[edges[i] : edges[i + 1]]
        numbers = [number for number in stretch if not math.isnan(number)] or [math.nan]
        reduced += [min(numbers), max(numbers)]
    return reduced


floats = st.floats(width=32) | st.sampled_from([math.nan, 0.0, -0.0, math.inf])


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(floats, min_size=2 * n + 1, max_size=60))))
def test_the_envelope_is_least_and_greatest_of_each_stretch(case: tuple[int, list[float]]) -> None:
    points, values = case
    reduced = envelope(np.array(values), points)
    assert reduced.shape == (2 * points,)
    np.testing.assert_array_equal(reduced, naive_envelope(values, points))


@given(st.integers(1, 500), st.integers(1, 3000))
def test_the_stretches_cover_everything_once_and_are_of_like_length(points: int, more: int) -> None:
    size = 2 * points + more
    reduced = envelope(np.arange(size), points)
    firsts, lasts = reduced[0::2], reduced[1::2]
    assert firsts[0] == 0
    assert lasts[-1] == size - 1
    assert (firsts[1:] == lasts[:-1] + 1).all()
    lengths = lasts - firsts + 1
    assert lengths.max() - lengths.min() <= 1


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_the_envelope_keeps_the_type(dtype: str) -> None:
    assert envelope(np.arange(9, dtype=dtype), 2).dtype == dtype


def test_a_peak_is_never_lost() -> None:
    array = np.zeros(100_000)
    array[54_321] = 7.0
    assert 7.0 in envelope(array, 10)


def test_nan_stays_only_where_there_is_nothing_else() -> None:
    reduced = envelope(np.array([math.nan] * 4 + [math.nan, 2.0, 1.0, math.nan]), 2)
    np.testing.assert_array_equal(reduced, [math.nan, math.nan, 1.0, 2.0])


# -- bytes


@given(arrays)
def test_the_wire_is_little_endian(array: np.ndarray[Any, Any]) -> None:
    for each in (array, array.astype(array.dtype.newbyteorder(">"))):
        wire = little_endian(each)
        assert wire.dtype.str[0] in "<|"
        assert wire.tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()


def test_the_machines_own_order_is_not_copied() -> None:
    array = np.arange(5, dtype="<f8")
    assert np.shares_memory(little_endian(array), array)


@given(st.binary(max_size=60), arrays)
def test_the_elements_of_a_binary_payload_are_aligned(header: bytes, array: np.ndarray[Any, Any]) -> None:
    head, body = binary_parts(header, array)
    payload = head + bytes(body)
    length = int.from_bytes(payload[:4], "little")
    assert (4 + length) % 8 == 0
    assert payload[4 : 4 + length].rstrip(b" ") == header.rstrip(b" ")
    assert length - len(header) < 8
    back = np.frombuffer(payload, array.dtype, offset=4 + length)
    assert back.tobytes() == array.tobytes()
    assert len(back) == len(array)
    assert np.shares_memory(np.frombuffer(body, np.uint8), array) or not len(array)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"hello\0\0\0", "hello"),
        (b"", ""),
        (b"\0x", ""),
        ("°C µm".encode(), "°C µm"),
        (b"\xb0C", "°C"),
        (b"a\n", "a\n"),
    ],
    ids=ascii,
)
def test_a_char_waveform_is_text_up_to_its_first_nul(raw: bytes, text: str) -> None:
    assert text_of(np.frombuffer(raw, np.uint8)) == text
    assert text_of(np.frombuffer(raw, np.int8)) == text


LEAVES = st.none() | st.integers(-9, 9) | st.text() | arrays
BODIES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def plain(body: Any) -> Any:
    """With lists in the place of arrays."""
    if isinstance(body, np.ndarray):
        return json_list(body)
    if isinstance(body, dict):
        return {key: plain(each) for key, each in body.items()}
    return [plain(each) for each in body] if isinstance(body, list) else body


@given(BODIES)
def test_a_document_has_its_arrays_wherever_they_are(body: Any) -> None:
    assert json.loads(bytes(Document(body, json_list))) == plain(body)


@pytest.mark.parametrize(
    ("sizes", "large"), [((LARGE - 1,), False), ((LARGE,), True), ((LARGE // 2, LARGE // 2), True)]
)
def test_a_document_is_large_by_all_of_its_arrays(sizes: tuple[int, ...], large: bool) -> None:
    body = {"nested": [np.arange(size) for size in sizes], "text": "\0[\0]"}
    document = Document(body, json_list)
    assert document.large is large
    pieces = list(document.pieces())
    assert max(map(len, pieces)) <= 6 * JSON_PIECE
    assert json.loads(b"".join(pieces)) == plain(body)


def test_a_document_of_what_json_has_not_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="set_iterator"):
        Document([iter(set())], json_list)
