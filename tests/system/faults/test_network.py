"""The network between server and IOC fails: cut, reset, lossy, full of false beacons."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.ca_search import HEADER, LOOPBACK, free_port
from tests.databases import counters
from tests.iocs import CIOC, client_env
from tests.servers import Client, Server
from tests.system.faults.links import Link, Namespace, NamespaceIOC, Relay
from tests.system.faults.watch import Neighbour, warm_up, within
from tests.timing import wait_for

CONN_TMO = 2
LOST_SECONDS = CONN_TMO + 6
BACK_SECONDS = 15
MANY = 1000
FOUND_SECONDS = 30
CLOSED = 10
BEACON = 13
BEACONS = 5000

LINKS: list[Callable[[str], Link]] = [
    lambda database: Relay(CIOC(database)),
    lambda database: Namespace(NamespaceIOC(database)),
]
on_each_link = pytest.mark.parametrize("link", LINKS, ids=["relay", "namespace"], indirect=True)
undisturbed = pytest.mark.usefixtures("undisturbed")
on_the_relay = pytest.mark.parametrize("link", LINKS[:1], ids=["relay"], indirect=True)


@pytest.fixture(scope="module")
def link(request: pytest.FixtureRequest) -> Iterator[Link]:
    """An IOC with a counter and many quiet records, behind a network that can fail."""
    with request.param(counters(1) + counters(MANY, scan="10 second").replace("count", "quiet")) as link:
        yield link


@pytest.fixture(scope="module")
def server(link: Link, counting: CIOC) -> Iterator[Server]:
    """Finds both IOCs, the one only through the link."""
    epics = client_env(counting) | {
        "EPICS_CA_ADDR_LIST": f"{link.address} {counting.address}",
        "EPICS_CA_CONN_TMO": str(CONN_TMO),
    }
    with Server(epics, {"limits-linger-seconds": 0.1}) as server:
        yield warm_up(server, f"{link.ioc.prefix}count0", f"{counting.prefix}count0")


def wait_for_connection(client: Client, conn: bool, seconds: float) -> None:
    """Wait for that message, which comes within so many seconds."""
    began = time.monotonic()
    client.wait(msg_type="connection", conn=conn, timeout=3 * seconds)
    within(seconds, f"conn {conn}", began)


@on_each_link
@undisturbed
def test_pvs_behind_a_partition_are_lost_and_come_back(link: Link, server: Server) -> None:
    """The neighbour's IOC is on the same server; its values go on without a gap."""
    with server.client() as client:
        client.send(action="connect", pv=f"{link.ioc.prefix}count0", metadata=True)
        client.wait(msg_type="monitor")
        link.cut()
        began = time.time()
        wait_for_connection(client, False, LOST_SECONDS)
        lost = client.messages[-1]
        assert lost["reason"] == "lost" and began < lost["since"] < time.time()
        link.mend()
        wait_for_connection(client, True, BACK_SECONDS)
        one_stream(client)


def one_stream(client: Client, count: int = 5) -> None:
    """From now on each value comes once and none is missing."""
    values = [client.wait(msg_type="monitor")["value"] for _ in range(count)]
    assert values == [values[0] + index for index in range(count)]


@on_the_relay
@undisturbed
def test_circuit_that_is_reset_is_made_anew(link: Link, server: Server) -> None:
    with server.client() as client:
        client.send(action="connect", pv=f"{link.ioc.prefix}count0", metadata=True)
        client.wait(msg_type="monitor")
        link.reset()
        wait_for_connection(client, False, LOST_SECONDS)
        link.mend()
        wait_for_connection(client, True, BACK_SECONDS)
        assert client.wait(msg_type="metadata")["type"] == "double"
        one_stream(client)


@on_the_relay
@undisturbed
def test_a_thousand_pvs_are_found_though_every_third_datagram_is_lost(link: Relay, server: Server) -> None:
    link.lose(0.3)
    try:
        with server.client() as client:
            names = {f"{link.ioc.prefix}quiet{number}" for number in range(MANY)}
            client.send(action="connect", pv=sorted(names))
            began = time.monotonic()
            while names:
                names.discard(client.wait(msg_type="monitor", timeout=FOUND_SECONDS)["pvname"])
            within(FOUND_SECONDS, f"{MANY} PVs found", began)
    finally:
        link.lose(0)


@on_the_relay
@undisturbed
def test_ioc_that_closes_its_circuits_again_and_again(link: Relay, server: Server) -> None:
    """Each time its PVs are lost and found; that costs the server four searches a second at most, and nobody else."""
    circuits = link.circuits
    with server.client() as client:
        client.send(action="connect", pv=f"{link.ioc.prefix}count0")
        client.wait(msg_type="monitor")
        for _ in range(CLOSED):
            link.close_circuits()
            wait_for_connection(client, False, 1)
            wait_for_connection(client, True, BACK_SECONDS)
            client.wait(msg_type="monitor")
        one_stream(client)
    assert link.circuits - circuits == CLOSED + 1, "each time one circuit"


def beacon(port: int, number: int) -> bytes:
    """As an IOC at that port sends it, which counts its beacons."""
    return HEADER.pack(BEACON, 0, 13, port, number, int.from_bytes(socket.inet_aton(LOOPBACK)))


@on_the_relay
def test_beacons_out_of_order_disturb_no_circuit(link: Relay, counting: CIOC) -> None:
    """Thousands with wild numbers, of an IOC that is there and of some that are not, make it search again, a little."""
    repeater = free_port()
    epics = client_env(counting) | {
        "EPICS_CA_ADDR_LIST": f"{link.address} {counting.address}",
        "EPICS_CA_REPEATER_PORT": str(repeater),
    }
    with Server(epics) as server, Neighbour(server, f"{counting.prefix}count0") as neighbour:
        with server.client() as client:
            client.send(action="connect", pv="NOWHERE")
            client.wait(msg_type="connection", conn=False)
            neighbour.hear(5)  # half a second: its pauses between searches grow
            circuits, searches = counting.shell("casr 0"), link.searches
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                for number in range(BEACONS):
                    port = counting.port if number % 2 else number % 1000 + 1000
                    udp.sendto(beacon(port, number * 7919 % 1000), (LOOPBACK, repeater))
            wait_for(lambda: link.searches > searches, 10, "another search")
            neighbour.hear(20)
            assert link.searches - searches < BEACONS / 10, "not one for each beacon"
        neighbour.check()
        assert counting.shell("casr 0") == circuits, "no circuit was made or closed"
        assert server.status()["faults"] == 0
