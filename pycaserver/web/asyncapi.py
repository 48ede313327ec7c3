"""The AsyncAPI document: what is said on /monitor, made from the message types and their docstrings.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from typing import Final

from pycaserver.core.errors import CLOSE_CODES, CloseCode
from pycaserver.core.messages import MESSAGES, Message
from pycaserver.core.requests import REQUESTS, Request
from pycaserver.web.schemas import Document, as_list, docstring, info, one_of, reference, schemas_of

_CHANNEL: Final = "#/channels/monitor"

_PV_NAME: Final[Document] = {
    "name": "pv_name",
    "summary": "The legacy form of connect: a text frame that does not begin with { or [ is as a whole a PV's name.",
    "contentType": "text/plain",
    "payload": {"type": "string", "pattern": r"^(?![ \t\r\n]*[{\[])"},
}
_BINARY: Final[Document] = {
    "name": "binary",
    "summary": "A monitor message, or the answer to get, with its array as raw elements: encoding binary.",
    "description": (
        "Unsigned 32-bit integer H, little-endian; H bytes of JSON in UTF-8: the message without value, with dtype, "
        "padded with spaces so that 4 + H is a multiple of 8; from there on the elements, little-endian."
    ),
    "contentType": "application/octet-stream",
    "payload": {"type": "string", "format": "binary"},
}
_BATCH: Final[Document] = {
    "name": "batch",
    "summary": "All that is due, in order, in one frame: option batch. Binary frames stay frames, in their place.",
    "contentType": "application/json",
    "payload": {"type": "array", "minItems": 1, "items": one_of(MESSAGES)},
}


def asyncapi(version: str) -> Document:
    """AsyncAPI 3.0: the WebSocket side. The channel /monitor, on which the server receives and sends."""
    received = {struct.__name__: _message(struct) for struct in REQUESTS} | {"PVName": _PV_NAME}
    sent = {struct.__name__: _message(struct) for struct in MESSAGES} | {"Binary": _BINARY, "Batch": _BATCH}
    return {
        "asyncapi": "3.0.0",
        "info": info("pycaserver, WebSocket", version, "EPICS process variables, live."),
        "defaultContentType": "application/json",
        "servers": {"pycaserver": _SERVER},
        "channels": {"monitor": _channel([*received, *sent])},
        "operations": {
            "receive": _operation("receive", "Requests of the peer, one a frame.", [*received]),
            "send": _operation("send", "Messages to the peer, one a frame unless it asks for batches.", [*sent]),
        },
        "components": {"messages": received | sent, "schemas": schemas_of((*REQUESTS, *MESSAGES))},
    }


_SERVER: Final[Document] = {
    "host": "{host}",
    "protocol": "ws",
    "description": "Where this document comes from; wss behind a proxy that does TLS.",
    "variables": {"host": {"description": "Name and port.", "examples": ["127.0.0.1:8888"]}},
}


def _channel(messages: list[str]) -> Document:
    codes = {str(close.code): _meaning(close) for close in CLOSE_CODES}
    return {
        "address": "/monitor",
        "description": f"A session: one WebSocket connection, any number of PVs. Close codes:\n\n{as_list(codes)}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }


def _meaning(close: CloseCode) -> str:
    return f"{close.sentence} {'Connect again later.' if close.reconnect else 'Do not connect again as you are.'}"


def _operation(action: str, summary: str, messages: list[str]) -> Document:
    references = [{"$ref": f"{_CHANNEL}/messages/{name}"} for name in messages]
    return {"action": action, "channel": {"$ref": _CHANNEL}, "summary": summary, "messages": references}


def _message(struct: type[Request] | type[Message]) -> Document:
    """Named by its tag: the action, or the msg_type."""
    return {
        "name": struct.__struct_config__.tag,
        "summary": docstring(struct),
        "contentType": "application/json",
        "payload": reference(struct),
    }
