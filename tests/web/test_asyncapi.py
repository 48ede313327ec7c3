"""The AsyncAPI document: valid by the specification's own schema, complete, and true of real messages."""

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from pycaserver.core import messages as m
from pycaserver.core import requests as r
from pycaserver.core.errors import CLOSE_CODES, ERROR_CODES, PycaError
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.terms import Reduce
from pycaserver.dialects.native import NativeDialect
from pycaserver.web.asyncapi import asyncapi
from tests.validators import DIRECTORY, asyncapi_schema, dead_references, problems

DOCUMENT = asyncapi("1.2.3")
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]

READING: dict[str, Any] = {
    "pvname": "SIM:A", "count": 1, "timestamp": 1447799204.25, "severity": "NO_ALARM", "status": "NO_ALARM",
}  # fmt: skip
LIMITS = m.LimitPair(0.0, "NaN")
METADATA: dict[str, Any] = {"pvname": "SIM:A", "type": "enum", "count": 1, "enum_strs": ("Off", "On"), "alarm": LIMITS}

REQUESTS: list[r.Request] = [
    r.Connect(pv="SIM:A"),
    r.Connect(pv=["SIM:A", "SIM:B"], id=7, metadata=True, encoding="binary", max_rate=2.5, deadband=0.0, max_count=10),
    r.Connect(pv="SIM:A", max_rate=None, reduce=Reduce(100), as_="string", nanos=True, first=5),
    r.Disconnect(pv=["SIM:A"]),
    r.SetOptions(batch=True, reduce=None, id="o"),
    r.Get(pv="SIM:A", timeout=0.5),
    r.Put(pv="SIM:A", value=2.5, id="p"),
    r.Put(pv="SIM:A", value=[1, "NaN"], wait=False, timeout=1),
    r.Info(pv="SIM:A", id="i"),
    r.List(),
    r.History(pv="SIM:A", since=1447799204.25, points=100, id="h"),
    r.History(pv="SIM:A", seconds=60),
    r.GetEvents(since=5, limit=0, subscribe=True, id="e"),
    r.Pause(),
    r.Resume(id=2**40),
    r.Ping(id="p"),
    r.Authenticate(token="secret", id="a"),
]
ANSWERS: list[m.Message] = [
    m.Connection(pvname="SIM:A", conn=True, id=7),
    m.Connection(pvname="SIM:A", conn=False, reason="lost", since=1447799204.25),
    m.Monitor(**READING, value=5, units="egu", coalesced=3),
    m.Monitor(**READING, value="NaN", seconds=1447799204, nanos=250_000_000),
    m.Monitor(**READING, value=[1, 2.5, "Infinity"], reduced=2),
    m.Monitor(**READING, value=None),
    m.Monitor(**READING, value_b64="AAAAAAAA8D8=", dtype="<f8"),
    m.GetAnswer(**READING, value=1, text="On", id="g"),
    m.PutAnswer(pvname="SIM:A", ok=True, elapsed=0.25, id="p"),
    m.PutAnswer(pvname="SIM:A", ok=True, sent=True, elapsed=0.0),
    m.MetadataMessage(**METADATA, units="mm", precision=3),
    m.AccessMessage(pvname="SIM:A", read=True, write=False),
    m.InfoAnswer(
        **METADATA,
        host="127.0.0.1:5064",
        access=m.AccessRights(True, False),
        allowed=m.AccessRights(True, True),
        rule="",
        subscribers=2,
    ),
    m.ListAnswer(pvs=[m.ListItem("SIM:A", True), m.ListItem("SIM:B", False, "not_found")]),
    m.HistoryAnswer(pvname="SIM:A", time=[1.5, 2.5], value=[1.0, "NaN"], severity=["NO_ALARM", "MAJOR"], reduced=1),
    m.EventsAnswer(events=[], missed=2, id="e"),
    m.EventsAnswer(
        events=[
            m.Event(id=1, time=2.5, pvname="SIM:A", kind="alarm", severity="MINOR", status="HIGH", value=1.5),
            m.Event(id=2, time=2.5, pvname="SIM:A", kind="connection", conn=False, reason="lost"),
        ]
    ),
    m.OptionsAnswer(batch=False, **SubscriptionOptions(reduce=Reduce(5)).as_dict()),
    m.Pong(id=1),
    m.AuthenticateAnswer(ok=True, user="anna", expires=1447799204.25, id="a"),
    m.Error(code="not_found", message="No.", action="get", pvname="SIM:A", id=3),
]
WRONG_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("Connect", {"action": "connect"}),
    ("Connect", {"action": "connect", "pv": 5}),
    ("Connect", {"action": "connect", "pv": "SIM:A", "max_rate": 0}),
    ("Connect", {"action": "connect", "pv": "SIM:A", "encoding": "hex"}),
    ("Connect", {"action": "connect", "pv": "SIM:A", "reduce": {"points": 0}}),
    ("Connect", {"action": "connect", "pv": "SIM:A", "deadbnad": 1}),
    ("Disconnect", {"action": "disconnect", "pv": [None]}),
    ("SetOptions", {"action": "options", "batch": "yes"}),
    ("Get", {"action": "get", "pv": "SIM:A", "timeout": -1}),
    ("Put", {"action": "put", "value": 1}),
    ("Put", {"action": "put", "pv": "SIM:A", "value": True}),
    ("Put", {"action": "put", "pv": "SIM:A", "value_b64": "AA==", "dtype": ">f8"}),
    ("Info", {"action": "info", "pv": ["SIM:A"]}),
    ("History", {"action": "history", "pv": "SIM:A", "points": 0}),
    ("GetEvents", {"action": "events", "limit": -1}),
    ("Ping", {"action": "ping", "id": 1.5}),
    ("Ping", {"action": "pnig"}),
]
WRONG_ANSWERS: list[tuple[str, dict[str, Any]]] = [
    ("Connection", {"msg_type": "connection", "pvname": "SIM:A"}),
    ("Monitor", READING | {"msg_type": "connection"}),
    ("Monitor", READING | {"msg_type": "monitor", "value": {"re": 1, "im": 0}}),
    ("Monitor", READING | {"msg_type": "monitor", "severity": "BAD"}),
    ("MetadataMessage", {"msg_type": "metadata", "pvname": "SIM:A", "type": "quad", "count": 1}),
    ("HistoryAnswer", {"msg_type": "history", "pvname": "SIM:A", "time": [1], "value": ["x"], "severity": []}),
    ("EventsAnswer", {"msg_type": "events", "events": [{"id": 1}]}),
    ("Error", {"msg_type": "error", "code": "teapot", "message": "No."}),
]


