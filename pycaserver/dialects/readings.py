"""Readings of the native protocol: monitor messages and answers to get, with arrays in the form that is asked for."""

from abc import abstractmethod
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
import numpy as np

from pycaserver.core.channel import Channel
from pycaserver.core.groups import Update
from pycaserver.core.messages import GetAnswer, Monitor, Reading
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, Framing
from pycaserver.core.terms import Id, number_message
from pycaserver.core.values import (
    LARGE,
    Array,
    Data,
    DbrType,
    Metadata,
    PVValue,
    Texts,
    is_large,
    severity_name,
    status_name,
)
from pycaserver.dialects.encoding import (
    PIECES,
    binary_parts,
    envelope,
    json_list,
    json_pieces,
    little_endian,
    spliced,
    text_of,
)
from pycaserver.dialects.prepared import PreparingEncoder

_ENCODER: Final = msgspec.json.Encoder()
_Elements = TypeVar("_Elements", Array, Texts, list[str])


Scalar: TypeAlias = tuple[bytes, float, PVValue, bytes]
"""What comes before the number, the number, whose it is, and what comes after the time."""


class ReadingEncoder(PreparingEncoder):
    """Makes messages of one channel in one form, each by itself."""

    __slots__ = ("_framing", "_options")

    def __init__(self, options: SubscriptionOptions, framing: Framing) -> None:
        super().__init__()
        self._options = options
        self._framing = framing

    @abstractmethod
    def message(self, channel: Channel, value: PVValue, coalesced: int) -> Reading:
        """The message without its data."""

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        """The finished message."""
        message = self.message(channel, value, coalesced)
        return _finish(message, value, self._options, self._framing, self.prepared(value))

    def pieces(self, channel: Channel, value: PVValue) -> Iterator[bytes] | None:
        """Of a large array, if it is sent as text."""
        return _pieces(value.data, self._options)


class AnswerEncoder(ReadingEncoder):
    """Makes the answer to one get."""

    __slots__ = ("_id",)

    def __init__(self, options: SubscriptionOptions, id: Id | None, framing: Framing) -> None:
        super().__init__(options, framing)
        self._id = id

    def message(self, channel: Channel, value: PVValue, coalesced: int) -> Reading:
        """With the id of the request."""
        return GetAnswer(**_reading(channel, value), id=self._id)


class MonitorEncoder(ReadingEncoder):
    """Makes the monitor messages of one channel in one form.

    Only value and time differ from one update of a scalar to the next. What surrounds them is kept until the alarm or
    the metadata change; the numbers of a batch are encoded all at once.
    """

    __slots__ = ("_head", "_metadata", "_quick", "_severity", "_status", "_tail")

    def __init__(self, options: SubscriptionOptions, framing: Framing) -> None:
        super().__init__(options, framing)
        self._metadata: Metadata | None = None
        self._quick = False
        self._head = self._tail = b""
        self._severity = self._status = -1

    def message(self, channel: Channel, value: PVValue, coalesced: int) -> Reading:
        """With the number of updates that it stands for."""
        return Monitor(**_reading(channel, value), coalesced=coalesced)

    def batch(self, updates: list[Update]) -> list[Frame]:
        """The finished messages, in order."""
        frames: list[Frame] = []
        scalars: list[Scalar] = []
        for group, value, coalesced in updates:
            encoder, data = group.encode, value.data
            assert isinstance(encoder, MonitorEncoder)
            if encoder._surrounds(group.channel, value) and isinstance(data, (float, int)) and not coalesced:
                scalars.append((encoder._head, data, value, encoder._tail))
            else:
                frames += self._scalars(scalars)
                scalars = []
                frames.append(encoder(group.channel, value, coalesced))
        return frames + self._scalars(scalars)

    def _surrounds(self, channel: Channel, value: PVValue) -> bool:
        """Make head and tail those of this value; False where more than number and time differs with each update."""
        if channel.metadata is not self._metadata:
            self._begin_anew(channel)
        if value.severity != self._severity or value.status != self._status:
            self._severity, self._status = value.severity, value.status
            self._tail = _tail(self._metadata.units if self._metadata else "", value.severity, value.status)
        return self._quick

    def _begin_anew(self, channel: Channel) -> None:
        metadata = self._metadata = channel.metadata
        self._quick = metadata is not None and metadata.type is not DbrType.ENUM and not self._options.nanos
        self._head, _ = _sample(channel.name, "", 0, 0)
        self._severity = self._status = -1

    def _scalars(self, scalars: list[Scalar]) -> list[Frame]:
        """msgspec formats many numbers at a fifth of what it costs to format each."""
        if not scalars:
            return []
        numbers = _ENCODER.encode([number for _, number, _, _ in scalars])[1:-1].split(b",")
        if b"null" in numbers:  # not finite
            numbers = [_ENCODER.encode(number_message(number)) for _, number, _, _ in scalars]
        # with the leading 1 all have ten digits, and ",1" stands only between them
        nanos = _ENCODER.encode([1_000_000_000 + value.nanos for _, _, value, _ in scalars])[2:-1].split(b",1")
        return [
            self._framing.text(b"".join((head, number, _count_and_seconds(value.seconds), nano, tail)))
            for (head, _, value, tail), number, nano in zip(scalars, numbers, nanos, strict=True)
        ]


@lru_cache(maxsize=1024)
def _tail(units: str, severity: int, status: int) -> bytes:
    """What comes after the time; many channels share one."""
    _, tail = _sample("", units, severity, status)
    return tail


