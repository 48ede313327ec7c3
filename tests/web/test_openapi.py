"""The OpenAPI document: valid, and complete as to the routes, the options and the error codes."""

from pathlib import Path
from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tornado.web import RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from pycaserver.core.errors import ERROR_CODES
from pycaserver.core.requests import OptionKeys, Put
from pycaserver.web.asyncapi import asyncapi
from pycaserver.web.handlers import STATUS_OF
from pycaserver.web.openapi import openapi
from pycaserver.web.puts import PV
from pycaserver.web.query import READ_KEYS, STREAM_KEYS, Query
from pycaserver.web.rest import ReadPV
from pycaserver.web.routes import application
from pycaserver.web.site import Site
from tests.validators import dead_references

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = openapi("1.2.3")
PATHS: dict[str, Any] = DOCUMENT["paths"]


def handlers() -> dict[str, type[RequestHandler]]:
    """Path to handler, of everything that is routed; a segment that varies is {name}."""
    rules = application(cast(Site, None), ROOT / "static").wildcard_router.rules
    patterns = {rule.matcher.regex.pattern.removesuffix("$"): rule.target for rule in rules}
    return {pattern.replace("([^/]+)", "{name}"): handler for pattern, handler in patterns.items()}


def parameters(path: str) -> dict[str, dict[str, Any]]:
    return {parameter["name"]: parameter for parameter in PATHS[path]["get"]["parameters"]}


def test_conforms_to_the_specification() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    assert DOCUMENT["openapi"].startswith("3.1.") and DOCUMENT["info"]["version"] == "1.2.3"


def test_specification_would_not_accept_anything() -> None:
    assert not OpenAPIV31SpecValidator(DOCUMENT | {"info": {}}).is_valid()


def test_every_reference_leads_somewhere() -> None:
    assert dead_references(DOCUMENT) == []


METHODS = ("get", "post", "put")


def answers(handler: type[RequestHandler], method: str) -> bool:
    return getattr(handler, method) is not getattr(RequestHandler, method)


def test_paths_and_methods_are_those_of_the_routes() -> None:
    apart = (StaticFileHandler, WebSocketHandler)
    pages = {path: handler for path, handler in handlers().items() if not issubclass(handler, apart)}
    served = {(path, method) for path, handler in pages.items() for method in METHODS if answers(handler, method)}
    assert served and served == {(path, method) for path, operations in PATHS.items() for method in operations}


def test_websockets_are_the_channels_of_the_other_document() -> None:
    served = {path for path, handler in handlers().items() if issubclass(handler, WebSocketHandler)}
    assert served == {channel["address"] for channel in asyncapi("1")["channels"].values()}


def test_handlers_docstrings_describe_the_paths() -> None:
    operation = PATHS["/api/pv/{name}"]["get"]
    assert operation["summary"] == ReadPV.__doc__
    assert operation["responses"]["200"]["description"] == ReadPV.get.__doc__


@pytest.mark.parametrize("path", ["/api/pv", "/api/pv/{name}"])
def test_read_takes_the_options_of_a_form(path: str) -> None:
    assert parameters(path).keys() == {"name", *READ_KEYS}


def test_stream_takes_every_option_of_a_subscription() -> None:
    assert parameters("/api/pv/{name}/stream").keys() == {"name", *OptionKeys.__struct_encode_fields__} - {"id"}


def test_every_option_is_one_of_a_query() -> None:
    assert {*READ_KEYS, *STREAM_KEYS} == {*Query.__struct_encode_fields__} - {"id"}


def test_options_are_bounded_as_in_messages_but_for_what_a_url_cannot_say() -> None:
    schemas = {name: parameter["schema"] for name, parameter in parameters("/api/pv/{name}/stream").items()}
    assert schemas["max_rate"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}
    assert schemas["reduce"] == {"type": "integer", "minimum": 1, "maximum": 10_000_000}
    assert schemas["encoding"] == {"enum": ["json", "base64"]}


def test_put_takes_the_keys_of_a_put() -> None:
    put = PATHS["/api/pv/{name}"]["put"]
    schema = put["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"].keys() == {*Put.__struct_encode_fields__} - {"id", "pv"}
    assert put["responses"]["200"]["description"] == PV.put.__doc__
    assert "`put_timeout`" in put["responses"]["504"]["description"]


def test_name_is_a_segment_or_repeated() -> None:
    assert parameters("/api/pv/{name}")["name"]["in"] == "path"
    assert parameters("/api/pv")["name"]["schema"]["type"] == "array"


def test_error_codes_stand_at_their_status() -> None:
    described: set[str] = set()
    for path in ("/api/pv", "/api/pv/{name}", "/api/pv/{name}/stream"):
        for code, status in STATUS_OF.items():
            responses = [operation["responses"].get(str(int(status)), {}) for operation in PATHS[path].values()]
            if any(f"`{code}`: {ERROR_CODES[code]}" in it.get("description", "") for it in responses):
                described.add(code)
    assert described == STATUS_OF.keys()


def test_every_path_may_be_forbidden() -> None:
    for operation in (operation for path in PATHS.values() for operation in path.values()):
        assert "`forbidden`" in operation["responses"]["403"]["description"]


def test_error_schema_knows_every_code() -> None:
    codes = DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    assert {*codes} == {*ERROR_CODES}


def test_reference_page_names_every_path_option_and_status() -> None:
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for path in PATHS:
        assert any(path.replace("{name}", "NAME") in row for row in rows), path
    for option in Query.__struct_encode_fields__[1:]:
        assert any(row.startswith(f"| `{option}") for row in rows), option
    for code in STATUS_OF:
        assert any(row.startswith(f"| {STATUS_OF[code]:d} | `{code}` |") for row in rows), code
