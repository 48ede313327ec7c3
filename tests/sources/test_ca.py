"""The CA source against a real C IOC, through a server: what pyepics and libca would get wrong by themselves."""

import os
import pwd
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.values import Access, PVValue
from pycaserver.sources.ca import CAChannel, Connection
from pycaserver.sources.circuit import Circuit
from pycaserver.sources.renewal import Renewal
from tests.fakes import World
from tests.iocs import CIOC, client_env
from tests.servers import Client, Server

DOUBLE = 'record(ai, "$(P)x") {{ field(INP, "{value}") field(PINI, "YES") field(EGU, "{units}") }}'
STRING = 'record(stringin, "$(P)x") { field(VAL, "text") }'
WAVEFORM = (
    'record(waveform, "$(P)x") { field(FTVL, "LONG") field(NELM, "5") field(INP, [1,2,3]) field(PINI, "YES")'
    ' field(EGU, "A") }'
)
ENUM = (
    'record(mbbi, "$(P)x") { field(ZRST, "off") field(ONST, "on") field(ONVL, "1") field(INP, "1") field(PINI, "YES") }'
)


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.mark.parametrize("form", ["{}ai\0.allowed", " {}ai", "{}ai ", "", "{}a\nb", "{}ä", "{}" + "x" * 1000])
def test_a_name_that_libca_would_read_otherwise_is_refused(client: Client, types: CIOC, form: str) -> None:
    client.send(action="connect", pv=form.format(types.prefix), id=1)
    assert client.wait(msg_type="error", id=1)["code"] == "invalid_pv_name"
    client.send(action="list")
    assert client.wait(msg_type="list")["pvs"] == []


def test_access_rights_are_told_and_followed(client: Client, types: CIOC) -> None:
    pv = types.prefix + "guarded"
    client.send(action="connect", pv=pv, metadata=True)
    assert client.wait(msg_type="access", pvname=pv) == {
        "msg_type": "access", "pvname": pv, "read": True, "write": True,
    }  # fmt: skip
    client.wait(msg_type="monitor", pvname=pv)
    types.shell(f"dbpf {types.prefix}may_write 0")
    assert client.wait(msg_type="access", pvname=pv)["write"] is False
    types.shell(f"dbpf {types.prefix}may_read 0")
    lost = client.wait(msg_type="connection", pvname=pv)
    assert (lost["conn"], lost["reason"]) == (False, "read_denied") and lost["since"] > 1e9
    client.send(action="get", pv=pv)
    assert client.wait(msg_type="error", pvname=pv)["code"] == "read_denied"
    types.shell(f"dbpf {types.prefix}may_write 1")
    types.shell(f"dbpf {types.prefix}may_read 1")
    assert client.wait(msg_type="connection", pvname=pv)["conn"] is True
    assert client.wait(msg_type="monitor", pvname=pv)["value"] == 5.0


def test_iocs_are_told_the_account_and_the_machine_of_the_server(client: Client, types: CIOC) -> None:
    """That is what an IOC's put log names; libca takes neither from anywhere else."""
    client.send(action="get", pv=types.prefix + "ai")
    client.wait(msg_type="get")
    clients = types.shell("casr 1")
    assert f"'{socket.gethostname()}'" in clients
    assert f"User '{pwd.getpwuid(os.geteuid()).pw_name}'" in clients


def test_a_pv_that_one_may_never_write(client: Client, types: CIOC) -> None:
    pv = types.prefix + "readonly"
    client.send(action="connect", pv=pv, metadata=True)
    access = client.wait(msg_type="access", pvname=pv)
    assert (access["read"], access["write"]) == (True, False)


class Outcome:
    """Of a put."""

    def __init__(self) -> None:
        self.error: PycaError | None = None

    def refusal(self) -> None:
        return None

    def sent(self) -> None:
        raise AssertionError("nothing was to be sent")

    def done(self, old: PVValue | None, error: PycaError | None) -> None:
        self.error = error


