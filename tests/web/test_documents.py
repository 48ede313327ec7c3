"""The served documents are true: every answer of a real server conforms to them."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from pycaserver import __version__
from pycaserver.web.documents import asyncapi, openapi
from tests.iocs import CIOC, types_ioc
from tests.servers import WRITABLE, Server
from tests.timing import scaled
from tests.tokens import token_section
from tests.validators import problems

OPENAPI = openapi(__version__)
ASYNCAPI = asyncapi(__version__)
TOKEN = "a token of anna"
PV, STREAM = "/api/pv/{name}", "/api/pv/{name}/stream"

ANSWERS = [
    ("/api/pv", "", 200),
    ("/api/pv", "?name={p}ai&name={p}absent&name=%20", 200),
    ("/api/pv", "?name={p}ai&max_count=0", 400),
    (PV, "{p}ai", 200),
    (PV, "{p}bi?as=string&nanos=true", 200),
    (PV, "{p}wf_double?encoding=base64", 200),
    (PV, "{p}absent", 404),
    (PV, "%20", 400),
    (PV, "{p}ai?encoding=binary", 400),
    (PV, "{p}ai?colour=red", 400),
    (STREAM, "%20", 400),
    ("/api/whoami", "", 200),
    ("/api/openapi.json", "", 200),
    ("/api/asyncapi.json", "", 200),
    ("/healthz", "", 200),
    ("/readyz", "", 200),
    ("/status", "?format=json", 200),
    ("/status", "", 200),
    ("/metrics", "", 200),
]
"""Path of the document, what takes the place of {name} or follows, status."""


@pytest.fixture(scope="module")
def ioc() -> Iterator[CIOC]:
    with types_ioc() as ioc:
        yield ioc


@pytest.fixture(scope="module")
def server(ioc: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    offered = f"{ioc.prefix}ai,{ioc.prefix}bi"
    config = tmp_path_factory.mktemp("settings") / "pycaserver.toml"
    config.write_text(token_section("anna", TOKEN))
    with Server(
        ioc.env(), {"config": config, "pvs-names": offered, "limits-search-seconds": 0.2, **WRITABLE}
    ) as server:
        with request(server, "/api/whoami", Authorization=f"Bearer {TOKEN}"):
            pass  # what was right once is not slowed by the failures to come
        yield server


@contextmanager
def request(server: Server, target: str, method: str = "get", **headers: str) -> Iterator[http.client.HTTPResponse]:
    """The answer, while its connection is open."""
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=scaled(10))) as connection:
        connection.request(method.upper(), target, headers=headers)
        with connection.getresponse() as response:
            yield response


def answer_problems(path: str, response: http.client.HTTPResponse, method: str = "get") -> list[str]:
    """What keeps the answer from being one that the document foresees for the path."""
    documented = OPENAPI["paths"][path][method]["responses"][str(response.status)]
    body, content = response.read(), response.headers.get_content_type()
    schema = documented["content"][content]["schema"]
    return problems(OPENAPI, schema, json.loads(body) if content == "application/json" else body.decode())


def target_of(path: str, rest: str, prefix: str) -> str:
    rest = rest.replace("{p}", quote(prefix))
    return path.replace("{name}", rest) if "{name}" in path else path + rest


@pytest.mark.parametrize(("path", "rest", "status"), ANSWERS)
def test_answer_is_one_that_the_document_foresees(server: Server, ioc: CIOC, path: str, rest: str, status: int) -> None:
    with request(server, target_of(path, rest, ioc.prefix)) as response:
        assert response.status == status
        assert answer_problems(path, response) == []


OPERATIONS = sorted((path, method) for path, methods in OPENAPI["paths"].items() for method in methods)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_foreign_host_is_forbidden_as_documented(server: Server, path: str, method: str) -> None:
    with request(server, path.replace("{name}", "A"), method, Host="rebound.example") as response:
        assert response.status == 403
        assert answer_problems(path, response, method) == []


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_wrong_token_is_refused_as_documented(server: Server, path: str, method: str) -> None:
    with request(server, path.replace("{name}", "A"), method, Authorization="Bearer wrong") as response:
        assert response.status in (401, 429)  # so many attempts in a row are slowed
        assert answer_problems(path, response, method) == []


def examples(schema: dict[str, Any]) -> list[str]:
    """Values of a query that the schema allows."""
    if "enum" in schema:
        return list(schema["enum"])
    return {"boolean": ["true", "false"], "integer": ["1", "7"], "number": ["1", "2.5"]}[schema["type"]]


OPTIONS = [
    (option["name"], value)
    for option in OPENAPI["paths"][PV]["get"]["parameters"]
    if option["in"] == "query"
    for value in examples(option["schema"])
]


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_documented_option_is_taken(server: Server, ioc: CIOC, option: str, value: str) -> None:
    with request(server, f"/api/pv/{quote(ioc.prefix)}wf_double?{option}={value}") as response:
        assert response.status == 200
        assert answer_problems(PV, response) == []


def test_stream_carries_events(server: Server, ioc: CIOC) -> None:
    with request(server, f"/api/pv/{quote(ioc.prefix)}ai/stream?metadata=true") as response:
        (media_type,) = OPENAPI["paths"][STREAM]["get"]["responses"]["200"]["content"]
        assert response.headers.get_content_type() == media_type
        lines = iter(response.readline, b"")
        events = (json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: "))
        kinds = []
        while "monitor" not in kinds:
            event = next(events)
            kinds.append(event["msg_type"])
            assert problems(OPENAPI, {"$ref": "#/components/schemas/Event"}, event) == []
    assert kinds == ["connection", "metadata", "access", "monitor"]


def test_session_sends_what_the_document_foresees(server: Server, ioc: CIOC) -> None:
    sent = [reference["$ref"].rsplit("/", 1)[1] for reference in ASYNCAPI["operations"]["send"]["messages"]]
    documented = [ASYNCAPI["components"]["messages"][name] for name in sent]
    payloads = {message["name"]: message["payload"] for message in documented}
    with server.client() as client:
        client.send(action="connect", pv=[f"{ioc.prefix}ai", f"{ioc.prefix}bi"], metadata=True, id="c")
        client.send(action="get", pv=[f"{ioc.prefix}wf_double", f"{ioc.prefix}absent"], id=1)
        client.send(action="put", pv=f"{ioc.prefix}ao", value=2)
        client.send(action="info", pv=f"{ioc.prefix}bi")
        client.send(action="history", pv=f"{ioc.prefix}ai")
        client.send(action="events")
        client.send(action="options", batch=True)
        client.send(action="list")
        client.send(action="ping")
        client.send(action="authenticate", token=TOKEN)
        while payloads.keys() - {"binary", "batch"} > {message["msg_type"] for message in client.messages}:
            client.receive()
    for message in client.messages:
        assert problems(ASYNCAPI, payloads[message["msg_type"]], message) == []


def test_binary_frame_has_the_layout_of_the_document(server: Server, ioc: CIOC) -> None:
    header_schema = ASYNCAPI["components"]["messages"]["Monitor"]["payload"]
    with server.client() as client:
        client.send(action="connect", pv=f"{ioc.prefix}wf_double", encoding="binary")
        while not isinstance(frame := client.receive(), bytes):
            pass
    start = 4 + int.from_bytes(frame[:4], "little")
    header = json.loads(frame[4:start])
    assert start % 8 == 0 and len(frame) == start + 8 * header["count"]
    assert header["dtype"] == "<f8" and "value" not in header
    assert problems(ASYNCAPI, header_schema, header) == []


@pytest.mark.parametrize(("path", "document"), [("/api/openapi.json", OPENAPI), ("/api/asyncapi.json", ASYNCAPI)])
def test_document_is_served(server: Server, path: str, document: dict[str, Any]) -> None:
    for _ in range(2):
        with request(server, path) as response:
            assert response.status == 200
            assert json.loads(response.read()) == document
