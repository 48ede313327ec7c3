"""Values of every type, as the server tells them, against what a C client reads from the same C IOC, bit by bit."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pycaserver.core.values import AlarmSeverity, AlarmStatus
from tests.c_reader import read
from tests.iocs import CIOC
from tests.servers import Client, Server

SCALARS = ["ai", "ao", "minus_zero", "inf", "minus_inf", "denormal", "longin", "longout", "int64in", "bi", "mbbi"]
STRINGS = ["stringin", "stringout", "utf8", "ai.DESC", "ai.EGU", "wf_string"]
LONG_STRING = "lsi.VAL$"
ARRAYS = [
    "wf_char", "wf_uchar", "wf_short", "wf_ushort", "wf_long", "wf_ulong", "wf_int64", "wf_float", "wf_double",
    "wf_enum", "wf_partial", "wf_text", "large",
]  # fmt: skip


@pytest.fixture(scope="module")
def truth(types: CIOC) -> dict[str, dict[str, Any]]:
    """What the C client reads; names without the prefix."""
    names = [types.prefix + name for name in ("nan", *SCALARS, *STRINGS, LONG_STRING, *ARRAYS)]
    return {name.removeprefix(types.prefix): item for name, item in read(types.env(), names).items()}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    with server.client() as client:
        yield client


def value_of(client: Client, pv: str, **options: object) -> Any:
    """The first monitor message, or binary frame, of a PV."""
    client.send(action="connect", pv=pv, nanos=True, **options)
    return client.wait(msg_type="monitor", pvname=pv)


def check_stamp_and_alarm(message: dict[str, Any], truth: dict[str, Any]) -> None:
    assert (message["seconds"], message["nanos"]) == (truth["seconds"], truth["nanos"])
    assert message["timestamp"] == pytest.approx(truth["seconds"] + truth["nanos"] * 1e-9, abs=1e-6)
    assert message["severity"] == AlarmSeverity(truth["severity"]).name
    assert message["status"] == AlarmStatus(truth["status"]).name


@pytest.mark.parametrize("name", SCALARS)
def test_scalars(client: Client, types: CIOC, truth: dict[str, dict[str, Any]], name: str) -> None:
    message = value_of(client, types.prefix + name)
    assert np.array([float(message["value"])]).astype(truth[name]["dtype"]).tobytes().hex() == truth[name]["bytes"]
    assert message["count"] == truth[name]["count"] == 1
    check_stamp_and_alarm(message, truth[name])


def test_nan(client: Client, types: CIOC, truth: dict[str, dict[str, Any]]) -> None:
    message = value_of(client, types.prefix + "nan")
    assert message["value"] == "NaN"
    assert np.isnan(np.frombuffer(bytes.fromhex(truth["nan"]["bytes"]), "f8")).all()
    check_stamp_and_alarm(message, truth["nan"])


@pytest.mark.parametrize("name", STRINGS)
def test_strings(client: Client, types: CIOC, truth: dict[str, dict[str, Any]], name: str) -> None:
    message = value_of(client, types.prefix + name)
    value = message["value"] if isinstance(message["value"], list) else [message["value"]]
    assert value == truth[name]["strings"]
    assert message["count"] == truth[name]["count"]
    check_stamp_and_alarm(message, truth[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_as_json(client: Client, types: CIOC, truth: dict[str, dict[str, Any]], name: str) -> None:
    message = value_of(client, types.prefix + name)
    assert isinstance(message["value"], list)
    assert np.array(message["value"], truth[name]["dtype"]).tobytes().hex() == truth[name]["bytes"]
    assert message["count"] == truth[name]["count"] == len(message["value"])
    check_stamp_and_alarm(message, truth[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_as_base64(client: Client, types: CIOC, truth: dict[str, dict[str, Any]], name: str) -> None:
    message = value_of(client, types.prefix + name, encoding="base64")
    assert "value" not in message
    assert b64decode(message["value_b64"]).hex() == truth[name]["bytes"]
    assert np.dtype(message["dtype"]) == np.dtype(truth[name]["dtype"])
    check_stamp_and_alarm(message, truth[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_as_binary(server: Server, types: CIOC, truth: dict[str, dict[str, Any]], name: str) -> None:
    with server.client() as client:
        client.send(action="connect", pv=types.prefix + name, encoding="binary", nanos=True)
        frame: Any = {}
        while not isinstance(frame, bytes):
            frame = client.receive()
    message, elements = client.unpack(frame)
    assert elements.hex() == truth[name]["bytes"]
    assert message["pvname"] == types.prefix + name and "value" not in message
    assert np.dtype(message["dtype"]) == np.dtype(truth[name]["dtype"])
    check_stamp_and_alarm(message, truth[name])


LATIN1 = {"latin1": ("value", "Grüße"), "latin1_units": ("units", "°C"), "utf8": ("value", "Grüße")}


@pytest.mark.parametrize("name", LATIN1)
def test_text_in_any_encoding(client: Client, types: CIOC, name: str) -> None:
    key, text = LATIN1[name]
    assert value_of(client, types.prefix + name)[key] == text


@pytest.mark.parametrize(("name", "value"), [("wf_empty", []), ("wf_one_empty", None)])
def test_nothing_is_nothing(client: Client, types: CIOC, name: str, value: object) -> None:
    message = value_of(client, types.prefix + name)
    assert (message["value"], message["count"]) == (value, 0)


def test_a_waveform_of_one_element_is_a_scalar_to_ca(client: Client, types: CIOC) -> None:
    message = value_of(client, types.prefix + "wf_one")
    assert isinstance(message["value"], float) and message["count"] == 1


def test_a_long_string(client: Client, types: CIOC, truth: dict[str, dict[str, Any]]) -> None:
    message = value_of(client, types.prefix + LONG_STRING, **{"as": "string"})
    assert [message["value"]] == truth[LONG_STRING]["strings"]
    characters = value_of(client, types.prefix + LONG_STRING)["value"]
    assert bytes(characters).rstrip(b"\0").decode() == message["value"]


def test_a_char_waveform_as_a_string(client: Client, types: CIOC) -> None:
    message = value_of(client, types.prefix + "wf_text", **{"as": "string"})
    assert message["value"] == "Text in an array of characters"


def test_an_enum_as_its_state(client: Client, types: CIOC) -> None:
    message = value_of(client, types.prefix + "mbbi")
    assert (message["value"], message["text"]) == (2, "Fault")
    assert value_of(client, types.prefix + "mbbi", **{"as": "string"})["value"] == "Fault"


def test_a_get_is_the_same(client: Client, types: CIOC, truth: dict[str, dict[str, Any]]) -> None:
    names = [*SCALARS, "wf_double"]
    client.send(action="options", nanos=True)
    client.send(action="get", pv=[types.prefix + name for name in names], id="all")
    for _ in names:
        message = client.wait(msg_type="get", id="all")
        expected = truth[message["pvname"].removeprefix(types.prefix)]
        value = np.atleast_1d(np.array(message["value"]).astype(float)).astype(expected["dtype"])
        assert value.tobytes().hex() == expected["bytes"]
        check_stamp_and_alarm(message, expected)


def test_a_channel_filter_is_handed_to_the_ioc(client: Client, types: CIOC) -> None:
    """A dead band of 5 on a counter of 10 Hz: only every sixth count comes."""
    pv = types.prefix + 'fast.VAL{"dbnd":{"abs":5}}'
    first = value_of(client, pv)["value"]
    assert client.wait(msg_type="monitor", pvname=pv)["value"] - first > 5
    client.send(action="disconnect", pv=pv)


def test_array_filters_too(client: Client, types: CIOC) -> None:
    assert value_of(client, types.prefix + "large.VAL[10:14]")["value"] == [5.0, 5.5, 6.0, 6.5, 7.0]
