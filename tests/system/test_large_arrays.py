"""A million doubles in every dialect, and many strings: whole, and nobody waits for them.

How long the event loop was held up its own figures say: `loop_work_max` does not depend on what else the machine does.
"""

import json
import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from socketio import Client as Polling
from websockets.sync.client import ClientConnection, connect

from pycaserver.dialects.rtoc.cipher import Cipher
from tests.dialects.rtoc.test_cipher import HASH
from tests.iocs import CIOC
from tests.pvws_client import Merger
from tests.servers import WRITABLE, Client, Server
from tests.system.test_delivery import MEGABYTE
from tests.timing import scaled

ELEMENTS = 1_000_000
ROUNDS = 3
STRINGS = 90_000
STALL_SECONDS = 0.05
SECONDS = 30
RECORDS = f"""
record(waveform, "$(P)wave") {{ field(FTVL, "DOUBLE") field(NELM, "{ELEMENTS}") }}
record(waveform, "$(P)strings") {{ field(FTVL, "STRING") field(NELM, "{STRINGS}") }}
"""
SETTINGS = """
[pvws]
enabled = true
[evok]
enabled = true
[[evok.device]]
dev = "ai"
circuit = "1_01"
value = {{ pv = "{wave}" }}
range = {{ pv = "{wave}" }}
[socketio]
enabled = true
[[socketio.message]]
event = "state"
pvs = {{ wave = "{wave}" }}
[rtoc]
enabled = true
password = "password"
host_whitelist = []
[[rtoc.signal]]
dname = "Scope"
sname = "Trace"
pv = "{wave}"
[[rtoc.plugin]]
name = "Scope"
parameters = ["{wave}"]
"""
CIPHER = Cipher("password")
"""That of HASH."""


def encrypted(**request: Any) -> bytes:
    return CIPHER.encrypt(json.dumps(request).encode())


def rtoc(frame: str) -> Any:
    """The y of a push, or of an answer to getSignal or to a plugin's "get"."""
    message = json.loads(CIPHER.decrypt(frame.encode()))
    if "signal" in message:
        return message["signal"]["y"]
    if "signals" in message:
        return message["signals"]["Scope.Trace"][1]
    return next(iter(message["plugin"]["Scope"].values())) if "plugin" in message else None


def socketio(frame: str) -> Any:
    return json.loads(frame[2:])[1]["wave"] if frame.startswith("42") else None


def evok(frame: str) -> Any:
    """It has the first element, and as a range the first two."""
    (ai,) = json.loads(frame)
    assert ai["range"] is None or ai["value"] == ai["range"][0]
    return ai["range"]


def pvws(frame: str) -> Any:
    return Merger().merge(json.loads(frame)).get("value")


def native(frame: str) -> Any:
    return json.loads(frame).get("value")


class Row(NamedTuple):
    """How a dialect tells of the array."""

    path: str
    read: Callable[[str], Any]
    """Its elements as a message tells them, if it does."""
    subscribe: tuple[str | bytes, ...]
    ask: tuple[str | bytes, ...] = ()
    """Requests, each of which is answered with the elements too."""
    told: int = ELEMENTS
    """How many elements."""


