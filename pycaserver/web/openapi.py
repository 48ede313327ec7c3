"""The OpenAPI document: what is served over HTTP, made from the handlers, the message types and their docstrings.

https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Callable, Iterable
from typing import Final, get_args

from msgspec import Struct

from pycaserver.core.contact import State
from pycaserver.core.errors import ERROR_CODES
from pycaserver.core.identity import Means
from pycaserver.core.messages import (
    AccessMessage,
    Connection,
    Error,
    GetAnswer,
    HistoryAnswer,
    MetadataMessage,
    Monitor,
    PutAnswer,
)
from pycaserver.core.names import MAX_NAME_BYTES
from pycaserver.core.requests import History, Put
from pycaserver.core.terms import Reduce
from pycaserver.web.asyncapi import asyncapi
from pycaserver.web.handlers import STATUS_OF, Guarded
from pycaserver.web.history import HISTORY_KEYS, PVHistory
from pycaserver.web.login import Login, LoginBody, Logout, WhoAmI
from pycaserver.web.metrics import Metrics
from pycaserver.web.puts import BODY_KEYS, PV
from pycaserver.web.query import READ_KEYS, STREAM_KEYS, Query
from pycaserver.web.rest import ReadPV
from pycaserver.web.schemas import Document, Schema, as_list, docstring, info, one_of, reference, schemas_of
from pycaserver.web.status import Health, Ready, Status, totals_of
from pycaserver.web.stream import StreamPV

EVENTS: Final = (Connection, Monitor, MetadataMessage, AccessMessage, HistoryAnswer, Error)
"""What an event stream carries."""

_READ_ERRORS: Final = ("bad_request", "invalid_pv_name", "read_denied", "not_found", "not_connected", "get_timeout")
_PUT_ERRORS: Final = (
    "bad_request", "invalid_pv_name", "write_disabled", "write_denied", "no_write_access", "read_denied", "not_found",
    "bad_value", "rate_limited", "not_connected", "put_failed", "put_timeout",
)  # fmt: skip
_READS_ERRORS: Final = ("bad_request", "too_many_subscriptions")
_HISTORY_ERRORS: Final = ("bad_request", "invalid_pv_name", "read_denied")
_STREAM_ERRORS: Final = ("bad_request", "invalid_pv_name", "server_full")


def openapi(version: str) -> Document:
    """OpenAPI 3.1: all paths but those of the pages."""
    schemas = schemas_of((GetAnswer, PutAnswer, LoginBody, *EVENTS), ERROR_CODES)
    schemas["Event"] = {"description": "The data of one event of a stream."} | one_of(EVENTS)
    return {
        "openapi": "3.1.0",
        "info": info("pycaserver, HTTP", version, "EPICS process variables: read, written, streamed."),
        "servers": [{"url": "..", "description": "The server of this document, behind whatever prefix a proxy adds."}],
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "responses": {"Error": _response("Any other error.", _json(reference(Error)))},
        },
    }


def _paths() -> Document:
    pv = _parameter("name", _PV_NAME, "The PV's name, percent-encoded as one segment of the path.", where="path")
    pvs = _parameter("name", {"type": "array", "items": _PV_NAME}, "A PV's name; given again for each further PV.")
    form = _parameter("format", {"enum": ["json"]}, "JSON, whatever the Accept header says.")
    read, stream = _options(READ_KEYS), _options(STREAM_KEYS)
    past = _options(HISTORY_KEYS, of=History)
    not_ready = {"503": _response("The server is shutting down.", _json(_READINESS))}
    return {
        "/api/pv": _get(ReadPV, _json(_PVS), [pvs, *read], _errors(*_READS_ERRORS), name="ReadPVs"),
        "/api/pv/{name}": _get(ReadPV, _json(reference(GetAnswer)), [pv, *read], _errors(*_READ_ERRORS)) | _put(pv),
        "/api/pv/{name}/stream": _get(StreamPV, _EVENT_STREAM, [pv, *stream], _errors(*_STREAM_ERRORS)),
        "/api/pv/{name}/history": _get(
            PVHistory, _json(reference(HistoryAnswer)), [pv, *past], _errors(*_HISTORY_ERRORS)
        ),
        "/api/login": _post(Login, _json(_IDENTITY), body=_json(reference(LoginBody))),
        "/api/logout": _post(Logout, _json(_IDENTITY)),
        "/api/whoami": _get(WhoAmI, _json(_IDENTITY)),
        "/api/openapi.json": _get(openapi, _json(_OBJECT)),
        "/api/asyncapi.json": _get(asyncapi, _json(_OBJECT)),
        "/healthz": _get(Health, _json(_record(status={"const": "ok"}))),
        "/readyz": _get(Ready, _json(_READINESS), errors=not_ready),
        "/status": _get(Status, {"text/html": {"schema": _TEXT}} | _json(_TOTALS), [form]),
        "/metrics": _get(Metrics, {"text/plain": {"schema": _TEXT}}),
    }


def _get(
    handler: type[Guarded] | Callable[..., Document],
    content: Document,
    parameters: Iterable[Document] = (),
    errors: Document | None = None,
    name: str = "",
) -> Document:
    """A path that answers GET, described by the docstrings of the handler, or of the function that makes the answer."""
    success = {"200": _response(docstring(getattr(handler, "get", handler)), content)}
    operation = {
        "operationId": name or handler.__name__,
        "summary": docstring(handler),
        "parameters": list(parameters),
        "responses": success | _errors() | (errors or {}) | {"default": {"$ref": "#/components/responses/Error"}},
    }
    return {"get": operation}


def _post(handler: type[Guarded], content: Document, body: Document | None = None) -> Document:
    """A path that answers POST, described likewise."""
    operation = {
        "operationId": handler.__name__,
        "summary": docstring(handler),
        "responses": {"200": _response(docstring(handler.post), content)}
        | _errors("bad_request")
        | {"default": {"$ref": "#/components/responses/Error"}},
    }
    return {"post": operation | ({"requestBody": {"required": True, "content": body}} if body else {})}


def _put(pv: Document) -> Document:
    """The one path that answers PUT, described by the message types of /monitor."""
    body = {key: schemas_of((Put,))["Put"]["properties"][key] for key in BODY_KEYS}
    schema = {"type": "object", "properties": body, "additionalProperties": False, "description": docstring(Put)}
    errors = _errors(*_PUT_ERRORS) | {
        "415": _response("`bad_request`: the Content-Type is not application/json.", _json(reference(Error)))
    }
    operation = {
        "operationId": "PutPV",
        "summary": "Write a PV.",
        "parameters": [pv],
        "requestBody": {"required": True, "content": _json(schema)},
        "responses": {"200": _response(docstring(PV.put), _json(reference(PutAnswer)))}
        | errors
        | {"default": {"$ref": "#/components/responses/Error"}},
    }
    return {"put": operation}


def _options(keys: Iterable[str], of: type[Struct] = Query) -> list[Document]:
    """The parameters that a URL may carry, of those that the struct has."""
    properties = schemas_of((of,))[of.__name__]["properties"]
    return [_option(key, properties[key]) for key in keys]


def _option(key: str, schema: Schema) -> Document:
    """One parameter; null is left out, as it means what an absent parameter means."""
    alternatives = [each for each in schema.get("anyOf", [schema]) if each != {"type": "null"}]
    bare = {name: value for name, value in alternatives[0].items() if name != "description"}
    return _parameter(key, _IN_A_URL.get(key, bare), schema.get("description", ""))


def _parameter(name: str, schema: Schema, description: str, where: str = "query") -> Document:
    return {"name": name, "in": where, "required": where == "path", "description": description, "schema": schema}


def _errors(*codes: str) -> Document:
    """The responses for these codes and for a request that is refused before it is looked at; status to response."""
    by_status: dict[str, dict[str, str]] = {}
    for code in ("forbidden", "unauthenticated", "rate_limited", *codes):
        by_status.setdefault(str(int(STATUS_OF[code])), {})[code] = ERROR_CODES[code]
    return {key: _response(as_list(sentences), _json(reference(Error))) for key, sentences in by_status.items()}


def _response(description: str, content: Document) -> Document:
    return {"description": description, "content": content}


def _json(schema: Schema) -> Document:
    return {"application/json": {"schema": schema}}


def _record(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


_HISTORY: Final = reference(HistoryAnswer)
_TEXT: Final[Schema] = {"type": "string"}
_OBJECT: Final[Schema] = {"type": "object"}
_IDENTITY: Final = _record(
    user={"type": "string", "description": "Empty for anonymous."},
    groups={"type": "array", "items": {"type": "string"}},
    means={"enum": list(get_args(Means))},
    expires={"type": ["number", "null"], "description": "UNIX seconds."},
    login={"type": "boolean", "description": "Whether there are tokens to log in with."},
    required={"type": "boolean", "description": "Whether there is little to be had without an identity."},
)
_TOTALS: Final[Schema] = {"type": "object", "description": docstring(totals_of)}
_PV_NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_BYTES}
_PVS: Final[Schema] = {
    "oneOf": [
        {"type": "array", "items": one_of((GetAnswer, Error)), "description": "In the order of the names given."},
        _record(names={"type": "array", "items": _PV_NAME, "description": "Without a name: those of the settings."}),
    ]
}
_READINESS: Final = _record(
    ready={"type": "boolean"},
    pvs={"type": "object", "additionalProperties": {"enum": [*(state.value for state in State), "closed"]}},
)
_EVENT_STREAM: Final[Document] = {
    "text/event-stream": {"schema": {"type": "string", "description": "The data of each event is an Event, as JSON."}}
}
_IN_A_URL: Final[dict[str, Schema]] = {
    "encoding": {"enum": ["json", "base64"]},
    "reduce": schemas_of((Reduce,))["Reduce"]["properties"]["points"],
}
"""Options that a URL gives in another way than a message."""
