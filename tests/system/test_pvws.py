"""PV Web Socket's protocol: what a merging client knows, against a C IOC with records of every type."""

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.c_reader import read
from tests.iocs import CIOC
from tests.pvws_client import PvwsClient
from tests.servers import WRITABLE, Server
from tests.web.http import fetch, segment

SCALARS = {"ai": "VDouble", "longin": "VInt", "minus_zero": "VDouble", "int64in": "VDouble"}
ARRAYS = {
    "wf_char": "VByteArray", "wf_uchar": "VByteArray", "wf_short": "VShortArray", "wf_long": "VIntArray",
    "wf_float": "VFloatArray", "wf_double": "VDoubleArray", "wf_enum": "VDoubleArray", "large": "VDoubleArray",
}  # fmt: skip


@pytest.fixture
def client(server: Server) -> Iterator[PvwsClient]:
    with PvwsClient(server) as client:
        yield client


@pytest.mark.parametrize(("name", "vtype"), [*SCALARS.items(), *ARRAYS.items()])
def test_numbers_are_those_of_the_ioc(client: PvwsClient, types: CIOC, name: str, vtype: str) -> None:
    pv = types.prefix + name
    truth = read(types.env(), [pv])[pv]
    wanted = np.frombuffer(bytes.fromhex(truth["bytes"]), "|i1" if vtype == "VByteArray" else truth["dtype"])
    known = client.knows(pv)
    assert (known["vtype"], known["seconds"], known["nanos"]) == (vtype, truth["seconds"], truth["nanos"])
    np.testing.assert_array_equal(np.atleast_1d(known["value"]), wanted)


def test_a_number_comes_with_all_its_metadata(client: PvwsClient, types: CIOC) -> None:
    known = client.knows(types.prefix + "ai")
    known.pop("seconds"), known.pop("nanos")
    assert known == {
        "type": "update", "pv": types.prefix + "ai", "readonly": False, "vtype": "VDouble", "units": "mm",
        "description": "", "precision": 3, "min": -100, "max": 100, "warn_low": -50, "warn_high": 50,
        "alarm_low": -90, "alarm_high": 90, "severity": "NONE", "value": 21.5,
    }  # fmt: skip


def test_the_name_comes_back_as_it_was_asked_for(client: PvwsClient, types: CIOC) -> None:
    assert client.knows(f"ca://{types.prefix}ai")["value"] == 21.5
    client.says("list")
    assert client.wait(type="list")["pvs"] == [f"ca://{types.prefix}ai"]


def test_enum_and_string(client: PvwsClient, types: CIOC) -> None:
    enum, text = client.knows(types.prefix + "mbbi"), client.knows(types.prefix + "stringin")
    assert [enum[key] for key in ("vtype", "labels", "value", "text", "severity")] == [
        "VEnum", ["Idle", "Busy", "Fault"], 2, "Fault", "MAJOR",
    ]  # fmt: skip
    assert (text["vtype"], text["text"], "value" in text) == ("VString", "Hello, world", False)


def test_writes_and_what_changes_is_told(client: PvwsClient, types: CIOC) -> None:
    pv = types.prefix + "ao"
    client.knows(pv)
    client.says("write", pv=pv, value=9.5)
    assert client.wait(pv=pv, value=9.5)["severity"] == "MAJOR"
    client.says("write", pv=pv, value=1.25)
    assert client.wait(pv=pv, value=1.25)["severity"] == "NONE"
    delta = json.loads(client.raw[-1])
    assert list(delta) == ["type", "pv", "severity", "value", "seconds", "nanos"]


def test_write_of_a_label(client: PvwsClient, types: CIOC) -> None:
    pv = types.prefix + "mbbo"
    client.knows(pv)
    client.says("write", pv=pv, value="High")
    assert client.wait(pv=pv, value=2)["text"] == "High"
    client.says("write", pv=pv, value="Low")
    client.wait(pv=pv, value=0)


def test_disconnection_and_return(types: CIOC) -> None:
    with CIOC('record(ao, "$(P)x") { field(EGU, "V") field(DOL, "3") field(PINI, "YES") }') as ioc:
        pv = f"{ioc.prefix}x"
        with Server(ioc.env(), WRITABLE) as server, PvwsClient(server) as client:
            assert client.knows(pv)["value"] == 3
            ioc.kill()
            gone = client.wait(pv=pv, severity="INVALID")
            assert (gone["value"], gone["readonly"]) == ("NaN", True)
            ioc.start()
            back = client.wait(pv=pv, severity="NONE")
            assert (back["value"], back["readonly"], back["units"]) == (3, False, "V")
            assert "vtype" in json.loads(client.raw[-1])


def test_write_without_the_right(types: CIOC) -> None:
    pv = types.prefix + "ao"
    with Server(types.env()) as server, PvwsClient(server) as client:
        assert client.knows(pv)["readonly"] is True
        client.says("write", pv=pv, value=5)
        assert client.wait(type="error")["message"].startswith("PV_WRITE_SUPPORT is disabled")
        client.says("write", pv=f"ca://{pv}", value=5)
        assert client.wait(type="error")["message"] == f"Cannot write unknown PV ca://{pv}"


def test_ping_and_echo(client: PvwsClient) -> None:
    client.says("ping")
    client.socket.send(text := '{"type": "echo",  "anything": [1, "\u00e9"]}')
    assert client.hears() == json.loads(text)
    assert client.raw == [text]


def test_pages_of_the_protocol(server: Server, types: CIOC) -> None:
    pv = types.prefix + "ai"
    info = fetch(server, "/pvws/info?env=true").json
    assert info.keys() == {"start_time", "server"}
    reading = fetch(server, f"/pvws/pvget?name={segment(pv)}").json
    assert (reading["success"], reading["value"], reading["vtype"], reading["array"]) == (True, 21.5, "VDouble", False)
    array = fetch(server, f"/pvws/pvget?pv={segment(types.prefix + 'wf_short')}").json
    assert array["array"] and array["size"] == len(array["value"])
    nothing = fetch(server, f"/pvws/pvget?name={segment(types.prefix)}nowhere")
    assert (nothing.status, nothing.json["success"]) == (404, False)
    assert fetch(server, "/pvws/pvget").status == 400


@pytest.mark.parametrize("path", ["summary", "socket", "pool"])
def test_names_are_for_administrators(server: Server, types: CIOC, path: str) -> None:
    assert fetch(server, f"/pvws/{path}").status == 403
    with Server(types.env(), {"access-administrators": "anyone"}) as own, PvwsClient(own) as client:
        client.knows(types.prefix + "wf_short")
        answer = fetch(own, f"/pvws/{path}").json
    wanted = {
        "summary": lambda: [(it["pvs"], it["arrays"]) for it in answer["sockets"]] == [(1, 1)],
        "socket": lambda: [pv["name"] for pv in answer["sockets"][0]["pvs"]] == [types.prefix + "wf_short"],
        "pool": lambda: answer == [{"refs": 1, "pv": types.prefix + "wf_short"}],
    }
    assert wanted[path]()


def test_scripts_may_be_loaded_from_elsewhere(server: Server) -> None:
    for name in ("pvws.js", "base64.js"):
        answer = fetch(server, f"/pvws/js/{name}?V=1")
        assert (answer.status, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin")
        assert "javascript" in answer.headers["Content-Type"]
    assert fetch(server, "/pvws/js/../../index.html").status == 404
