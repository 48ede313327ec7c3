"""A start that cannot be, and a reload that cannot: one clear line, the right exit code, nothing left behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.ca_search import free_port, is_taken
from tests.iocs import CIOC
from tests.processes import Command
from tests.servers import Server
from tests.system.faults.watch import Neighbour
from tests.timing import wait_for

Cause = tuple[list[str], str]
"""The arguments, and a piece of the line that they lead to."""


@contextmanager
def taken_port(folder: Path) -> Iterator[Cause]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        yield [f"--port={port}"], f"cannot start: 127.0.0.1, port {port}: Address already in use"


@contextmanager
def foreign_address(folder: Path) -> Iterator[Cause]:
    yield ["--address=203.0.113.9"], "cannot start: 203.0.113.9, port 0: Cannot assign requested address"


@contextmanager
def bad_certificate(folder: Path) -> Iterator[Cause]:
    file = folder / "junk.pem"
    file.write_text("junk")
    yield [f"--tls-certificate={file}", f"--tls-key={file}"], f"cannot start: server.tls_certificate {file}"


@contextmanager
def missing_key(folder: Path) -> Iterator[Cause]:
    file = folder / "junk.pem"
    file.write_text("junk")
    line = "cannot start: server.tls_key '/nowhere/key.pem': No such file or directory"
    yield [f"--tls-certificate={file}", "--tls-key=/nowhere/key.pem"], line


@contextmanager
def unknown_pv(folder: Path) -> Iterator[Cause]:
    yield ["--pvs-names=stat://nothing"], "cannot start: pvs.names: stat://nothing: "


@contextmanager
def no_toml(folder: Path) -> Iterator[Cause]:
    file = folder / "broken.toml"
    file.write_text("[server\n")
    yield [f"--config={file}"], "broken.toml: "


@contextmanager
def wrong_setting(folder: Path) -> Iterator[Cause]:
    file = folder / "wrong.toml"
    file.write_text("[server]\nprot = 8888\n")
    yield [f"--config={file}"], "server.prot: there is no such setting"


@contextmanager
def no_file(folder: Path) -> Iterator[Cause]:
    yield [f"--config={folder}/nowhere.toml"], "nowhere.toml: [Errno 2] No such file or directory"


CAUSES: list[Callable[[Path], object]] = [
    taken_port, foreign_address, bad_certificate, missing_key, unknown_pv, no_toml, wrong_setting, no_file,
]  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_start_that_cannot_be_is_one_line_and_leaves_nothing(
    cause: Callable[[Path], ExitStack], tmp_path: Path
) -> None:
    repeater = free_port()
    epics = {"EPICS_CA_REPEATER_PORT": str(repeater), "EPICS_CA_AUTO_ADDR_LIST": "NO"}
    with cause(tmp_path) as (arguments, line):  # type: ignore[misc]
        port = [] if any(argument.startswith("--port") for argument in arguments) else ["--port=0"]
        with Command("serve", *port, *arguments, epics=epics) as command:
            assert command.end() == 1
    assert command.out == []
    assert len(command.err) == 1, command.err
    assert command.err[0].startswith("pycaserver: ") and line in command.err[0]
    assert not is_taken(repeater), "its CA repeater was to end with it"


def test_reload_that_is_asked_for_while_it_starts_is_done_when_it_has(tmp_path: Path) -> None:
    """The signal would otherwise end it, which systemd takes for a wish."""
    file = tmp_path / "slow.toml"
    os.mkfifo(file)
    with Command("serve", "--port=0", f"--config={file}", epics={"EPICS_CA_AUTO_ADDR_LIST": "NO"}) as command:
        reading = wait_for(lambda: writing_end(file), 20, "it to read its settings")
        command.process.send_signal(signal.SIGHUP)
        os.close(reading)
        command.wait_for_line("listens on")
        os.close(wait_for(lambda: writing_end(file), 20, "it to read its settings again"))
        wait_for(lambda: any("settings reloaded" in line for line in command.err), 20, "the reload")
        assert command.end(signal.SIGTERM) == 0


def writing_end(fifo: Path) -> int:
    """The descriptor; 0 while nobody reads."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return 0


def test_wrong_usage_is_exit_code_2() -> None:
    with Command("serve", "--prot=8888") as command:
        assert command.end() == 2
    assert "unrecognized arguments: --prot=8888" in command.err[-1]


def test_taken_port_does_not_disturb_who_has_it(counting: CIOC) -> None:
    with Server(counting.env()) as server, Neighbour(server, f"{counting.prefix}count0"):
        port = server.url.rstrip("/").rpartition(":")[2]
        with Command("serve", f"--port={port}", epics=counting.env()) as second:
            assert second.end() == 1
        assert "Address already in use" in second.err[-1]


def test_broken_settings_at_a_reload_change_nothing(counting: CIOC, tmp_path: Path) -> None:
    """Fifty times under way, good and bad in turn: sessions go on, each refusal says why."""
    file = tmp_path / "pycaserver.toml"
    file.write_text("")
    with Server(counting.env(), {"config": file}) as server, Neighbour(server, f"{counting.prefix}count0"):
        before = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        for number in range(1, 26):
            for text, end in (("[access", "the old settings stay in force"), ("", "settings reloaded")):
                file.write_text(text)
                server.process.send_signal(signal.SIGHUP)
                wait_for(lambda end=end, number=number: server.output.count(end) == number)  # type: ignore[misc]
        assert len(os.listdir(f"/proc/{server.process.pid}/fd")) == before
        assert server.output.count("settings not reloaded: ") == 25


def test_audit_on_a_full_disk_is_said_at_the_start_and_puts_are_refused(
    counting: CIOC, tmp_path: Path, full_disk: Path
) -> None:
    """The server starts and serves; only puts are refused, with the reason, until there is room again."""
    settings = {"access-writes": "true", "access-default": "write", "audit-file": full_disk / "puts.jsonl"}
    pv = f"{counting.prefix}count0"
    with Server(counting.env(), settings) as server, Neighbour(server, pv), server.client() as client:
        filler = full_disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True)
        client.send(action="put", pv=pv, value=1, id="full")
        refused = client.wait(id="full")
        assert refused["code"] == "write_disabled" and "No space left on device" in refused["message"]
        filler.unlink()
        wait_for(lambda: '"write_disabled"' in (full_disk / "puts.jsonl").read_text())
        client.send(action="put", pv=f"{counting.prefix}count1", value=1, id="room")
        assert client.wait(id="room")["msg_type"] == "put"
        lines = (full_disk / "puts.jsonl").read_text().splitlines()
    assert [line.count('"outcome":') for line in lines] == [1, 1], "the refused one is on record too"
    assert server.stop() == 0
