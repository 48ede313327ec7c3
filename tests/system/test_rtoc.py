"""The real RTWebsocketClient of RTOC 3.0 against the server and the simulated IOC."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.iocs import SimIOC
from tests.rtoc_client import ANSWER_SECONDS, INSTALL_SECONDS, RtocClient, environment
from tests.servers import WRITABLE, Server
from tests.timing import scaled

pytestmark = pytest.mark.timeout(3 * INSTALL_SECONDS)

PASSWORD = "secret"
ENCRYPTED_HOST = "127.0.0.2"
"""The client encrypts by the name of the host alone."""

Connect: TypeAlias = Callable[..., RtocClient]


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return environment()
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ioc() -> Iterator[SimIOC]:
    with SimIOC() as ioc:
        yield ioc


@pytest.fixture
def connect(ioc: SimIOC, python: Path, tmp_path: Path) -> Iterator[Connect]:
    """Starts a server with these settings of [rtoc], and connects clients to its port."""
    with ExitStack() as stack:
        ports: list[int] = []

        def connect(host: str = "127.0.0.1", password: str | None = None, settings: str = "") -> RtocClient:
            if not ports:
                ports.append(_free_port())
                stack.enter_context(_server(ioc, tmp_path, ports[0], settings))
            return stack.enter_context(RtocClient(python, host, ports[0], password))

        yield connect


def _server(ioc: SimIOC, folder: Path, port: int, settings: str) -> Server:
    file = folder / "pycaserver.toml"
    file.write_text(
        f"""
        [rtoc]
        enabled = true
        port = {port}
        {settings}
        [[rtoc.signal]]
        dname = "Cryostat"
        sname = "T1"
        pv = "{ioc.prefix}T1"
        [[rtoc.signal]]
        dname = "Cryostat"
        sname = "Setpoint"
        pv = "{ioc.prefix}SETPOINT"
        write = true
        """
    )
    return Server(ioc.env(), {"config": file, "address": "0.0.0.0", **WRITABLE})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _put(ioc: SimIOC, pv: str, value: float) -> None:
    """At the IOC, by a Channel Access client of its own."""
    command = [sys.executable, "-m", "caproto.commandline.put", ioc.prefix + pv, str(value)]
    subprocess.run(command, env=ioc.env(), check=True, capture_output=True, timeout=scaled(ANSWER_SECONDS))


def _show(ioc: SimIOC, client: RtocClient, value: float) -> None:
    """Live values, a change by a put at the IOC, and a write."""
    client.send(getSignalList=True, getLatest=True)
    assert client.wait("signalList") == [["Cryostat", "T1"], ["Cryostat", "Setpoint"]]
    client.send(subscribe=["signal", "Cryostat.T1"])
    first = client.wait("signal", lambda signal: signal["sname"] == "T1")
    assert client.wait("signal", lambda signal: signal["x"] > first["x"])["unit"] == "°C"
    client.send(subscribe=["signal", "Cryostat.Setpoint"])
    client.wait("signal", lambda signal: signal["sname"] == "Setpoint")
    _put(ioc, "SETPOINT", value)
    client.wait("signal", lambda signal: signal["sname"] == "Setpoint" and signal["y"] == [value])
    client.send(y=[value + 1], sname=["Setpoint"], dname="Cryostat")
    client.wait("signal", lambda signal: signal["sname"] == "Setpoint" and signal["y"] == [value + 1])


def test_plain(ioc: SimIOC, connect: Connect) -> None:
    client = connect()
    assert client.wait("authorize") is True
    _show(ioc, client, 30.0)
    client.send(y=[1], sname=["T1"], dname="Cryostat")
    client.wait("RTOCError")


def test_peers_hear_of_each_other_and_of_their_signals(connect: Connect) -> None:
    first, second = connect(), connect()
    assert first.wait("client") == "newconnected"
    second.wait("authorize")
    second.send(y=[7], x=[5], sname=["A"], dname="Mine", unit=["V"])
    assert first.wait("signal")["dname"] == "Mine"
    first.send(getSignal=["Mine.A"])
    assert first.wait("signals")["Mine.A"][:3] == [[5.0], [7.0], "V"]
    second.send(event=["Hello", "A", "Mine"])
    assert first.wait("event")["text"] == "Hello"


def test_a_whitelisted_peer_may_come_with_any_password(ioc: SimIOC, connect: Connect) -> None:
    client = connect(password="wrong", settings=f'password = "{PASSWORD}"')
    assert client.wait("authorize") is True


def test_encrypted_with_the_password(ioc: SimIOC, connect: Connect) -> None:
    client = connect(ENCRYPTED_HOST, PASSWORD, f'password = "{PASSWORD}"\nhost_whitelist = []')
    assert client.wait("authorize") is True
    _show(ioc, client, 40.0)


def test_encrypted_with_a_wrong_password(connect: Connect) -> None:
    client = connect(ENCRYPTED_HOST, "wrong", f'password = "{PASSWORD}"\nhost_whitelist = []')
    client.wait("RTOCError")
    assert ("authorize", True) not in client.told
