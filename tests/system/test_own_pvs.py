"""The server's own PVs, sim://, loc://, stat://, by every door, with no IOC to be reached."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from websockets.sync.client import connect

from tests.iocs import CIOC
from tests.servers import WRITABLE, Server

NO_IOC = {"EPICS_CA_ADDR_LIST": "127.0.0.1:9", "EPICS_CA_AUTO_ADDR_LIST": "NO"}
RAMP = "sim://ramp(0,1.5,0.1)"


@pytest.fixture(scope="module")
def alone() -> Iterator[Server]:
    """A server that reaches no IOC, and offers a PV of each source."""
    settings = {"limits-search-seconds": 0.3, "limits-linger-seconds": 0.1, "pvs-names": "sim://sine,loc://x,nowhere"}
    with Server(NO_IOC, {**settings, **WRITABLE}) as server:
        yield server


def fetch(request: str | Request) -> tuple[int, Any]:
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def api(server: Server, name: str) -> str:
    return f"{server.url}api/pv/{quote(name, safe='')}"


def test_a_page_lives_without_an_ioc(alone: Server) -> None:
    with alone.client() as client:
        client.send(action="connect", pv=[RAMP, "sim://flipflop(0.1)", "sim://sinewave"])
        assert client.wait(msg_type="connection", pvname=RAMP)["conn"]
        first = client.wait(msg_type="monitor", pvname=RAMP)
        second = client.wait(msg_type="monitor", pvname=RAMP)
        assert second["value"] != first["value"]
        assert second["timestamp"] > first["timestamp"]
        assert client.wait(msg_type="monitor", pvname="sim://flipflop(0.1)")["text"] in ("Off", "On")
        assert len(client.wait(msg_type="monitor", pvname="sim://sinewave")["value"]) == 50
        client.send(action="connect", pv="nowhere")
        assert client.wait(msg_type="connection", pvname="nowhere")["reason"] == "not_found"


def test_the_form_in_which_a_frame_is_a_name(alone: Server) -> None:
    with alone.client() as client:
        client.socket.send(RAMP)
        assert client.wait() == {"msg_type": "connection", "pvname": RAMP, "conn": True}
        assert client.wait(msg_type="monitor")["units"] == "a.u."


def test_requests_about_them(alone: Server) -> None:
    with alone.client() as client:
        for action, pv in (("get", "sim://const(9007199254740993)"), ("info", "stat://loop_lag")):
            client.send(action=action, pv=pv, id=action)
        assert client.wait(id="get")["value"] == 9007199254740993
        assert client.wait(id="info")["units"] == "s"
        client.send(action="connect", pv="stat://sessions")
        assert client.wait(msg_type="monitor", pvname="stat://sessions")["value"] >= 1
        client.send(action="list")
        assert client.wait(msg_type="list")["pvs"] == [{"pvname": "stat://sessions", "conn": True}]


def test_sessions_share_a_local_pv(alone: Server) -> None:
    name = "loc://shared<VLong>(9007199254740993)"
    with alone.client() as one, alone.client() as other:
        one.send(action="connect", pv=name)
        assert one.wait(msg_type="monitor")["value"] == 9007199254740993
        other.send(action="put", pv=name, value=9007199254740995)
        assert other.wait(msg_type="put")["ok"]
        assert one.wait(msg_type="monitor")["value"] == 9007199254740995
    assert f'"pv":"{name}","old":9007199254740993,"new":9007199254740995' in alone.output


def test_over_http(alone: Server) -> None:
    assert fetch(api(alone, "sim://const(2.5)"))[1]["value"] == 2.5
    put = Request(api(alone, "loc://x"), b'{"value": 7}', {"Content-Type": "application/json"}, method="PUT")
    assert fetch(put)[0] == 200
    assert fetch(f"{alone.url}api/pv?name={quote('loc://x')}&name=stat://nope")[1][0]["value"] == 7
    with urlopen(api(alone, RAMP) + "/stream", timeout=10) as stream:
        data = (line for line in stream if line.startswith(b"data:"))
        messages = [json.loads(next(data)[5:]) for _ in range(3)]
    assert [message["msg_type"] for message in messages] == ["connection", "monitor", "monitor"]


def test_over_pvws(alone: Server) -> None:
    with connect(alone.url.replace("http", "ws", 1) + "pvws/pv", proxy=None) as socket:

        def update(pv: str, wanted: str) -> dict[str, Any]:
            while True:
                message = json.loads(socket.recv(timeout=10))
                if message.get("pv") == pv and wanted in message:
                    return message

        names = ["sim://flipflop(29.929)", "loc://pvws<VLong>(3)", "ca://nowhere"]
        socket.send(json.dumps({"type": "subscribe", "pvs": names}))
        assert update(names[0], "labels")["text"] in ("Off", "On")
        assert update(names[1], "vtype")["vtype"] == "VLong"
        socket.send(json.dumps({"type": "write", "pv": names[1], "value": 5}))
        assert update(names[1], "value")["value"] == 5
        socket.send(json.dumps({"type": "subscribe", "pvs": ["pva://X"]}))
        while (message := json.loads(socket.recv(timeout=10)))["type"] != "error":
            pass
        assert "pva://" in message["message"]


@pytest.mark.parametrize("name", ["sim://nope", "stat://nope", "loc://x y", "pva://PV", "sim://sine(0,1,0.0001)"])
def test_other_names_are_refused(alone: Server, name: str) -> None:
    status, error = fetch(api(alone, name))
    assert (status, error["code"], error["pvname"]) == (400, "invalid_pv_name", name)


def test_readiness_tells_their_state(alone: Server) -> None:
    with urlopen(alone.url + "readyz") as answer:
        assert json.load(answer)["pvs"]["sim://sine"] == "connected"


def test_a_server_does_not_start_with_a_name_that_means_nothing() -> None:
    server = Server(NO_IOC, {"pvs-names": "sim://nope"})
    with pytest.raises(AssertionError, match=r"pvs\.names: sim://nope: There is no sim://nope"):
        server.start()
    assert server.stop() == 1


def test_a_prefix_for_channel_access(server: Server, types: CIOC) -> None:
    name = f"ca://{types.prefix}ai"
    with server.client() as client:
        client.send(action="connect", pv=name)
        assert client.wait() == {"msg_type": "connection", "pvname": name, "conn": True}
        assert client.wait()["value"] == 21.5
