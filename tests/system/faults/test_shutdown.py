"""The end and the reload of a server that has much to do, or whose IOC or disk does not go along."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.ca_search import free_port
from tests.databases import counters
from tests.iocs import CIOC
from tests.processes import Command, children, is_alive
from tests.servers import WRITABLE, Client, Server
from tests.system.faults.watch import Neighbour, within
from tests.timing import wait_for

MANY = 300
SESSIONS = 5
END_SECONDS = 5
GOING_AWAY = 1001
UNREAD = "import os, sys; os.dup2(os.pipe()[1], 2); from pycaserver.cli import main; sys.exit(main())"
"""The server with a log that nobody reads."""


@pytest.fixture
def busy() -> Iterator[CIOC]:
    """Many records at 10 Hz, which may be hurt."""
    with CIOC(counters(MANY)) as ioc:
        yield ioc


def load(server: Server, ioc: CIOC) -> list[Client]:
    """Sessions that follow all of the IOC's PVs, and have their first values."""
    clients = [server.client() for _ in range(SESSIONS)]
    for client in clients:
        client.send(action="options", batch=True)
        client.send(action="connect", pv=[f"{ioc.prefix}count{number}" for number in range(MANY)])
    for client in clients:
        client.wait(msg_type="monitor", timeout=20)
    return clients


def leave(ioc: CIOC) -> None:
    assert ioc.running


def hang(ioc: CIOC) -> None:
    ioc.pause()


@pytest.mark.parametrize("harm", [leave, hang])
def test_end_under_load_and_with_puts_under_way(busy: CIOC, harm: Callable[[CIOC], None], tmp_path: Path) -> None:
    """Every session gets 1001, every put is on record, and the exit code is 0."""
    audit, pv = tmp_path / "puts.jsonl", f"{busy.prefix}count0"
    repeater = {"EPICS_CA_REPEATER_PORT": str(free_port())}
    with Server(busy.env() | repeater, {"audit-file": audit, **WRITABLE}) as server:
        started = children(server.process.pid)
        clients = load(server, busy)
        harm(busy)
        for number in range(100):
            clients[0].send(action="put", pv=pv, value=number, id=number)
        wait_for(lambda: server.status()["requests"] >= 2 * SESSIONS + 100, 10, "the puts to arrive")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert [client.close_code() for client in clients] == [GOING_AWAY] * SESSIONS
        assert server.stop() == 0
        within(END_SECONDS, f"the end, {harm.__name__}", began)
        for client in clients:
            client.close()
    assert "Traceback" not in server.output and "ERROR" not in server.output
    puts = {json.loads(line)["put"] for line in audit.read_text().splitlines()}
    assert len(puts) == 100
    assert started and not any(map(is_alive, started)), "its CA repeater ends with it"


def test_end_with_a_full_disk_under_the_audit(counting: CIOC, full_disk: Path) -> None:
    """What cannot be recorded in the file is in the log, and the end is in time."""
    audit, pv = full_disk / "puts.jsonl", f"{counting.prefix}count1"
    with Server(counting.env(), {"audit-file": audit, **WRITABLE}) as server:
        with server.client() as client:
            client.send(action="put", pv=pv, value=1, id="room")
            assert client.wait(id="room")["msg_type"] == "put"
            subprocess.run(["dd", "if=/dev/zero", f"of={full_disk}/filler", "bs=4k"], capture_output=True)
            for number in range(100):
                client.send(action="put", pv=pv, value=number, id=number)
                assert client.wait(id=number)["code"] == "write_disabled"
        began = time.monotonic()
        assert server.stop() == 0
        within(END_SECONDS, "the end on a full disk", began)
    logged = server.output.count("not yet in")
    assert logged > 0
    assert len(audit.read_bytes().splitlines()) + logged >= 101, "each put is in the file or in the log"
    assert "Traceback" not in server.output


def test_a_log_that_nobody_reads_holds_nothing_up(counting: CIOC) -> None:
    """Standard error is a pipe that is full soon; the puts, whose audit is the log, go on, and so does the end."""
    with Server(counting.env(), WRITABLE, program=("-c", UNREAD)) as server, server.client() as client:
        for number in range(1000):
            client.send(action="put", pv=f"{counting.prefix}count1", value=number, id=number)
            assert client.wait(id=number)["msg_type"] == "put"
        client.settle()
        began = time.monotonic()
        assert server.stop() == 0
        within(END_SECONDS, "the end with a log that nobody reads", began)
        assert client.close_code() == GOING_AWAY


def test_end_while_it_starts_leaves_nothing() -> None:
    """SIGTERM as soon as its CA repeater is there."""
    epics = {"EPICS_CA_REPEATER_PORT": str(free_port()), "EPICS_CA_AUTO_ADDR_LIST": "NO"}
    with Command("serve", "--port=0", epics=epics) as command:
        started = wait_for(lambda: children(command.process.pid), 20, "the CA repeater")
        assert command.end(signal.SIGTERM) == 0
    assert not any(map(is_alive, started))


def test_reloads_under_load_lose_nothing(busy: CIOC, counting: CIOC, tmp_path: Path) -> None:
    file = tmp_path / "pycaserver.toml"
    file.write_text("")
    epics = busy.env() | {"EPICS_CA_ADDR_LIST": f"{busy.address} {counting.address}"}
    with Server(epics, {"config": file}) as server, Neighbour(server, f"{counting.prefix}count0") as neighbour:
        clients = load(server, busy)
        for number in range(10):
            file.write_text(f'[[access.rule]]\npv = "NONE{number}"\nallow = "none"\n')
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda number=number: server.output.count("settings reloaded") > number)  # type: ignore[misc]
        neighbour.hear(5)
        assert server.status()["sessions"] == SESSIONS + 1
        for client in clients:
            client.close()


def test_killed_server_is_back_on_its_port_at_once(counting: CIOC) -> None:
    """SIGKILL in the middle of everything; the repeater that it leaves serves the next one."""
    repeater = {"EPICS_CA_REPEATER_PORT": str(free_port())}
    with Server(counting.env() | repeater) as server:
        url, left = server.url, children(server.process.pid)
        for _ in range(3):
            with server.client() as client:
                client.send(action="connect", pv=f"{counting.prefix}count0")
                client.wait(msg_type="monitor")
                server.kill()
                with pytest.raises(ConnectionClosed):
                    client.settle()
            assert server.start().url == url
            assert children(server.process.pid) == [], "one repeater is enough"
        assert server.stop() == 0
    for pid in left:
        subprocess.run(["kill", str(pid)], check=True)