def payload_problems(name: str, value: object) -> list[str]:
    """What keeps the value from being a payload of that message."""
    return problems(DOCUMENT, MESSAGES[name]["payload"], value)


def as_sent(struct: msgspec.Struct) -> Any:
    """As a peer reads it."""
    return json.loads(msgspec.json.encode(struct))


@pytest.fixture(scope="module")
def specification(tmp_path_factory: pytest.TempPathFactory) -> Draft7Validator:
    return Draft7Validator(asyncapi_schema(tmp_path_factory.mktemp("asyncapi")))


def test_conforms_to_the_specification(specification: Draft7Validator) -> None:
    assert [f"{error.json_path}: {error.message}" for error in specification.iter_errors(DOCUMENT)] == []
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_specification_would_not_accept_anything(specification: Draft7Validator) -> None:
    operations = DOCUMENT["operations"] | {"receive": DOCUMENT["operations"]["receive"] | {"action": "listen"}}
    assert not specification.is_valid(DOCUMENT | {"operations": operations})
    assert not specification.is_valid({key: value for key, value in DOCUMENT.items() if key != "info"})


def test_validator_is_pinned_by_hash_and_names_no_download_address() -> None:
    locked = json.loads((DIRECTORY / "package-lock.json").read_text())["packages"]
    del locked[""]
    assert "node_modules/@asyncapi/specs" in locked
    for package in locked.values():
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_every_reference_leads_somewhere() -> None:
    assert dead_references(DOCUMENT) == []
    assert dead_references({"a": [{"$ref": "#/b/c"}], "b": {}}) == ["#/b/c"]


