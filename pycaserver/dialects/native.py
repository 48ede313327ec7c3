"""The native protocol of `/monitor`: the core's vocabulary as JSON, and arrays as base64 or binary frames."""

from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET

from pycaserver.core.channel import Channel, ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.fanout import Update
from pycaserver.core.messages import GetAnswer, Message, Monitor, Reading
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, Framing
from pycaserver.core.requests import REQUESTS, AnyRequest, Connect, Put, Request
from pycaserver.core.terms import Id, number_message
from pycaserver.core.values import Array, DbrType, Metadata, PVValue, severity_name, status_name
from pycaserver.dialects.encoding import (
    array_of,
    binary_parts,
    envelope,
    json_list,
    little_endian,
    split_payload,
    text_of,
)

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AnyRequest)
_ACTIONS: Final = frozenset(str(request.__struct_config__.tag) for request in REQUESTS)
_Elements = TypeVar("_Elements", Array, list[str])
_JSON_SPACE: Final = b" \t\r\n"


class _Gist(msgspec.Struct):
    """What an error echoes of a request that is otherwise wrong."""

    action: Any = None
    pv: Any = None
    id: Any = None


class NativeDialect:
    """JSON text frames, one message each; a frame that is no JSON object is the name of a PV to connect to."""

    name = "native"

    def decode(self, data: bytes) -> Request:
        """One request; PycaError(bad_json, bad_request, unknown_action)."""
        if data.lstrip(_JSON_SPACE)[:1] not in (b"{", b"["):
            payload = split_payload(data)
            return Connect(pv=_text(data)) if payload is None else _binary_put(*payload)
        request = _request(data)
        return complete(request) if isinstance(request, Put) else request

    def encode(self, message: Message) -> bytes:
        """JSON."""
        return _ENCODER.encode(message)

    def value_encoder(self, options: SubscriptionOptions, framing: Framing) -> ValueEncoder:
        """Makes monitor messages."""
        return MonitorEncoder(options, framing)

    def answer(
        self, channel: Channel, value: PVValue, options: SubscriptionOptions, id: Id | None, framing: Framing
    ) -> Frame:
        """The answer to get."""
        return _finish(GetAnswer(**_reading(channel, value), id=id), value, options, framing)


def complete(put: Put, elements: bytes | None = None) -> Put:
    """The put with its value, which may have come in base64 or as raw elements; PycaError(bad_request)."""
    ways = [way is not None and way is not UNSET for way in (put.value, put.value_b64, elements)]
    if sum(ways) != 1:
        raise _wrong(put, "Exactly one of `value` and `value_b64` is needed; in a binary frame, neither.")
    if ways[0]:
        return put
    if put.dtype is UNSET:
        raise _wrong(put, "Raw elements need their `dtype`.")
    try:
        raw = b64decode(put.value_b64, validate=True) if isinstance(put.value_b64, str) else elements or b""
        put.value = array_of(raw, put.dtype)  # type: ignore[assignment]  # in the place of the list that it saves
    except ValueError as error:
        raise _wrong(put, f"The elements are damaged: {error}.") from None
    return put


Scalar: TypeAlias = tuple[bytes, float, PVValue, bytes]
"""What comes before the number, the number, whose it is, and what comes after the time."""


class MonitorEncoder:
    """Makes the monitor messages of one channel in one form.

    Only value and time differ from one update of a scalar to the next. What surrounds them is kept until the alarm or
    the metadata change; the numbers of a batch are encoded all at once.
    """

    __slots__ = ("_framing", "_head", "_metadata", "_options", "_quick", "_severity", "_status", "_tail")

    def __init__(self, options: SubscriptionOptions, framing: Framing) -> None:
        self._options = options
        self._framing = framing
        self._metadata: Metadata | None = None
        self._quick = False
        self._head = self._tail = b""
        self._severity = self._status = -1

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Frame:
        """The finished message."""
        message = Monitor(**_reading(channel, value), coalesced=coalesced)
        return _finish(message, value, self._options, self._framing)

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


def _request(data: bytes) -> Request:
    try:
        request: Request = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        _refuse(data, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_json", f"{error}.") from None
    return request


def _binary_put(header: bytes, elements: bytes) -> Put:
    request = _request(header)
    if not isinstance(request, Put):
        raise PycaError("bad_request", "Only a put can be a binary frame.", id=request.id)
    return complete(request, elements)


def _wrong(put: Put, why: str) -> PycaError:
    return PycaError("bad_request", why, action="put", pvname=put.pv, id=put.id)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise PycaError("bad_json", "The message is not UTF-8.") from None


def _refuse(data: bytes, why: str) -> NoReturn:
    """The validation error with what can be read of the request; its sentence already names the key."""
    try:
        gist = msgspec.json.decode(data, type=_Gist)
    except msgspec.ValidationError:  # not an object
        gist = _Gist()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # further on than the first mistake
        raise PycaError("bad_json", f"{error}.") from None
    action = gist.action if isinstance(gist.action, str) else None
    raise PycaError(
        "bad_request" if action is None or action in _ACTIONS else "unknown_action",
        f"{why}.".replace("`$.", "`"),
        action=action,
        pvname=gist.pv if isinstance(gist.pv, str) else None,
        id=gist.id if isinstance(gist.id, str | int) and not isinstance(gist.id, bool) else None,
    )


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


def _finish(message: Reading, value: PVValue, options: SubscriptionOptions, framing: Framing) -> Frame:
    """Put the data in, in the form that the options ask for, and finish the message for the wire."""
    if options.nanos:
        message.seconds, message.nanos = value.seconds, value.nanos
    data = value.data
    if isinstance(data, np.ndarray):
        return _finish_array(message, data, options, framing)
    if isinstance(data, list):
        message.value = [*_window(message, data, options)]
    elif isinstance(data, float):
        message.value = number_message(data)
    else:
        message.value = message.text if options.as_ and message.text is not None else data
    return framing.text(_ENCODER.encode(message))


def _window(message: Reading, elements: _Elements, options: SubscriptionOptions) -> _Elements:
    """The elements from `first` on, `max_count` at most; the message tells which they are."""
    if options.first is None and options.max_count is None:
        return elements
    message.first = options.first or 0
    elements = elements[message.first :][: options.max_count]
    message.count = len(elements)
    return elements


def _finish_array(message: Reading, array: Array, options: SubscriptionOptions, framing: Framing) -> Frame:
    if options.as_ and array.dtype == np.uint8:
        message.value = text_of(array)
        return framing.text(_ENCODER.encode(message))
    array = _window(message, array, options)
    if options.reduce is not None and len(array) > 2 * options.reduce.points:
        message.reduced = options.reduce.points
        array = envelope(array, options.reduce.points)
    if options.encoding == "json":
        message.value = json_list(array)
        return framing.text(_ENCODER.encode(message))
    array = little_endian(array)
    message.dtype = array.dtype.str
    if options.encoding == "base64":
        message.value_b64 = b64encode(array.tobytes()).decode()
        return framing.text(_ENCODER.encode(message))
    return framing.binary(*binary_parts(_ENCODER.encode(message), array))
