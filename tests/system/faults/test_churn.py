"""PVs and sockets come and go by the thousand: channels, descriptors, threads and memory are back at the end."""

from collections.abc import Iterator

import pytest

from tests.iocs import CIOC
from tests.servers import Server
from tests.system.faults.watch import Neighbour, held, wait_until_held, warm_up
from tests.timing import wait_for
from tests.web.raw import RawClient

KILOBYTE = 1024
ROUNDS = 100
PVS = 100
SOCKETS = 2500
WARM = 0.6
"""Of all that is done, so much before memory is looked at: until then the allocator still grows its pools."""


@pytest.fixture(scope="module")
def server(counting: CIOC) -> Iterator[Server]:
    settings = {"limits-linger-seconds": 0.05, "limits-requests-per-second": 100_000}
    with Server(counting.env(), settings) as server:
        yield warm_up(server, f"{counting.prefix}count0")


def test_pvs_that_come_and_go_leave_nothing(server: Server, counting: CIOC) -> None:
    """Ten thousand: some that are there, most that are not."""
    before, memory, warm = held(server), 0, int(ROUNDS * WARM)
    with Neighbour(server, f"{counting.prefix}count0"), server.client() as client:
        for number in range(ROUNDS):
            names = [f"{counting.prefix}count{index}" for index in range(1, 5)]
            names += [f"{counting.prefix}none{number}:{index}" for index in range(PVS - len(names))]
            client.send(action="connect", pv=names)
            client.wait(msg_type="monitor")
            client.send(action="disconnect", pv=names)
            client.settle()
            client.messages.clear()
            client._seen = 0
            wait_for(lambda: held(server).channels == 1, 10, "the channels to close")
            memory = memory or server.resident * (number >= warm)
    wait_until_held(server, before)
    grown = (server.resident - memory) / ((ROUNDS - warm) * PVS)
    print(f"{grown:.0f} bytes for each PV")
    assert grown < KILOBYTE


def test_sockets_that_come_and_go_leave_nothing(server: Server, counting: CIOC) -> None:
    """Thousands of sessions, half of which go without a word."""
    before, memory, warm = held(server), 0, int(SOCKETS * WARM)
    with Neighbour(server, f"{counting.prefix}count0"):
        for number in range(SOCKETS):
            with RawClient(server.url).open() as client:
                client.send(action="connect", pv=f"{counting.prefix}count1")
                if number % 2:
                    client.wait_for_message(msg_type="connection")
            memory = memory or server.resident * (number >= warm)
    wait_until_held(server, before)
    grown = (server.resident - memory) / (SOCKETS - warm)
    print(f"{grown:.0f} bytes for each socket")
    assert grown < KILOBYTE
