"""The native protocol of `/monitor`: the core's vocabulary as JSON, and arrays as base64 or binary frames."""

from base64 import b64encode
from typing import Any, Final, NoReturn

import msgspec
import numpy as np

from pycaserver.core.channel import Channel, ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.messages import (
    REQUESTS,
    AnyRequest,
    Connect,
    GetAnswer,
    Id,
    Message,
    Monitor,
    Reading,
    Request,
    SubscriptionOptions,
    number_message,
)
from pycaserver.core.outbox import Framing
from pycaserver.core.values import Array, DbrType, Metadata, PVValue, severity_name, status_name
from pycaserver.dialects.encoding import binary_payload, envelope, json_list, little_endian, text_of

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AnyRequest)
_ACTIONS: Final = frozenset(str(request.__struct_config__.tag) for request in REQUESTS)
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
            return Connect(pv=_text(data))
        try:
            request: Request = _DECODER.decode(data)
        except msgspec.ValidationError as error:
            _refuse(data, str(error))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PycaError("bad_json", f"{error}.") from None
        return request

    def encode(self, message: Message) -> bytes:
        """JSON."""
        return _ENCODER.encode(message)

    def value_encoder(self, options: SubscriptionOptions, framing: Framing) -> ValueEncoder:
        """Makes monitor messages."""
        return MonitorEncoder(options, framing)

    def answer(
        self, channel: Channel, value: PVValue, options: SubscriptionOptions, id: Id | None, framing: Framing
    ) -> bytes:
        """The answer to get."""
        return _finish(GetAnswer(**_reading(channel, value), id=id), value, options, framing)


class MonitorEncoder:
    """Makes the monitor messages of one channel in one form.

    Only value and time differ from one update of a scalar to the next. The rest is encoded once for each alarm state,
    by way of a sample message, and kept until the metadata changes.
    """

    __slots__ = ("_framing", "_metadata", "_options", "_parts", "_quick")

    def __init__(self, options: SubscriptionOptions, framing: Framing) -> None:
        self._options = options
        self._framing = framing
        self._metadata: Metadata | None = None
        self._quick = False
        self._parts: dict[tuple[int, int], tuple[bytes, bytes]] = {}

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> bytes:
        """The finished message."""
        data = value.data
        if channel.metadata is not self._metadata:
            self._begin_anew(channel.metadata)
        if self._quick and not coalesced and isinstance(data, float | int) and data - data == 0:
            head, tail = self._parts.get((value.severity, value.status)) or self._make_parts(channel, value)
            line = b'%b%a,"count":1,"timestamp":%d.%09d%b' % (head, data, value.seconds, value.nanos, tail)
            return self._framing.text(line)
        message = Monitor(**_reading(channel, value), coalesced=coalesced)
        return _finish(message, value, self._options, self._framing)

    def _begin_anew(self, metadata: Metadata | None) -> None:
        self._metadata = metadata
        self._quick = metadata is not None and metadata.type is not DbrType.ENUM and not self._options.nanos
        self._parts.clear()

    def _make_parts(self, channel: Channel, value: PVValue) -> tuple[bytes, bytes]:
        sample = Monitor(**_reading(channel, value))
        sample.value, sample.timestamp = 1, 2.5
        head, _, tail = _ENCODER.encode(sample).partition(b'1,"count":1,"timestamp":2.5')
        parts = self._parts[value.severity, value.status] = head, tail
        return parts


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


def _finish(message: Reading, value: PVValue, options: SubscriptionOptions, framing: Framing) -> bytes:
    """Put the data in, in the form that the options ask for, and finish the message for the wire."""
    if options.nanos:
        message.seconds, message.nanos = value.seconds, value.nanos
    data = value.data
    if isinstance(data, np.ndarray):
        return _finish_array(message, data, options, framing)
    if isinstance(data, list):
        message.value = [*data[: options.max_count]]
        message.count = min(value.count, options.max_count or value.count)
    elif isinstance(data, float):
        message.value = number_message(data)
    else:
        message.value = message.text if options.as_ and message.text is not None else data
    return framing.text(_ENCODER.encode(message))


def _finish_array(message: Reading, array: Array, options: SubscriptionOptions, framing: Framing) -> bytes:
    if options.as_ and array.dtype == np.uint8:
        message.value = text_of(array)
        return framing.text(_ENCODER.encode(message))
    if options.max_count is not None:
        array = array[: options.max_count]
        message.count = len(array)
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
    return framing.binary(binary_payload(_ENCODER.encode(message), array))
