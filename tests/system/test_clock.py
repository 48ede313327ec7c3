"""The machine's clock is set while the server runs: time-outs take no notice, the IOC's time stamps stay."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.iocs import CIOC
from tests.processes import ROOT
from tests.servers import Server
from tests.timing import scaled, wait_for
from tests.web.http import fetch, totals

HOUR = 3600.0
STEPPED_CLOCK = """\
import time
from pathlib import Path

real, offset = time.time, Path(__file__).with_name("offset")
time.time = lambda: real() + float(offset.read_text())
"""
"""Python runs it before anything else; what is in the file beside it is added to the time."""


@pytest.fixture
def offset(tmp_path: Path) -> Path:
    """Where to write the seconds by which the server's clock is to be wrong."""
    (tmp_path / "sitecustomize.py").write_text(STEPPED_CLOCK)
    (tmp_path / "offset").write_text("0")
    return tmp_path / "offset"


@pytest.fixture
def server(types: CIOC, offset: Path) -> Iterator[Server]:
    """Its clock may be set, and it pings often."""
    settings = {"limits-ping-seconds": 1, "limits-slow-after-seconds": 2, "limits-search-seconds": 0.5,
                "limits-header-seconds": 5, "log-level": "debug"}  # fmt: skip
    with Server(types.env() | {"PYTHONPATH": f"{offset.parent}:{ROOT}"}, settings) as server:
        yield server


def wait_for_log(server: Server) -> str:
    """What the server logs of a request."""
    before = len(server.output)
    fetch(server, "/healthz")
    return wait_for(lambda: server.output[before:], what="a line in the log")


def hours(step: float) -> set[str]:
    """How the time starts to which the clock is set, up to the hour; the next may just begin."""
    now = time.time() + step
    return {datetime.fromtimestamp(at, UTC).isoformat()[:13] for at in (now - 60, now)}


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["ahead", "back"])
def test_nothing_times_out_and_stamps_stay_when_the_clock_is_set(
    server: Server, types: CIOC, offset: Path, step: float
) -> None:
    with server.client() as client:
        client.send(action="connect", pv=f"{types.prefix}fast")
        client.wait(msg_type="monitor")
        offset.write_text(str(step))
        assert any(hour in wait_for_log(server) for hour in hours(step)), "the server's clock is not set"
        client.send(action="connect", pv="no:such:pv")
        lost = client.wait(msg_type="connection", pvname="no:such:pv", conn=False)
        assert lost["reason"] == "not_found"
        while totals(server)["uptime"] < 3:  # two pings, and longer than any time-out of the session
            value = client.wait(msg_type="monitor", pvname=f"{types.prefix}fast")
            assert abs(value["timestamp"] - time.time()) < scaled(10)
        client.settle()
        assert totals(server)["closes"] == {}
        assert totals(server)["uptime"] < HOUR / 2
        assert fetch(server, f"/api/pv/{types.prefix}ai").status == 200
