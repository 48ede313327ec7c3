"""pycaserver watch: its lines, its addresses, and as a process beside a server that goes and comes back."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pycaserver.web.watch import line_of, monitor_url
from tests.ca_search import free_port
from tests.iocs import CIOC
from tests.processes import ROOT, Command
from tests.servers import Server
from tests.web.certificates import Authority
from tests.web.http import totals

STAMP = 1447799204.25
SHOWN = datetime.fromtimestamp(STAMP).strftime("%Y-%m-%d %H:%M:%S.250000")


def monitor(**keys: Any) -> dict[str, Any]:
    message = {"msg_type": "monitor", "pvname": "myTest:PV", "value": 5, "count": 1, "timestamp": STAMP,
               "severity": "NO_ALARM", "status": "NO_ALARM"}  # fmt: skip
    return message | keys


@pytest.mark.parametrize(
    ("keys", "rest"),
    [
        ({}, "5"),
        ({"units": "egu"}, "5  egu"),
        ({"value": "NaN"}, "NaN"),
        ({"value": 1, "text": "Open"}, "Open"),
        ({"value": None, "count": 0}, "None"),
        ({"value": "two words"}, "two words"),
        ({"value": [1.5, "NaN"], "count": 2, "units": "A"}, "2 1.5 NaN  A"),
        ({"value": [], "count": 0}, "0 "),
        ({"severity": "MAJOR", "status": "HIHI", "units": "mm"}, "5  mm  HIHI MAJOR"),
    ],
)
def test_value_is_shown_as_camonitor_would(keys: dict[str, Any], rest: str) -> None:
    assert line_of(monitor(**keys)) == f"myTest:PV  {SHOWN}  {rest}"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ({"msg_type": "connection", "pvname": "X", "conn": True}, ""),
        ({"msg_type": "connection", "pvname": "X", "conn": False, "reason": "lost", "since": 1.0},
         "X  *** disconnected (lost)"),
        ({"msg_type": "error", "code": "invalid_pv_name", "message": "No.", "pvname": "X"},
         "X  *** invalid_pv_name: No."),
        ({"msg_type": "error", "code": "bad_request", "message": "No."}, "*** bad_request: No."),
        ({"msg_type": "pong"}, ""),
    ],
)  # fmt: skip
def test_other_messages_are_shown_if_they_say_something(message: dict[str, Any], line: str) -> None:
    assert line_of(message) == line


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host:8888/", "ws://host:8888/monitor"),
        ("http://host:8888", "ws://host:8888/monitor"),
        ("https://host/epics/", "wss://host/epics/monitor"),
        ("https://host/epics", "wss://host/epics/monitor"),
        ("ws://host:1/monitor", "ws://host:1/monitor"),
        ("wss://host/prefix/monitor", "wss://host/prefix/monitor"),
        ("host:8888", "ws://host:8888/monitor"),
        ("host", "ws://host/monitor"),
        ("http://[::1]:8888/", "ws://[::1]:8888/monitor"),
        ("http://host/?page=1#top", "ws://host/monitor"),
    ],
)
def test_address_of_the_socket(url: str, expected: str) -> None:
    assert monitor_url(url) == expected


@pytest.mark.parametrize("url", ["", "http://", "ftp://host/", "http://host:nope/", "http://host:123456/", "file:///x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        monitor_url(url)


def test_values_are_shown_across_a_restart_of_the_server(types: CIOC) -> None:
    fast = f"{types.prefix}fast"
    with (
        Server(types.env(), port=free_port()) as server,
        Command("watch", server.url, fast, f"{types.prefix}mbbi", " no ") as watch,
    ):
        watch.wait_for_line("no   *** invalid_pv_name")
        watch.wait_for_line(f"{types.prefix}mbbi  ")
        watch.wait_for_line(fast, 3)
        server.stop()
        watch.wait_for_line("*** the server has closed the connection (The server is shutting down.)")
        seen = len(watch.out)
        server.start()
        watch.wait_for_line(fast, seen + 3)
        assert watch.end(signal.SIGINT) == 0
        assert "Fault  STATE MAJOR" in watch.wait_for_line(f"{types.prefix}mbbi  ")
        assert watch.err == []


def test_full_server_is_not_hammered(types: CIOC) -> None:
    with (
        Server(types.env(), {"limits-sessions": 1}) as server,
        server.client(),
        Command("watch", server.url, "X") as watch,
    ):
        watch.wait_for_line("as many sessions as it may have.); trying again in 0.5 s")
        watch.wait_for_line("as many sessions as it may have.); trying again in 1 s")
        assert totals(server)["closes"] == {"1013": 2}


def test_server_that_is_not_there_is_waited_for(types: CIOC) -> None:
    port = free_port()
    with Command("watch", f"localhost:{port}", f"{types.prefix}ai") as watch:
        watch.wait_for_line("does not answer")
        with Server(types.env(), port=port):
            watch.wait_for_line(f"{types.prefix}ai  ")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(types: CIOC, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves https."""
    with Server(types.env(), authority.sign(tmp_path_factory.mktemp("server")).settings) as server:
        yield server


def test_values_are_shown_over_https(secure: Server, authority: Authority, types: CIOC) -> None:
    with Command("watch", "--cafile", authority.cafile, secure.url, f"{types.prefix}ai") as watch:
        watch.wait_for_line(f"{types.prefix}ai  ")
        assert watch.end(signal.SIGINT) == 0
        assert watch.err == []


def test_server_that_is_not_to_be_trusted_is_not_watched(secure: Server, tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    stranger = Authority(tmp_path)
    cases: dict[str, tuple[object, ...]] = {
        "--cafile names those to trust": (),
        "the certificate is not to be trusted": ("--cafile", stranger.cafile),
        "nowhere.pem: No such file": ("--cafile", tmp_path / "nowhere.pem"),
        "junk.pem: has no certificates": ("--cafile", tmp_path / "junk.pem"),
    }
    for problem, options in cases.items():
        with Command("watch", *options, secure.url, "X") as watch:
            assert watch.end() == 1
            (line,) = watch.err
            assert problem in line


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (lambda server: "ftp://localhost/", "not the address of a server"),
        (lambda server: f"{server.url}nowhere", "refuses: HTTP 404"),
    ],
    ids=["scheme", "path"],
)
def test_problem_is_told(server: Server, url: Callable[[Server], str], problem: str) -> None:
    with Command("watch", url(server), "X") as watch:
        assert watch.end() == 1
        (line,) = watch.err
        assert line.startswith("pycaserver: ")
        assert problem in line


def test_reader_that_has_seen_enough_may_go(server: Server, types: CIOC) -> None:
    command = [sys.executable, "-m", "pycaserver", "watch", server.url, f"{types.prefix}fast"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None and watch.stderr is not None
        assert watch.stdout.readline().startswith(f"{types.prefix}fast")
        watch.stdout.close()
        assert watch.wait(10) == 0
        assert watch.stderr.read() == ""
