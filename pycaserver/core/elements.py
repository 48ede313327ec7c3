"""Elements: a value that is to be written, checked against what the PV is, as an array of the PV's own type; and back.

CA itself would wrap integers, cut strings and convert what makes no sense, all in silence. PycaError(bad_value) with a
sentence for people is raised instead.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from pycaserver.core.errors import PycaError
from pycaserver.core.values import Array, Data, DbrType, Metadata, decode_text

Scalar: TypeAlias = float | int | str
Given: TypeAlias = Scalar | list[Scalar] | Array
"""What a peer may give: a number, a string, a list of both, or a numeric array."""

STRING_BYTES: Final = 39
"""DBR_STRING has 40, of which the last is a NUL."""

DTYPES: Final = {
    DbrType.STRING: "S40",
    DbrType.SHORT: "i2",
    DbrType.FLOAT: "f4",
    DbrType.ENUM: "u2",
    DbrType.CHAR: "u1",
    DbrType.LONG: "i4",
    DbrType.DOUBLE: "f8",
    DbrType.INT64: "i8",
}
"""The elements of each native type, in the machine's byte order."""

_NON_FINITE: Final = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def elements_of(given: Given, metadata: Metadata) -> Array:
    """The elements to write: at least one, at most as many as the PV has."""
    if metadata.type is DbrType.CHAR and isinstance(given, str):
        return _long_string(given, metadata.count)
    listed = _listed(given)
    if not 0 < len(listed) <= metadata.count:
        most = f"1 to {metadata.count} elements" if metadata.count > 1 else "one value"
        raise _bad(f"The PV takes {most}, not {len(listed)}.")
    return _CONVERTERS[metadata.type](listed, metadata)


def data_of(elements: Array, metadata: Metadata) -> Data:
    """What a PV of that kind says once these elements are its value; an array of its own, read-only."""
    if metadata.type is DbrType.STRING:
        texts = [decode_text(text) for text in elements.tolist()]
        return texts if metadata.count > 1 else texts[0]
    if metadata.count == 1:
        scalar: float | int = elements[0].item()
        return scalar
    array = np.array(elements)
    array.flags.writeable = False
    return array


def _listed(given: Given) -> list[Scalar] | Array:
    return given if isinstance(given, list | np.ndarray) else [given]


def _strings(given: list[Scalar] | Array, metadata: Metadata) -> Array:
    strings = [] if isinstance(given, np.ndarray) else [each for each in given if isinstance(each, str)]
    if len(strings) < len(given):
        raise _bad("The PV is a string; a number is no string.")
    whole = "".join(strings)
    if whole.isascii() and "\0" not in whole and max(map(len, strings)) <= STRING_BYTES:
        return np.array(strings, DTYPES[DbrType.STRING])  # NumPy knows ASCII, and is quicker
    texts = [_text(each) for each in strings]
    if longest := max((len(text) for text in texts if len(text) > STRING_BYTES), default=0):
        raise _bad(f"A string of {longest} bytes in UTF-8 is too long: {STRING_BYTES} are possible.")
    return np.array(texts, DTYPES[DbrType.STRING])


def _long_string(text: str, count: int) -> Array:
    raw = _text(text) + b"\0"
    if count == 1:
        raise _bad("The PV is one number of 8 bits; a string needs an array of them.")
    if len(raw) > count:
        raise _bad(f"A string of {len(raw) - 1} bytes in UTF-8 is too long: {count - 1} are possible.")
    return np.frombuffer(raw, DTYPES[DbrType.CHAR])


def _text(text: str) -> bytes:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise _bad("The string has half of a surrogate pair, which is no character.") from None
    if b"\0" in raw:
        raise _bad("The string has a NUL, at which Channel Access would cut it off.")
    return raw


def _states(given: list[Scalar] | Array, metadata: Metadata) -> Array:
    states = metadata.enum_strs
    if isinstance(given, list) and _has_strings(given):
        given = [_index(each, states) if isinstance(each, str) else each for each in given]
    most = len(states) - 1 if states else np.iinfo(np.uint16).max
    return _within(_numbers(given), 0, most, "the states of the PV").astype(DTYPES[DbrType.ENUM])


