"""An IOC that takes less than its clients send: what waits is bounded, and nobody else waits."""

import base64
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.iocs import CIOC, client_env
from tests.servers import WRITABLE, Client, Server
from tests.system.faults.links import Relay
from tests.system.faults.watch import warm_up
from tests.timing import wait_for

pytestmark = pytest.mark.usefixtures("undisturbed")
ELEMENTS = 50_000
PUTS = 25
WRITERS = 4
SLOW_BYTES = 1_000_000
"""A second: each of the puts then takes 0.4 s."""
REFUSED = ("put_failed", "rate_limited")
"""Too much waits for the IOC, or too much of this session."""
MEGABYTE = 1 << 20
GROWTH = 80 * MEGABYTE
"""Of the server, at most, of 40 MB that are written: 16 MiB may wait, and each is copied on its way."""
DATABASE = f"""
record(waveform, "$(P)wave") {{ field(FTVL, "DOUBLE") field(NELM, "{ELEMENTS}") }}
record(ao, "$(P)other") {{ field(PINI, "YES") field(DOL, "1") }}
"""


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay(CIOC(DATABASE)) as relay:
        yield relay


@pytest.fixture
def server(relay: Relay, counting: CIOC) -> Iterator[Server]:
    epics = client_env(counting) | {"EPICS_CA_ADDR_LIST": f"{relay.address} {counting.address}"}
    with Server(epics, {"limits-linger-seconds": 0.1, **WRITABLE}) as server:
        yield warm_up(server, f"{relay.ioc.prefix}other", f"{counting.prefix}count0")


def answers_of(client: Client) -> Iterator[str]:
    """To all its puts: done, or the code of the error."""
    for _ in range(PUTS):
        answer = client.wait(lambda message: message["msg_type"] in ("put", "error"), timeout=20)
        yield answer.get("code", "done")


def test_ioc_that_is_slower_than_its_clients(server: Server, relay: Relay) -> None:
    """Each put is answered: done, timed out, or refused because too much waits, for this writer or for the IOC."""
    pv, memory = f"{relay.ioc.prefix}wave", server.resident
    with server.client() as client:
        client.send(action="connect", pv=pv, encoding="base64")
        client.wait(msg_type="monitor")
        relay.slow(SLOW_BYTES)
        elements = base64.b64encode(bytes(8 * ELEMENTS)).decode()
        writers = [server.client() for _ in range(WRITERS)]
        for number in range(PUTS):
            for writer in writers:
                writer.send(action="put", pv=pv, value_b64=elements, dtype="<f8", id=number, timeout=3)
        said = Counter(answer for writer in writers for answer in answers_of(writer))
        print(dict(said))
        assert said.total() == PUTS * WRITERS, "one answer for each"
        assert {"done", "put_timeout", "put_failed"} <= said.keys() <= {"done", "put_timeout", *REFUSED}
        grown = server.resident - memory
        print(f"{grown / MEGABYTE:.0f} MiB")
        assert grown < GROWTH
        relay.slow(0)
        for writer in writers:
            writer.close()
        client.send(action="put", pv=f"{relay.ioc.prefix}other", value=2, id="other", timeout=20)
        assert client.wait(id="other", timeout=30)["msg_type"] == "put"


def test_ioc_that_stops_in_the_middle_of_a_circuit_s_making(server: Server, relay: Relay) -> None:
    """It answers the search and then nothing: the PV is not found, is told so, and is there when the IOC goes on."""
    with server.client() as client:
        wait_for(lambda: "other" not in relay.ioc.shell("casr 2"), 10, "the circuit to be closed")
        relay.stall()
        client.send(action="connect", pv=f"{relay.ioc.prefix}other")
        assert client.wait(msg_type="connection")["reason"] == "not_found"
        relay.mend()
        assert client.wait(msg_type="connection", timeout=20)["conn"] is True
        assert client.wait(msg_type="monitor")["value"] == 1
