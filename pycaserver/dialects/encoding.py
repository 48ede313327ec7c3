"""Values as JSON, base64 and raw bytes can carry them. Pure functions of numpy arrays and EPICS bytes."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from pycaserver.core.terms import number_message
from pycaserver.core.values import LARGE, Array, Elements, Texts, decode_text

Listed: TypeAlias = Callable[[Elements], list[Any]]
"""How the elements become what JSON can say."""


def json_list(array: Elements) -> list[Any]:
    """The elements as JSON can say them: non-finite ones as strings."""
    values: list[Any] = array.tolist()
    if isinstance(array, np.ndarray) and array.dtype.kind == "f":
        for i in np.flatnonzero(~np.isfinite(array)).tolist():
            values[i] = number_message(values[i])
    return values


def envelope(array: Array, points: int) -> Array:
    """Least and greatest of each of `points` stretches, alternating, shape (2 * points,); NaN only where all are."""
    starts = np.linspace(0, len(array), points, endpoint=False).astype(np.intp)
    reduced = np.empty(2 * points, array.dtype)
    reduced[0::2] = np.fmin.reduceat(array, starts)
    reduced[1::2] = np.fmax.reduceat(array, starts)
    return reduced


def little_endian(array: Array) -> Array:
    """The array in the byte order of the wire."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def text_of(array: Array) -> str:
    """A char waveform as the string up to its first NUL: UTF-8, or else latin-1."""
    return decode_text(array.astype(np.uint8, copy=False).tobytes())


def array_of(raw: bytes | memoryview, dtype: str) -> Array:
    """Little-endian elements as an array; ValueError if the bytes are no whole number of them."""
    return np.frombuffer(raw, dtype)


BINARY_ALIGNMENT: Final = 8


def binary_parts(header: bytes, array: Array) -> tuple[bytes, memoryview]:
    """u32 little-endian header length, the JSON header padded with spaces to align the elements; and the elements."""
    header += b" " * (-(4 + len(header)) % BINARY_ALIGNMENT)
    return len(header).to_bytes(4, "little") + header, array.view(np.uint8).data


def split_payload(data: bytes) -> tuple[bytes, memoryview] | None:
    """Header and elements of what binary_parts makes; None if it is of another form, as all text is."""
    start = 4 + int.from_bytes(data[:4], "little")
    if start % BINARY_ALIGNMENT or not 4 < start <= len(data):
        return None
    return data[4:start], memoryview(data)[start:]


JSON_PIECE: Final = 8192
"""Elements that become JSON at once: a millisecond or less, unless many are not finite."""
BASE64_PIECE: Final = 3 << 16
"""Bytes that become base64 at once: a multiple of three."""


def json_pieces(array: Elements, listed: Listed = json_list) -> Iterator[bytes]:
    """The elements with commas between them."""
    for start in range(0, len(array), JSON_PIECE):
        piece = msgspec.json.encode(listed(array[start : start + JSON_PIECE]))
        yield (b"," if start else b"") + piece[1:-1]


def _base64_pieces(array: Array) -> Iterator[bytes]:
    raw = little_endian(array).view(np.uint8).data
    for start in range(0, len(raw), BASE64_PIECE):
        yield b64encode(raw[start : start + BASE64_PIECE])


PIECES: Final[dict[str, Callable[[Array], Iterator[bytes]]]] = {"json": json_pieces, "base64": _base64_pieces}
"""What is between the brackets, or the quotes, by encoding."""


def spliced(message: bytes, opening: bytes, pieces: list[bytes]) -> list[bytes]:
    """A JSON message in parts: the pieces behind its first such opening, which is followed by what closes it."""
    head, opening, tail = message.partition(opening)
    return [head + opening, *pieces, tail]


_PLACE: Final = b"\0"
"""Of an array in a document; JSON escapes it everywhere else."""


class Document:
    """A JSON message with arrays anywhere in it: at once, or piece by piece."""

    def __init__(self, body: Any, listed: Listed) -> None:
        self._listed = listed
        self._arrays: list[Elements] = []
        self._around = msgspec.json.encode(body, enc_hook=self._place).split(_PLACE)
        """What is before, between and behind the arrays."""

    @property
    def large(self) -> bool:
        """Whether it is better made piece by piece."""
        return sum(map(len, self._arrays)) >= LARGE

    def pieces(self) -> Iterator[bytes]:
        """All of it, in order."""
        head, *tails = self._around
        yield head
        for array, tail in zip(self._arrays, tails, strict=True):
            yield from json_pieces(array, self._listed)
            yield tail

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def _place(self, found: Any) -> msgspec.Raw:
        if not isinstance(found, np.ndarray | Texts):
            raise TypeError(f"JSON has no {type(found).__name__}")
        self._arrays.append(found)
        return msgspec.Raw(b"[%b]" % _PLACE)
