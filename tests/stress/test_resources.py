"""What a real server is found to hold."""

from dataclasses import replace

from tests.iocs import CIOC
from tests.servers import Server
from tests.stress.resources import metrics, resources
from tests.timing import wait_for


def test_connections_of_clients_are_not_the_servers_own_descriptors(types: CIOC) -> None:
    with Server(types.env()) as server:
        wait_for(lambda: metrics(server)["pycaserver_connections"] == 1)
        before = resources(server)
        with server.client(), server.client() as client:
            beside = resources(server)
            assert beside.own == before.own < before.descriptors + 2 <= beside.descriptors
            assert beside.sessions == before.sessions + 2
            client.send(action="connect", pv=types.prefix + "fast")
            client.wait(msg_type="monitor")
            assert resources(server).own > before.own  # the circuit


def test_only_what_is_more_is_excess(types: CIOC) -> None:
    with Server(types.env()) as server:
        held = resources(server)
    assert replace(held, descriptors=held.descriptors + 1).excess(held) == {"descriptors": 1}
    assert replace(held, descriptors=held.descriptors - 1).excess(held) == {}