def _sample(pvname: str, units: str, severity: int, status: int) -> tuple[bytes, bytes]:
    """What surrounds number and time in the message of a scalar."""
    sample = Monitor(
        pvname=pvname,
        value=1,
        count=1,
        timestamp=2.5,
        units=units,
        severity=severity_name(severity),
        status=status_name(status),
    )
    head, _, tail = _ENCODER.encode(sample).partition(b'1,"count":1,"timestamp":2.5')
    return head, tail


@lru_cache(maxsize=16)
def _count_and_seconds(seconds: int) -> bytes:
    return b',"count":1,"timestamp":%d.' % seconds


def _reading(channel: Channel, value: PVValue) -> dict[str, Any]:
    metadata = channel.metadata
    return {
        "pvname": channel.name,
        "count": value.count,
        "timestamp": value.timestamp,
        "units": metadata.units if metadata else "",
        "severity": severity_name(value.severity),
        "status": status_name(value.status),
        "text": _state(channel, value),
    }


def _state(channel: Channel, value: PVValue) -> str | None:
    metadata = channel.metadata
    if metadata is None or metadata.type is not DbrType.ENUM or not isinstance(value.data, int):
        return None
    return metadata.enum_strs[value.data] if value.data < len(metadata.enum_strs) else None


def _finish(
    message: Reading, value: PVValue, options: SubscriptionOptions, framing: Framing, prepared: list[bytes] | None
) -> Frame:
    """Put the data in, in the form that the options ask for, and finish the message for the wire.

    prepared: the elements of an array as text.
    """
    if options.nanos:
        message.seconds, message.nanos = value.seconds, value.nanos
    data = value.data
    if isinstance(data, np.ndarray):
        return _finish_array(message, data, options, framing, prepared)
    if isinstance(data, Texts):
        return _finish_texts(message, _window(message, data, options), framing, prepared)
    if isinstance(data, list):
        message.value = [*_window(message, data, options)]
    elif isinstance(data, float):
        message.value = number_message(data)
    else:
        message.value = message.text if options.as_ and message.text is not None else data
    return framing.text(_ENCODER.encode(message))


def _finish_texts(message: Reading, texts: Texts, framing: Framing, prepared: list[bytes] | None) -> Frame:
    message.value = [] if prepared else [*texts.tolist()]
    text = _ENCODER.encode(message)
    return framing.long(spliced(text, _OPENINGS["json"], prepared)) if prepared else framing.text(text)


def _window(message: Reading, elements: _Elements, options: SubscriptionOptions) -> _Elements:
    """The elements that are asked for; the message tells which they are."""
    if options.first is None and options.max_count is None:
        return elements
    elements = _window_of(elements, options)
    message.first, message.count = options.first or 0, len(elements)
    return elements


def _window_of(elements: _Elements, options: SubscriptionOptions) -> _Elements:
    """Those from `first` on, `max_count` at most."""
    return elements[options.first or 0 :][: options.max_count]


def _as_text(array: Array, options: SubscriptionOptions) -> bool:
    return options.as_ is not None and array.dtype == np.uint8


def _finish_array(
    message: Reading, array: Array, options: SubscriptionOptions, framing: Framing, prepared: list[bytes] | None
) -> Frame:
    if _as_text(array, options):
        message.value = text_of(array)
        return framing.text(_ENCODER.encode(message))
    array = _window(message, array, options)
    if _is_reduced(array, options):
        message.reduced = options.reduce.points  # type: ignore[union-attr]
    if options.encoding != "json":
        message.dtype = array.dtype.newbyteorder("<").str
    if prepared is not None:
        return _finish_prepared(message, options, framing, prepared)
    array = _reduced(array, options)
    if options.encoding == "binary":
        return framing.binary(*binary_parts(_ENCODER.encode(message), little_endian(array)))
    if options.encoding == "json":
        message.value = json_list(array)
    else:
        message.value_b64 = b64encode(little_endian(array).tobytes()).decode()
    return framing.text(_ENCODER.encode(message))


def _is_reduced(array: Array, options: SubscriptionOptions) -> bool:
    return options.reduce is not None and len(array) > 2 * options.reduce.points


def _reduced(array: Array, options: SubscriptionOptions) -> Array:
    return envelope(array, options.reduce.points) if options.reduce and _is_reduced(array, options) else array


def _pieces(data: Data, options: SubscriptionOptions) -> Iterator[bytes] | None:
    """The elements as text, in pieces; None if they are not sent as text, or are few."""
    if isinstance(data, Texts):
        texts = _window_of(data, options)
        return json_pieces(texts) if is_large(texts) else None
    if not isinstance(data, np.ndarray) or _as_text(data, options) or options.encoding == "binary":
        return None
    array = _window_of(data, options)
    size = min(len(array), 2 * options.reduce.points) if options.reduce else len(array)
    return _text_pieces(array, options) if size >= LARGE else None


def _text_pieces(array: Array, options: SubscriptionOptions) -> Iterator[bytes]:
    yield from PIECES[options.encoding](_reduced(array, options))


_OPENINGS: Final = {"json": b'"value":[', "base64": b'"value_b64":"'}


def _finish_prepared(message: Reading, options: SubscriptionOptions, framing: Framing, pieces: list[bytes]) -> Frame:
    if options.encoding == "json":
        message.value = []
    else:
        message.value_b64 = ""
    return framing.long(spliced(_ENCODER.encode(message), _OPENINGS[options.encoding], pieces))