def test_elements_made_for_another_type_never_come_to_libca() -> None:
    """It would read beyond them: sessions may not know yet that the IOC has come back with another type."""
    jobs: list[Any] = []
    source: Any = SimpleNamespace(
        worker=SimpleNamespace(submit=jobs.append), renewal=Renewal(lambda *_: None), circuit=lambda host: Circuit(),
        handoff=None,
    )  # fmt: skip
    ca_channel, outcome = CAChannel(source, "PV", World().channel("PV")), Outcome()
    ca_channel.described(Connection(ca_channel, 0), 3, "ioc:5064", Access(read=True, write=True))
    jobs.clear()
    ca_channel.put(np.zeros(3, "u1"), outcome, wait=True)
    assert outcome.error is not None and outcome.error.code == "not_connected"
    assert jobs == []


def test_an_ioc_that_comes_back_with_other_types_and_units() -> None:
    """Each restart brings another type; never is a value told under the metadata of another connection."""
    databases = [
        (DOUBLE.format(value=1.5, units="mm"), 1.5, "mm", "double"),
        (STRING, "text", "", "string"),
        (WAVEFORM, [1, 2, 3], "A", "long"),
        (ENUM, 1, "", "enum"),
        (DOUBLE.format(value=2.5, units="\u00b5m"), 2.5, "\u00b5m", "double"),
    ]
    with (
        CIOC(databases[0][0]) as ioc,
        Server({**ioc.env(), "EPICS_CA_CONN_TMO": "3"}) as server,
        server.client() as client,
    ):
        pv = ioc.prefix + "x"
        client.send(action="connect", pv=pv, metadata=True)
        for database, value, units, kind in databases:
            if database != databases[0][0]:
                ioc.kill()
                lost = client.wait(msg_type="connection", pvname=pv)
                assert (lost["conn"], lost["reason"]) == (False, "lost") and lost["since"] > 1e9
                ioc.restart(database=database)
            messages = [client.wait(pvname=pv) for _ in range(4)]
            assert [m["msg_type"] for m in messages] == ["connection", "metadata", "access", "monitor"]
            connection, metadata, _, monitor = messages
            assert connection["conn"] is True
            assert (metadata["type"], metadata.get("units", "")) == (kind, units)
            assert (monitor["value"], monitor.get("units", "")) == (value, units)


def test_an_ioc_that_hangs_harms_only_its_own_pvs(types: CIOC) -> None:
    """SIGSTOP: its PVs are told lost after the connection time-out, others go on, new ones can be found."""
    with (
        CIOC(DOUBLE.format(value=1, units="mm")) as ioc,
        Server({**client_env(ioc, types), "EPICS_CA_CONN_TMO": "2"}) as server,
        server.client() as client,
    ):
        pv, other = ioc.prefix + "x", types.prefix + "fast"
        client.send(action="connect", pv=[pv, other])
        client.wait(msg_type="monitor", pvname=pv)
        ioc.pause()
        assert client.wait(msg_type="connection", pvname=pv, timeout=30)["reason"] == "lost"
        client.wait(msg_type="monitor", pvname=other)
        client.send(action="connect", pv=types.prefix + "ai")
        client.wait(msg_type="monitor", pvname=types.prefix + "ai")
        ioc.resume()
        assert client.wait(msg_type="connection", pvname=pv, timeout=30)["conn"] is True
        assert client.wait(msg_type="monitor", pvname=pv)["value"] == 1.0


def test_a_pv_that_appears_late_is_found(types: CIOC) -> None:
    ioc = CIOC(DOUBLE.format(value=4, units="mm"))
    with Server(client_env(ioc, types), {"limits-search-seconds": 0.2}) as server, server.client() as client:
        client.send(action="connect", pv=ioc.prefix + "x")
        missing = client.wait(msg_type="connection")
        assert (missing["conn"], missing["reason"]) == (False, "not_found") and "since" not in missing
        with ioc:
            assert client.wait(msg_type="connection", timeout=60)["conn"] is True
            assert client.wait(msg_type="monitor")["value"] == 4.0


def test_libca_finds_a_repeater_and_does_not_complain(types: CIOC) -> None:
    from tests.ca_search import free_port

    with Server({**types.env(), "EPICS_CA_REPEATER_PORT": str(free_port())}) as server:
        with server.client() as client:
            client.send(action="connect", pv=types.prefix + "ai")
            client.wait(msg_type="monitor")
        server.stop()
        assert "caRepeater" not in server.output and "WARNING" not in server.output
