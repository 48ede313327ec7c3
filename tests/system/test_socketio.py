"""Socket.IO with real clients: python-socketio (polling, WebSocket, upgrade) and npm's socket.io-client."""

import asyncio
import json
import queue
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import socketio

from tests.iocs import SimIOC
from tests.npm import node_modules
from tests.servers import ROOT, Server
from tests.timing import scaled

HOW_TO = ROOT / "docs" / "how-to" / "point-xovac-programs-here.md"
ANSWER_SECONDS = 10.0
RAMP_ELEMENTS = 10_000
RAMP = f"sim://sinewave(10, {RAMP_ELEMENTS}, {RAMP_ELEMENTS}, 0.5)"
TRANSPORTS = (["polling"], ["websocket"], ["polling", "websocket"])
LOAD = json.dumps({"name": "bake", "recipe": [[30, 60, 0.5], [40, 60, 0.5]]})
CANCEL = {"result": "warning", "message": "Could not cancel server running as server is not running."}
SUCCESS = {"result": "success", "message": ""}


@pytest.fixture(scope="module")
def ioc() -> Iterator[SimIOC]:
    with SimIOC() as ioc:
        yield ioc


def settings_of(prefix: str) -> str:
    """The example of the how-to, in which everybody may write."""
    blocks = re.findall(r"^ *```toml\n(.*?)^ *```$", HOW_TO.read_text(), flags=re.MULTILINE | re.DOTALL)
    example = dedent(next(block for block in blocks if "load_recipe" in block))
    return example.replace("SIM:RECIPE:*", "*").replace("SIM:", prefix)


