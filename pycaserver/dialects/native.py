"""The native protocol of `/monitor`: the core's vocabulary as JSON, and arrays as base64 or binary frames."""

from base64 import b64decode
from typing import Any, Final, NoReturn

import msgspec
from msgspec import UNSET

from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Message
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing
from pycaserver.core.requests import REQUESTS, AnyRequest, Connect, Put, Request, check_text
from pycaserver.core.terms import Id
from pycaserver.dialects.encoding import array_of, split_payload
from pycaserver.dialects.readings import AnswerEncoder, MonitorEncoder

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

    def answer_encoder(self, options: SubscriptionOptions, id: Id | None, framing: Framing) -> ValueEncoder:
        """Makes the answer to get."""
        return AnswerEncoder(options, id, framing)


def complete(put: Put, elements: memoryview | None = None) -> Put:
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


def _request(data: bytes) -> Request:
    check_text(data)
    try:
        request: Request = _DECODER.decode(data)
    except msgspec.ValidationError as error:
        _refuse(data, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_json", f"{error}.") from None
    return request


def _binary_put(header: bytes, elements: memoryview) -> Put:
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