def _index(state: str, states: tuple[str, ...]) -> int:
    if state not in states:
        known = ", ".join(f'"{each}"' for each in states) or "none that has a name"
        raise _bad(f'"{_short(state)}" is no state of the PV; its states are {known}.')
    return states.index(state)


def _integers(given: list[Scalar] | Array, metadata: Metadata) -> Array:
    dtype = np.dtype(DTYPES[metadata.type])
    range_ = np.iinfo(dtype)
    what = f"what a {metadata.type.name.lower()} can hold"
    return _within(_numbers(given), range_.min, range_.max, what).astype(dtype)


def _exact_integers(given: list[Scalar] | Array, metadata: Metadata) -> Array:
    """A double would not hold all of them."""
    numbers = given.tolist() if isinstance(given, np.ndarray) else given
    try:
        return np.array([each if isinstance(each, int) else _whole(each) for each in numbers], DTYPES[DbrType.INT64])
    except OverflowError:
        raise _bad(
            "An integer is outside -9223372036854775808 to 9223372036854775807, what an int64 can hold."
        ) from None


def _whole(given: float | str) -> int:
    number = _number(given) if isinstance(given, str) else given
    if number != number or number != number // 1:
        raise _bad(f"{number:.15g} is no integer, and the PV takes nothing else.")
    return int(number)


def _floats(given: list[Scalar] | Array, metadata: Metadata) -> Array:
    numbers = _numbers(given)
    if metadata.type is DbrType.DOUBLE:  # which each of them is
        return numbers
    most = float(np.finfo(DTYPES[metadata.type]).max)
    finite = np.where(np.isfinite(numbers), numbers, 0)
    _within_range(finite, -most, most, f"what a {metadata.type.name.lower()} can hold")
    return numbers.astype(DTYPES[metadata.type])


_CONVERTERS: Final[dict[DbrType, Callable[[list[Scalar] | Array, Metadata], Array]]] = {
    DbrType.STRING: _strings,
    DbrType.SHORT: _integers,
    DbrType.FLOAT: _floats,
    DbrType.ENUM: _states,
    DbrType.CHAR: _integers,
    DbrType.LONG: _integers,
    DbrType.DOUBLE: _floats,
    DbrType.INT64: _exact_integers,
}


def _numbers(given: list[Scalar] | Array) -> Array:
    """As doubles, which hold every integer that CA knows."""
    if isinstance(given, list) and _has_strings(given):
        given = [_number(each) if isinstance(each, str) else each for each in given]
    try:
        return np.asarray(given, np.float64)
    except OverflowError:
        raise _bad("An integer is too large for any type of Channel Access.") from None


def _within(numbers: Array, least: int, most: int, what: str) -> Array:
    """Whole numbers of that range."""
    if (wrong := np.flatnonzero(~np.isfinite(numbers) | (numbers != np.trunc(numbers)))).size:
        raise _bad(f"{_element(numbers, wrong[0])} is no integer, and the PV takes nothing else.")
    _within_range(numbers, least, most, what)
    return numbers


def _within_range(numbers: Array, least: float, most: float, what: str) -> None:
    if (wrong := np.flatnonzero((numbers < least) | (numbers > most))).size:
        raise _bad(f"{_element(numbers, wrong[0])} is outside {least} to {most}, {what}.")


def _element(numbers: Array, index: int) -> str:
    name = f"{numbers[index]:.15g}"
    return name if len(numbers) == 1 else f"Element {index}, {name},"


def _number(text: str) -> float:
    if text not in _NON_FINITE:
        raise _bad(f'"{_short(text)}" is a string; the PV takes numbers.')
    return _NON_FINITE[text]


def _has_strings(given: list[Scalar]) -> bool:
    return str in set(map(type, given))


def _short(text: str) -> str:
    return text if len(text) <= STRING_BYTES else f"{text[:STRING_BYTES]}..."


def _bad(sentence: str) -> PycaError:
    return PycaError("bad_value", sentence)