@pytest.fixture(scope="module")
def server(ioc: SimIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("socketio") / "pycaserver.toml"
    file.write_text(settings_of(ioc.prefix))
    with Server(ioc.env(), {"config": file, "limits-ping-seconds": 2}) as server:
        yield server
        assert "Traceback" not in server.output


class Heard:
    """What a client is told."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.events: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        client.on("*", self._hear)

    async def _hear(self, event: str, *payload: Any) -> None:
        self.events.append((event, payload[0] if payload else None))
        self._news.set()

    async def wait(self, wanted: str, that: Callable[[Any], bool] = lambda _: True) -> Any:
        """The payload of the first such event from now on, or that has not been waited for."""
        async with asyncio.timeout(scaled(ANSWER_SECONDS)):
            while True:
                while self.events:
                    event, payload = self.events.pop(0)
                    if event == wanted and that(payload):
                        return payload
                self._news.clear()
                await self._news.wait()

    async def ack(self, event: str, payload: Any) -> Any:
        """What a command is answered with."""
        await self.client.emit(event, payload)
        return json.loads(await self.wait(f"{event}_ack"))


@asynccontextmanager
async def connected(server: Server, **options: Any) -> AsyncIterator[Heard]:
    client = socketio.AsyncClient(reconnection=False)
    heard = Heard(client)
    await client.connect(server.url, **options)
    try:
        yield heard
    finally:
        await client.disconnect()


Steps = Callable[[Heard], Awaitable[None]]


def with_client(server: Server, steps: Steps, **options: Any) -> None:
    async def run() -> None:
        async with connected(server, **options) as heard:
            await steps(heard)

    asyncio.run(run())


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_published_commands_run_against_the_recipe(ioc: SimIOC, server: Server, transports: list[str]) -> None:
    running = ioc.prefix + "RECIPE:RUNNING"

    async def steps(heard: Heard) -> None:
        assert heard.client.transport() == transports[-1]
        assert await heard.ack("cancel_recipe", "") == CANCEL
        assert await heard.ack("load_recipe", LOAD) == SUCCESS
        await heard.client.emit("put", {"pv": running, "value": 1})
        assert (await heard.wait("put"))["ok"]
        assert (await heard.wait("state", lambda state: state["running"] == 1))["setpoint"] == 30.0
        busy = await heard.ack("load_recipe", LOAD)
        assert busy == {"result": "warning", "message": "Could not load recipe as the server is already running."}
        assert await heard.ack("cancel_recipe", "") == SUCCESS
        clock = await heard.ack("sync_xovac_time", json.dumps({"utcOffset": 0, "epoch": 1}))
        assert clock["result"] == "warning"
        assert (await heard.ack("fly", ""))["result"] == "error"

    with_client(server, steps, transports=transports)


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_pvs_are_live_and_written(ioc: SimIOC, server: Server, transports: list[str]) -> None:
    name = ioc.prefix + "AO"

    async def steps(heard: Heard) -> None:
        await heard.client.emit("connect_pv", {"pv": name, "id": 1})
        assert (await heard.wait("connection"))["conn"]
        await heard.wait("monitor")
        with server.client() as other:
            other.send(action="put", pv=name, value=2.5)
            await heard.wait("monitor", lambda message: message["value"] == 2.5)
        await heard.client.emit("put", {"pv": name, "value": 3.5})
        await heard.wait("monitor", lambda message: message["value"] == 3.5)
        await heard.client.emit("disconnect_pv", name)
        await heard.client.emit("get", {"pv": name})
        assert (await heard.wait("get"))["value"] == 3.5

    with_client(server, steps, transports=transports)


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_large_arrays_are_whole_and_answers_come_between_them(server: Server, transports: list[str]) -> None:
    """A WebSocket gets them in parts, which no other packet may come between."""

    async def steps(heard: Heard) -> None:
        await heard.client.emit("connect_pv", {"pv": RAMP})
        for number in range(4):
            value = (await heard.wait("monitor"))["value"]
            assert len(value) == RAMP_ELEMENTS
            assert abs(np.diff(value)).max() < 1e-2
            await heard.client.emit("ping", {"id": number})
            assert (await heard.wait("pong"))["id"] == number

    with_client(server, steps, transports=transports)


@pytest.mark.parametrize("transports", TRANSPORTS[:2], ids="+".join)
def test_hundred_requests_at_once_are_answered_in_order(ioc: SimIOC, server: Server, transports: list[str]) -> None:
    async def steps(heard: Heard) -> None:
        for number in range(100):
            await heard.client.emit("ping", {"id": number})
        assert [(await heard.wait("pong"))["id"] for _ in range(100)] == list(range(100))

    with_client(server, steps, transports=transports)


def test_script_of_the_documentation(server: Server) -> None:
    """A plain client that sends the command when it is connected."""
    client, acks = socketio.Client(), queue.Queue[str]()
    client.on("connect", lambda: client.emit("cancel_recipe", ""))
    client.on("cancel_recipe_ack", acks.put)
    client.connect(server.url)
    try:
        words = "Could not cancel server running as server is not running."
        assert acks.get(timeout=scaled(ANSWER_SECONDS)) == f'{{"result": "warning", "message": "{words}"}}'
    finally:
        client.disconnect()


def test_client_outlives_many_pings(server: Server) -> None:
    """Two seconds between pings: a quiet client stays."""

    async def steps(heard: Heard) -> None:
        for _ in range(5):
            await heard.wait("temperature")
        assert heard.client.connected

    with_client(server, steps)


# -- npm's client


class Node:
    """A client in Node."""

    def __init__(self, server: Server, transports: list[str]) -> None:
        script = Path(__file__).with_name("socketio_client.mjs")
        folder = node_modules("socket.io-client@4")
        command = ["node", str(script), str(folder), server.url, ",".join(transports)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, event: str, payload: Any = None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([event, payload]) + "\n")
        self.process.stdin.flush()

    def wait(self, wanted: str, that: Callable[[Any], bool] = lambda _: True) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event, payload = json.loads(line)
            assert event != "connect_error", payload
            if event == wanted and that(payload):
                return payload
        raise AssertionError(f"the client ended before {wanted}")

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_client_of_npm(ioc: SimIOC, server: Server, transports: list[str]) -> None:
    name = ioc.prefix + "AO"
    with Node(server, transports) as node:
        if node.wait("connect") != transports[-1]:
            assert node.wait("upgrade") == transports[-1]
        node.say("cancel_recipe", "")
        assert json.loads(node.wait("cancel_recipe_ack")) == CANCEL
        node.say("connect_pv", name)
        node.wait("monitor", lambda message: message["pvname"] == name)
        with server.client() as other:
            other.send(action="put", pv=name, value=4.5)
            node.wait("monitor", lambda message: message["value"] == 4.5)
        node.say("put", {"pv": name, "value": 5.5})
        node.wait("monitor", lambda message: message["value"] == 5.5)
        node.say("load_recipe", {"name": "x", "recipe": [[30, 1, 0], [40, 1, 0]]})
        assert json.loads(node.wait("load_recipe_ack")) == SUCCESS
        node.say("bye")
        assert node.process.wait(scaled(ANSWER_SECONDS)) == 0
