"""Programs written for Evok, as they are, against the server and the simulated IOC with the demo's devices."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from evok_ws_client import UnipiEvokWsClient
from msgspec.structs import asdict
from websockets.sync.client import connect

from pycaserver.demo import evok_devices
from pycaserver.dialects.evok.device import Device, Point
from tests.ca_search import free_port
from tests.ioc_sim.conftest import Client
from tests.iocs import SimIOC
from tests.servers import Server
from tests.timing import scaled, wait_for

ANSWER_SECONDS = 10.0
DO = {"dev", "circuit", "value", "pending", "mode", "modes"}
AI = {"dev", "circuit", "value", "unit", "mode", "modes", "range"}
SHAPES = {
    "v3": {"do": DO | {"alias"}, "ai": AI, "ao": AI},
    "v2": {
        "relay": DO | {"alias", "relay_type", "glob_dev_id"},
        "ai": AI | {"glob_dev_id"},
        "ao": AI | {"glob_dev_id"},
    },
}
"""The keys that Evok's documentation shows; alias as the demo gives one."""


def table(device: Device) -> str:
    """The device as it stands in a file of settings."""
    lines = [f"{key} = {toml(value)}" for key, value in asdict(device).items() if value not in (None, "")]
    return "\n".join(["[[evok.device]]", *lines, ""])


def toml(value: Any) -> str:
    if isinstance(value, Point):
        return f"{{pv = {json.dumps(value.pv)}, write = {json.dumps(value.write)}}}"
    return json.dumps(value)


class Served(NamedTuple):
    """A server that speaks Evok, in one of its profiles."""

    server: Server
    profile: str
    audit: Path
    own_port: int

    @property
    def host(self) -> str:
        return self.server.url.split("/")[2]

    @property
    def ws(self) -> str:
        return f"ws://{self.host}/ws"


@pytest.fixture(scope="module")
def ioc() -> Iterator[SimIOC]:
    with SimIOC() as ioc:
        yield ioc