@pytest.mark.parametrize(("action", "structs"), [("receive", r.REQUESTS), ("send", m.MESSAGES)])
def test_every_type_is_a_message_named_by_its_tag(action: str, structs: tuple[type[msgspec.Struct], ...]) -> None:
    operation = DOCUMENT["operations"][action]
    assert operation["action"] == action
    allowed = {reference["$ref"].rsplit("/", 1)[1] for reference in operation["messages"]}
    for struct in structs:
        message = MESSAGES[struct.__name__]
        assert struct.__name__ in allowed
        assert message["name"] == struct.__struct_config__.tag
        assert message["payload"] == {"$ref": f"#/components/schemas/{struct.__name__}"}
        assert message["summary"] == struct.__doc__


def test_channel_holds_every_message_and_names_the_close_codes() -> None:
    channel = DOCUMENT["channels"]["monitor"]
    assert channel["address"] == "/monitor"
    assert channel["messages"].keys() == MESSAGES.keys()
    for close in CLOSE_CODES:
        assert f"`{close.code}`: {close.sentence}" in channel["description"]


def test_error_codes_are_those_of_the_table() -> None:
    code = DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]
    assert code["enum"] == [*ERROR_CODES]
    for name, sentence in ERROR_CODES.items():
        assert f"`{name}`: {sentence}" in code["description"]


def test_every_type_has_an_example_here() -> None:
    assert {type(example) for example in REQUESTS} == {*r.REQUESTS}
    assert {type(example) for example in ANSWERS} == {*m.MESSAGES}


@pytest.mark.parametrize("example", [*REQUESTS, *ANSWERS], ids=lambda example: type(example).__name__)
def test_real_message_conforms_to_its_own_schema_only(example: msgspec.Struct) -> None:
    sent = as_sent(example)
    assert payload_problems(type(example).__name__, sent) == []
    kin = r.REQUESTS if isinstance(example, r.Request) else m.MESSAGES
    for other in {*kin} - {type(example)}:
        assert payload_problems(other.__name__, sent) != []


@pytest.mark.parametrize("example", REQUESTS, ids=lambda example: type(example).__name__)
def test_what_the_schema_allows_the_server_takes(example: r.Request) -> None:
    assert NativeDialect().decode(msgspec.json.encode(example)) == example


@pytest.mark.parametrize(("name", "request_"), WRONG_REQUESTS)
def test_wrong_request_is_refused_by_schema_and_server(name: str, request_: dict[str, Any]) -> None:
    assert payload_problems(name, request_) != []
    with pytest.raises(PycaError):
        NativeDialect().decode(json.dumps(request_).encode())


@pytest.mark.parametrize(("name", "message"), WRONG_ANSWERS)
def test_wrong_message_is_refused(name: str, message: dict[str, Any]) -> None:
    assert payload_problems(name, message) != []


@pytest.mark.parametrize("text", ["SIM:A", 'SIM:A.VAL{"dbnd":{"abs":1}}', "5", '"SIM:A"'])
def test_other_text_is_a_pv_name(text: str) -> None:
    assert payload_problems("PVName", text) == []
    assert NativeDialect().decode(text.encode()) == r.Connect(pv=text)


@pytest.mark.parametrize("text", ['{"action": "ping"}', " \n{}", "[]", "\t["])
def test_json_text_is_no_pv_name(text: str) -> None:
    assert payload_problems("PVName", text) != []


def test_batch_is_an_array_of_messages() -> None:
    batch = [as_sent(example) for example in ANSWERS]
    assert payload_problems("Batch", batch) == []
    assert payload_problems("Batch", []) != []
    assert payload_problems("Batch", [*batch, as_sent(r.Ping())]) != []


def test_binary_frames_are_no_json() -> None:
    assert MESSAGES["Binary"]["contentType"] == "application/octet-stream"
    assert MESSAGES["Binary"]["payload"] == {"type": "string", "format": "binary"}
