"""What libca complains about comes as events of the log, and not twice."""

import subprocess
import sys

import pytest

from pycaserver.sources.complaints import LOG_SECONDS, MOST_LINES, Complaints
from tests.iocs import CIOC
from tests.servers import Server
from tests.system.faults.links import Relay
from tests.timing import wait_for

COMPLAINT = "WARNING pycaserver.sources.complaints: Channel Access: Unexpected problem with CA circuit to server "


def test_a_reset_circuit_is_an_event_of_the_log() -> None:
    with Relay(CIOC('record(ai, "$(P)x") {}')) as relay:
        epics = relay.ioc.env() | {"EPICS_CA_ADDR_LIST": relay.address}
        with Server(epics) as server, server.client() as client:
            client.send(action="connect", pv=f"{relay.ioc.prefix}x")
            client.wait(msg_type="monitor")
            relay.reset()
            client.wait(msg_type="connection", conn=False)
            wait_for(lambda: COMPLAINT in server.output)
            assert server.stop() == 0
        assert server.output.count("Unexpected problem") == 1


def test_a_flood_of_complaints_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints()
    for number in range(3 * MOST_LINES):
        complaints.hear(f"\n  trouble {number}\n", 1.0)
    complaints.hear("quiet again", 1.0 + LOG_SECONDS)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:MOST_LINES] == [f"Channel Access: trouble {number}" for number in range(MOST_LINES)]
    assert lines[MOST_LINES:] == [
        f"Channel Access: {2 * MOST_LINES} lines more have not been logged", "Channel Access: quiet again",
    ]  # fmt: skip


def test_a_libca_without_listeners_will_do() -> None:
    """It is asked for once; the server starts all the same."""
    program = (
        "from types import SimpleNamespace; from pycaserver.sources import complaints;"
        "complaints.ca.libca = SimpleNamespace(); complaints.hear(); print('fine')"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "fine\n"
