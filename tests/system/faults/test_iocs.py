"""IOCs that end, hang, change what they serve, or serve the same: what sessions are told, and how soon."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.iocs import CIOC, client_env
from tests.servers import Client, Server
from tests.stress.resources import metrics
from tests.system.faults.quick_ioc import QuickIOC
from tests.system.faults.watch import Neighbour, warm_up, within

pytestmark = pytest.mark.usefixtures("undisturbed")
CONN_TMO = 2
LOST_SECONDS = 1
HUNG_SECONDS = CONN_TMO + 6
BACK_SECONDS = 15
TAKEN_OVER_SECONDS = 5
RESTARTS = 100
KILOBYTE = 1024
RENEWED = "pycaserver_monitors_renewed_total"

COUNTER = (
    'record(calc, "$(P)x") {{ field(SCAN, ".1 second") field(CALC, "VAL+1") field(PINI, "YES") field(EGU, "{}") }}'
)


@pytest.fixture(scope="module")
def ioc() -> Iterator[CIOC]:
    """The one that is hurt."""
    with CIOC(COUNTER.format("mm")) as ioc:
        yield ioc


@pytest.fixture(scope="module")
def standby(ioc: CIOC) -> CIOC:
    """Serves the same PV when it is started."""
    return CIOC(COUNTER.format("standby"), prefix=ioc.prefix)


@pytest.fixture(scope="module")
def quick() -> Iterator[QuickIOC]:
    with QuickIOC() as quick:
        yield quick


@pytest.fixture(scope="module")
def server(ioc: CIOC, standby: CIOC, quick: QuickIOC, counting: CIOC) -> Iterator[Server]:
    """Searches all of them."""
    epics = client_env(ioc, standby, counting)
    epics["EPICS_CA_ADDR_LIST"] += f" {quick.address}"
    with Server(epics | {"EPICS_CA_CONN_TMO": str(CONN_TMO)}, {"limits-linger-seconds": 0.1}) as server:
        yield warm_up(server, f"{ioc.prefix}x", f"{counting.prefix}count0")


def follow(server: Server, pv: str) -> Client:
    """A session that has its first value."""
    client = server.client()
    client.send(action="connect", pv=pv, metadata=True)
    client.wait(msg_type="monitor")
    return client


def lost(client: Client, began: float, seconds: float, what: str) -> None:
    """It is told conn false within that time, why, and since when."""
    message = client.wait(msg_type="connection", conn=False, timeout=3 * seconds)
    within(seconds, what, began)
    assert message["reason"] == "lost"
    assert abs(time.time() - message["since"]) < 5


def comes_back(client: Client, began: float, units: str, what: str, seconds: float = BACK_SECONDS) -> None:
    """In this order: connected, fresh metadata, values, each once."""
    assert client.wait(msg_type="connection", timeout=3 * seconds)["conn"] is True
    assert client.wait()["msg_type"] == "metadata"
    assert client.messages[client._seen - 1]["units"] == units
    values = [client.wait(msg_type="monitor")]
    within(seconds, what, began)
    values += [client.wait(msg_type="monitor") for _ in range(5)]
    assert [message["value"] - values[0]["value"] for message in values] == list(range(6)), "one stream, whole"
    assert {message["units"] for message in values} == {units}


def test_ioc_that_is_killed_and_started_again(server: Server, ioc: CIOC) -> None:
    with follow(server, f"{ioc.prefix}x") as client:
        began = time.monotonic()
        ioc.kill()
        lost(client, began, LOST_SECONDS, "lost after a kill")
        ioc.restart(database=COUNTER.format("cm"))
        comes_back(client, time.monotonic(), "cm", "back after a restart")


def test_ioc_that_is_away_for_longer_is_found_again(server: Server, ioc: CIOC, undisturbed: Neighbour) -> None:
    """By then the server searches rarely: it is the beacons of the IOC that make it search."""
    with follow(server, f"{ioc.prefix}x") as client:
        ioc.kill()
        client.wait(msg_type="connection", conn=False)
        undisturbed.hear(70)  # seven seconds: by then it searches each eight seconds
        ioc.restart(database=COUNTER.format("mm"))
        comes_back(client, time.monotonic(), "mm", "back after seven seconds away")


def test_ioc_that_hangs(server: Server, ioc: CIOC) -> None:
    with follow(server, f"{ioc.prefix}x") as client:
        began = time.monotonic()
        ioc.pause()
        try:
            lost(client, began, HUNG_SECONDS, "lost after a hang")
        finally:
            ioc.resume()
        began = time.monotonic()
        assert client.wait(msg_type="connection", timeout=3 * BACK_SECONDS)["conn"] is True
        assert client.wait(msg_type="monitor")["units"] == "mm"
        within(BACK_SECONDS, "back after a hang", began)


def record_of(number: int) -> dict[str, Any]:
    """What the IOC serves after so many restarts: each time another type, size, units, limits or states."""
    kinds: list[dict[str, Any]] = [
        {"kind": "double", "value": number + 0.5, "units": f"u{number}", "upper_disp_limit": 1000.0 + number},
        {"kind": "string", "value": f"text {number}"},
        {"kind": "enum", "value": number % 2, "enum_strings": [f"off {number}", f"on {number}"]},
        {"kind": "long", "value": [number] * (number % 7 + 2), "units": f"n{number}"},
        {"kind": "double", "value": [number + 0.25] * (number % 5 + 2), "units": f"v{number}"},
        {"kind": "long", "value": -number, "units": f"m{number}", "upper_disp_limit": 500 + number},
    ]
    return kinds[number % len(kinds)]


def same(metadata: dict[str, Any], monitor: dict[str, Any], record: dict[str, Any]) -> None:
    """Both are of this record and of no other."""
    size = len(record["value"]) if isinstance(record["value"], list) else 1
    assert (metadata["type"], metadata["count"]) == (record["kind"], size)
    assert metadata.get("units", "") == monitor.get("units", "") == record.get("units", "")
    assert metadata.get("enum_strs") == record.get("enum_strings")
    if "upper_disp_limit" in record:
        assert metadata["display"]["high"] == record["upper_disp_limit"]
    assert monitor["value"] == record["value"]
    if "enum_strings" in record:
        assert monitor["text"] == record["enum_strings"][record["value"]]


def test_a_hundred_restarts_each_with_another_type(server: Server, quick: QuickIOC) -> None:
    """After each: connection, metadata, access, one value, all of the new IOC; and the server does not grow."""
    pv, memory = "FAULTS:changing", 0
    with server.client() as client:
        child = quick.serve(pv, record_of(0))
        client.send(action="connect", pv=pv, metadata=True)
        began = time.monotonic()
        for number in range(RESTARTS + 1):
            messages = [client.wait(timeout=3 * BACK_SECONDS) for _ in range(4)]
            assert [m["msg_type"] for m in messages] == ["connection", "metadata", "access", "monitor"], messages
            same(messages[1], messages[3], record_of(number))
            quick.kill(child)
            assert client.wait()["conn"] is False
            if number < RESTARTS:
                child = quick.serve(pv, record_of(number + 1))
            memory = memory or server.resident * (number >= RESTARTS // 2)
        within(RESTARTS * BACK_SECONDS, f"{RESTARTS} restarts", began)
    grown = (server.resident - memory) / (RESTARTS // 2)
    print(f"{grown:.0f} bytes for each restart")
    assert grown < 4 * KILOBYTE


def test_ioc_that_loses_a_value_as_a_monitor_begins(server: Server, quick: QuickIOC) -> None:
    """The value is told all the same, and once; and the same after the next connection."""
    pv, before = "FAULTS:forgetful", metrics(server)[RENEWED]
    with server.client() as client:
        for then in (2.0, 4.0):
            child = quick.serve(pv, {"kind": "forgetful", "value": then - 1, "then": then})
            if then == 2.0:
                client.send(action="connect", pv=pv)
            assert client.wait(msg_type="connection", timeout=BACK_SECONDS)["conn"] is True
            assert [client.wait(msg_type="monitor")["value"] for _ in range(2)] == [then - 1, then]
            quick.kill(child)
            assert client.wait()["conn"] is False
        assert metrics(server)[RENEWED] - before == 2


def test_two_iocs_with_one_name(server: Server, ioc: CIOC, standby: CIOC) -> None:
    """One of them at a time, which `info` names; when it ends, the other takes over, and back."""
    pv, sources = f"{ioc.prefix}x", {"mm": ioc, "standby": standby}
    with standby, follow(server, pv) as client:
        for _ in range(2):
            client.send(action="info", pv=pv)
            info = client.wait(msg_type="info")
            source = sources[info["units"]]
            assert info["host"].endswith(f":{source.port}")
            values = [client.wait(msg_type="monitor") for _ in range(5)]
            assert {message["units"] for message in values} == {info["units"]}, "one source at a time"
            began = time.monotonic()
            source.kill()
            lost(client, began, LOST_SECONDS, "lost with its first IOC")
            (other,) = sources.keys() - {info["units"]}
            comes_back(client, began, other, "taken over", TAKEN_OVER_SECONDS)
            source.start()
