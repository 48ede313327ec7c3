"""The server as a whole: it starts, it stops whatever state Channel Access is in, and leaves nothing behind."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pycaserver.app import static_folder
from tests.databases import counters
from tests.iocs import CIOC
from tests.processes import Command, children, is_alive
from tests.servers import Client, Server
from tests.timing import scaled, wait_for
from tests.web.http import totals, wait_for_totals
from tests.web.raw import CLOSE, RawClient

END_SECONDS = 5.0
"""Within which the server ends whatever happens."""


def test_pages_are_found() -> None:
    assert static_folder().is_absolute()
    assert (static_folder() / "index.html").is_file()


# -- the end


@pytest.fixture
def ioc() -> Iterator[CIOC]:
    """An IOC that may be hurt."""
    with CIOC(counters(3)) as ioc:
        yield ioc


def leave(ioc: CIOC) -> None:
    assert ioc.running


def kill(ioc: CIOC) -> None:
    ioc.kill()


def hang(ioc: CIOC) -> None:
    ioc.pause()


@pytest.mark.parametrize("harm", [leave, kill, hang])
def test_every_session_is_told_at_the_end_whatever_state_the_ioc_is_in(ioc: CIOC, harm: Any) -> None:
    names = [f"{ioc.prefix}count{index}" for index in range(3)]
    with Server(ioc.env()) as server:
        clients = [server.client() for _ in range(3)]
        for client in clients:
            client.send(action="connect", pv=[*names, "nowhere"])
            client.wait(msg_type="monitor")
        harm(ioc)
        if harm is kill:
            clients[0].wait(msg_type="connection", conn=False, reason="lost")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert [client.close_code() for client in clients] == [1001] * 3
        assert server.stop() == 0
        assert time.monotonic() - began < scaled(END_SECONDS)
        for client in clients:
            client.close()
    assert "Traceback" not in server.output
    assert "ERROR" not in server.output


def test_peers_that_do_not_go_do_not_hold_the_end_up(ioc: CIOC) -> None:
    with (
        Server(ioc.env()) as server,
        RawClient(server.url).open() as mute,
        RawClient(server.url, receive_buffer=4096).open() as deaf,
    ):
        deaf.send(action="connect", pv=[f"{ioc.prefix}count{index}" for index in range(3)])
        wait_for_totals(server, sessions=2)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        frame = mute.frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
        assert server.stop() == 0
        assert time.monotonic() - began < scaled(END_SECONDS)


def test_second_signal_ends_at_once(ioc: CIOC) -> None:
    with Server(ioc.env()) as server, RawClient(server.url).open() as mute:
        server.process.send_signal(signal.SIGTERM)
        assert mute.frame().close_code == 1001
        assert server.stop(signal.SIGINT) == 0
    assert "stopping: 1 sessions are sent away" in server.output
    assert "stopped" not in server.output, "it would have waited for its peers"


def test_new_connections_are_refused_while_it_stops(ioc: CIOC) -> None:
    with Server(ioc.env()) as server, RawClient(server.url).open() as mute:
        host, _, port = server.url.removeprefix("http://").rstrip("/").partition(":")
        with closing(HTTPConnection(host, int(port))) as kept:
            kept.request("GET", "/readyz")
            assert kept.getresponse().read()
            server.process.send_signal(signal.SIGTERM)
            assert mute.frame().close_code == 1001
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, int(port)))
            kept.request("GET", "/readyz")
            assert kept.getresponse().status == 503


def test_it_can_be_started_again_at_once_on_the_same_port(ioc: CIOC) -> None:
    with Server(ioc.env()) as server:
        for _ in range(3):
            with server.client() as client:
                client.send(action="connect", pv=f"{ioc.prefix}count0")
                client.wait(msg_type="monitor")
            url = server.url
            assert server.stop() == 0
            assert server.start().url == url


@pytest.fixture
def free_repeater_port() -> int:
    """A port at which no CA repeater listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def test_its_repeater_ends_with_it(ioc: CIOC, free_repeater_port: int) -> None:
    with Server({**ioc.env(), "EPICS_CA_REPEATER_PORT": str(free_repeater_port)}) as server:
        (repeater,) = children(server.process.pid)
        assert is_alive(repeater)
        assert server.stop() == 0
        assert not is_alive(repeater)


def test_loop_lag_is_measured(server: Server) -> None:
    wait_for(lambda: totals(server)["loop_lag_max"] > 0, what="a measured lag")
    assert totals(server)["loop_lag_max"] >= totals(server)["loop_lag"] >= 0


# -- the demo


@pytest.fixture
def demo(free_repeater_port: int) -> Iterator[Command]:
    """Running, its repeater's port held, so that it starts none of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as repeater:
        repeater.bind(("", free_repeater_port))
        with Command("demo", "--port=0", epics={"EPICS_CA_REPEATER_PORT": str(free_repeater_port)}) as demo:
            yield demo


def url_of(demo: Command) -> str:
    return demo.wait_for_line("pycaserver demo: open http://127.0.0.1:").split()[-1]


def test_demo_offers_live_pvs(demo: Command) -> None:
    from ioc_sim import pv_names

    url = url_of(demo)
    with Client(url.replace("http", "ws") + "monitor") as client:
        names = pv_names("SIM:")
        client.send(action="connect", pv=names)
        silent = set(names)
        while silent:
            silent.discard(client.wait(msg_type="monitor", timeout=20)["pvname"])


def test_demo_lets_everybody_write_what_it_simulates_and_nothing_else(demo: Command) -> None:
    url = url_of(demo)
    with Client(url.replace("http", "ws") + "monitor") as client:
        client.send(action="put", pv="SIM:VALVE", value=1, timeout=30)
        assert client.wait(lambda m: m["msg_type"] != "connection", timeout=30)["msg_type"] == "put"
        client.send(action="put", pv="OTHER", value=1)
        assert client.wait(msg_type="error")["code"] == "write_denied"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_leaves_no_process_behind(demo: Command, number: signal.Signals) -> None:
    url_of(demo)
    started = children(demo.process.pid)
    assert [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:3] for pid in started] == [[b"-m", b"ioc_sim"]]
    assert demo.end(number) == 0
    assert not any(map(is_alive, started))


def test_killed_demo_leaves_no_ioc_behind(demo: Command) -> None:
    url_of(demo)
    started = children(demo.process.pid)
    assert len(started) == 1
    demo.process.kill()
    demo.end()
    wait_for(lambda: not any(map(is_alive, started)), what="the simulated IOC to end")


def test_demo_that_is_asked_twice_leaves_no_ioc_behind(demo: Command) -> None:
    with RawClient(url_of(demo)).open() as mute:
        started = children(demo.process.pid)
        demo.process.send_signal(signal.SIGTERM)
        assert mute.frame().close_code == 1001
        assert demo.end(signal.SIGTERM) == 0
    wait_for(lambda: not any(map(is_alive, started)), what="the simulated IOC to end")