def rows(wave: str) -> dict[str, Row]:
    pvs = json.dumps([wave])
    return {
        "native": Row("/monitor", native, (f'{{"action":"connect","pv":{pvs}}}',), (f'{{"action":"get","pv":{pvs}}}',)),
        "pvws": Row("/pvws/pv", pvws, (f'{{"type":"subscribe","pvs":{pvs}}}',)),
        "evok": Row("/ws", evok, ('{"cmd":"all"}',), ('{"cmd":"all"}',), told=2),
        "socketio": Row("/socket.io/?EIO=4&transport=websocket", socketio, ("40",)),
        "rtoc": Row(
            "/rtoc", rtoc, (encrypted(authorize=HASH), encrypted(subscribe=["signal", "Scope.Trace"])),
            (encrypted(getSignal="all"), encrypted(plugin={"Scope": {wave: "get"}})),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def wave() -> Iterator[CIOC]:
    with CIOC(RECORDS) as ioc:
        yield ioc


@pytest.fixture
def server(wave: CIOC, tmp_path: Path) -> Iterator[Server]:
    """Speaks all dialects; nobody waits."""
    file = tmp_path / "pycaserver.toml"
    file.write_text(SETTINGS.format(wave=f"{wave.prefix}wave"))
    # a Socket.IO client answers pings while it reads, and each waits until those before it have all
    with Server(wave.env(), {"config": file, "limits-ping-seconds": scaled(3)}) as server:
        yield server
        assert_quick(server)


def assert_quick(server: Server) -> None:
    """Nothing has held up its event loop."""
    status = server.status()
    print(f"at work {1000 * status['loop_work_max']:.0f} ms")
    assert status["loop_work_max"] < scaled(STALL_SECONDS)
    assert status["faults"] == 0


@pytest.fixture
def writer(wave: CIOC) -> Iterator[Client]:
    """Of another server, where nobody waits for what is written either."""
    bounds = {"limits-message-bytes": 16 * MEGABYTE, "limits-backlog-bytes": 16 * MEGABYTE}
    with Server(wave.env(), {**WRITABLE, **bounds}) as source, source.client() as writer:
        yield writer
        assert_quick(source)


def test_many_strings(wave: CIOC, server: Server, writer: Client) -> None:
    """As many as one message can write."""
    name = f"{wave.prefix}strings"
    with server.client() as reader:
        for number in range(ROUNDS):
            strings = [f"{number}{each:06}" for each in range(STRINGS)]
            writer.send(action="put", pv=name, value=strings)
            writer.wait(msg_type="put")
            if number == 0:
                reader.send(action="connect", pv=name)
            reader.wait(msg_type="monitor", value=strings)
        reader.send(action="get", pv=name)
        assert reader.wait(msg_type="get")["value"] == strings


@pytest.mark.parametrize("dialect", rows(""))
def test_a_million_doubles(wave: CIOC, server: Server, writer: Client, dialect: str) -> None:
    name = f"{wave.prefix}wave"
    row = rows(name)[dialect]
    with ExitStack() as stack:
        readers = [stack.enter_context(reader(server, row.path)) for _ in range(3)]
        for number in range(ROUNDS):
            data = np.random.default_rng(number).random(ELEMENTS)
            write(writer, name, data)
            for connection in readers:
                for message in row.subscribe if number == 0 else ():
                    connection.send(message)
                wait(connection, row.read, data[: row.told].tolist())
        for message in row.ask:
            readers[0].send(message)
            wait(readers[0], row.read, data[: row.told].tolist())


def test_a_million_doubles_by_polling(wave: CIOC, server: Server, writer: Client) -> None:
    told: queue.Queue[Any] = queue.Queue()
    client = Polling()
    client.on("state", lambda state: told.put(state["wave"]))
    client.connect(server.url, transports=["polling"])
    try:
        for number in range(ROUNDS):
            data = np.random.default_rng(number).random(ELEMENTS)
            write(writer, f"{wave.prefix}wave", data)
            wanted = data.tolist()
            while told.get(timeout=scaled(SECONDS)) != wanted:
                pass
    finally:
        client.disconnect()


def reader(server: Server, path: str) -> Any:
    return connect(server.url.replace("http", "ws", 1) + path[1:], max_size=None, compression=None, proxy=None)


def wait(connection: ClientConnection, read: Callable[[str], Any], wanted: list[float]) -> None:
    """Until it is told just that."""
    while True:
        frame = connection.recv(timeout=scaled(SECONDS))
        if frame == "2":  # a ping of Engine.IO
            connection.send("3")
        elif read(frame if isinstance(frame, str) else frame.decode()) == wanted:
            return


def write(writer: Client, name: str, data: Any) -> None:
    header = json.dumps({"action": "put", "pv": name, "dtype": "<f8"}).encode()
    header += b" " * (-(4 + len(header)) % 8)
    writer.socket.send(len(header).to_bytes(4, "little") + header + data.tobytes())
    writer.wait(msg_type="put")