@pytest.fixture
def at_ioc(ioc: SimIOC, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A Channel Access client."""
    return Client(ioc, monkeypatch)


@pytest.fixture(scope="module", params=SHAPES)
def served(ioc: SimIOC, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Everybody may write everything but the set point."""
    folder, own_port = tmp_path_factory.mktemp("evok"), free_port()
    config, audit = folder / "pycaserver.toml", folder / "audit.jsonl"
    config.write_text(
        f"[evok]\nenabled = true\nprofile = {json.dumps(request.param)}\nport = {own_port}\n"
        + "".join(map(table, evok_devices(ioc.prefix)))
        + "[access]\nwrites = true\ndefault = 'write'\n"
        + f"[[access.rule]]\npv = '{ioc.prefix}SETPOINT'\nallow = 'read'\n"
    )
    with Server(ioc.env(), {"config": config, "audit-file": audit}) as server:
        served = Served(server, request.param, audit, own_port)
        with connect(served.ws, proxy=None) as peer:
            wait_for(lambda: all(each["value"] is not None for each in ask_all(peer)), ANSWER_SECONDS, "all values")
        yield served


def ask_all(peer: Any) -> list[dict[str, Any]]:
    """Every object; events that come before are passed over."""
    peer.send('{"cmd": "all"}')
    while True:
        objects: list[dict[str, Any]] = json.loads(peer.recv(scaled(ANSWER_SECONDS)))
        if len(objects) == len(evok_devices("")):
            return objects


def audited(served: Served, pv: str) -> list[dict[str, Any]]:
    """The lines about that PV; those of earlier tests' puts may still be on their way."""
    lines = served.audit.read_text().splitlines() if served.audit.exists() else []
    return [entry for entry in map(json.loads, lines) if entry["pv"] == pv]


def hear(peer: Any, dev: str, circuit: str, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The next object of that device that is wanted."""
    while True:
        for each in json.loads(peer.recv(scaled(ANSWER_SECONDS))):
            if (each["dev"], each["circuit"]) == (dev, circuit) and wanted(each):
                found: dict[str, Any] = each
                return found


# -- evok-ws-client 0.0.4


def test_evok_ws_client(served: Served, at_ioc: Client) -> None:
    """Full state, a change by a put at the IOC, the filter, a set that reaches the IOC."""
    output, relay = ("do", "ro") if served.profile == "v3" else ("relay", "relay")
    at_ioc.write("VALVE", 0)
    at_ioc.write("MOTOR:SPEED", 10.0)
    changes: list[tuple[str, str, str, int]] = []

    async def receive_until(client: UnipiEvokWsClient, dev: str, circuit: str, value: int) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        while client.evok_state_get(dev, circuit) != value:
            heard += await client.evok_receive(True, lambda *change: changes.append(change))
        return heard

    async def run() -> None:
        client = UnipiEvokWsClient(served.host, "M203", "test")
        assert await client.evok_connect()
        await client.evok_full_state_sync()
        state = await receive_until(client, output, "1_01", 0)
        assert {each["dev"] for each in state} >= {"ai", "ao", "led", "temp", "register", output, relay}
        await client.evok_register_default_filter_dev()
        await asyncio.to_thread(at_ioc.write, "VALVE", 1)
        await receive_until(client, output, "1_01", 1)
        await client.evok_send(output, "1_01", 0)
        heard = await receive_until(client, output, "1_01", 0)
        assert {each["dev"] for each in heard} <= {"do", "ro", "di", "led", "relay", "input"}
        await client._ws.close()  # its own evok_close calls what websockets does not have

    asyncio.run(asyncio.wait_for(run(), scaled(30.0)))
    assert at_ioc.value("VALVE") == 0
    assert ("test", output, "1_01", 1) in changes


# -- the scripts of Evok's documentation

PROGRAM = """
import json, sys
import websocket

url, messages = sys.argv[1], sys.argv[2:]

def opened(ws):
    print("opened", flush=True)
    for message in messages:
        ws.send(message)
        print("sent", flush=True)
    if any(json.loads(message)["cmd"] == "set" for message in messages):
        ws.close()

def received(ws, message):
    print("received", message, flush=True)

def closed(ws, status, message):
    print("closed", flush=True)

websocket.WebSocketApp(url, on_open=opened, on_message=received, on_close=closed).run_forever()
"""
"""What the three do: listen, or tell their filter and listen, or set an output and go."""


class Script:
    """One of the programs, run by websocket-client in a process of its own."""

    def __init__(self, served: Served, *messages: dict[str, Any]) -> None:
        arguments = [sys.executable, "-c", PROGRAM, served.ws, *map(json.dumps, messages)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def received(self) -> list[dict[str, Any]]:
        """The next message."""
        while not (line := self.line()).startswith("received "):
            assert line, "the script ended"
        objects: list[dict[str, Any]] = json.loads(line.removeprefix("received "))
        return objects

    def received_until(self, wanted: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        """All objects up to the message with one that is wanted."""
        heard: list[dict[str, Any]] = []
        while not any(map(wanted, heard)):
            heard += self.received()
        return heard

    def __enter__(self) -> "Script":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_the_script_that_listens(served: Served) -> None:
    with Script(served) as script:
        assert script.line() == "opened"
        heard = script.received_until(lambda each: (each["dev"], each["circuit"]) == ("ai", "1_01"))
    ai = next(each for each in heard if (each["dev"], each["circuit"]) == ("ai", "1_01"))
    assert set(ai) == SHAPES[served.profile]["ai"]
    assert isinstance(ai["value"], float) and ai["unit"] == "°C" and ai["range"] == [0, 100]
    assert ai["modes"][ai["mode"]] == {"value": 1, "unit": "°C", "range": [0, 100]}


def test_the_script_that_listens_with_a_filter(served: Served, at_ioc: Client) -> None:
    output = "do" if served.profile == "v3" else "relay"
    at_ioc.write("AO", 0.0)
    at_ioc.write("VALVE", 0)
    with Script(served, {"cmd": "filter", "devices": [output, "ao"]}) as script:
        assert [script.line(), script.line()] == ["opened", "sent"]
        at_ioc.write("AO", 5.9)
        script.received_until(lambda each: each["value"] == 5.9)
        at_ioc.write("VALVE", 1)
        heard = script.received_until(lambda each: each["dev"] == output)
        at_ioc.write("AO", 1.3)
        heard += script.received_until(lambda each: each["value"] == 1.3)
    assert {each["dev"] for each in heard} <= {output, "ao"}
    relay, ao = next(each for each in heard if each["dev"] == output), heard[-1]
    assert set(relay) == SHAPES[served.profile][output] and set(ao) == SHAPES[served.profile]["ao"]
    assert (relay["circuit"], relay["value"], relay["pending"]) == ("1_01", 1, False)
    assert (ao["value"], ao["unit"], ao["mode"], ao["range"]) == (1.3, "V", "Voltage", [0, 10])


@pytest.mark.parametrize("dev", ["do", "output"])
def test_the_script_that_sets_an_output(served: Served, at_ioc: Client, dev: str) -> None:
    at_ioc.write("VALVE", 0)
    with Script(served, {"cmd": "set", "dev": dev, "circuit": "1_01", "value": 1}) as script:
        lines = [line for line in iter(script.line, "") if not line.startswith("received")]
        assert lines == ["opened", "sent", "closed"]
        assert script.process.wait(scaled(ANSWER_SECONDS)) == 0
    wait_for(lambda: at_ioc.value("VALVE") == 1, ANSWER_SECONDS, "the put")


# -- what is beyond them


def test_a_refused_set_is_recorded_and_leaves_the_connection_open(served: Served, ioc: SimIOC) -> None:
    with connect(served.ws, proxy=None) as peer:
        peer.send('{"cmd": "set", "dev": "ao", "circuit": "1_02", "value": 50}')
        entry = wait_for(lambda: audited(served, f"{ioc.prefix}SETPOINT"), ANSWER_SECONDS, "the audit line")[0]
        assert entry["decision"] == "refused"
        assert ask_all(peer)


def test_a_time_out_undoes_a_set_after_its_peer_has_gone(served: Served, at_ioc: Client) -> None:
    output = "do" if served.profile == "v3" else "relay"
    at_ioc.write("VALVE", 0)
    with connect(served.ws, proxy=None) as watcher:
        ask_all(watcher)
        with connect(served.ws, proxy=None) as peer:
            peer.send('{"cmd": "set", "dev": "do", "circuit": "valve", "value": 1, "timeout": 0.3}')
        assert hear(watcher, output, "1_01", lambda each: each["value"] == 1 and each["pending"])
        assert hear(watcher, output, "1_01", lambda each: each["value"] == 0 and not each["pending"])
    assert at_ioc.value("VALVE") == 0


def test_its_own_port_serves_nothing_else(served: Served) -> None:
    with connect(f"ws://127.0.0.1:{served.own_port}/ws/", proxy=None) as peer:
        assert ask_all(peer)
    with pytest.raises(HTTPError) as caught, urlopen(f"http://127.0.0.1:{served.own_port}/status"):
        pass
    caught.value.close()
    assert caught.value.code == 404


def test_a_lost_ioc_is_null_and_comes_back(ioc: SimIOC, served: Served) -> None:
    with connect(served.ws, proxy=None) as peer:
        ask_all(peer)
        ioc.kill()
        assert hear(peer, "ao", "1_01", lambda each: each["value"] is None)["circuit"] == "1_01"
        ioc.start()
        wait_for(lambda: all(each["value"] is not None for each in ask_all(peer)), 30.0, "all values")
