"""What there is of a PV at libca and at a C IOC, through a server."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pycaserver.core.values import DbrType
from pycaserver.sources import chid
from tests.databases import LARGE_COUNT, fill, large_values
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for


def test_one_ca_channel_with_two_monitors_serves_all_sessions(server: Server, types: CIOC) -> None:
    pv = types.prefix + "slow"
    with server.client() as first, server.client() as second:
        for client in (first, second):
            client.send(action="connect", pv=pv)
            client.wait(msg_type="monitor", pvname=pv)
        assert sorted(types.shell(f"dbel {pv} 1").splitlines()[1:3]) == [" VAL { PROPERTY }", " VAL { VALUE ALARM }"]
        assert types.shell("casr 2").count(f"Channel: '{pv}'") == 1


def test_an_array_beyond_pyepics_bound_is_monitored(server: Server, types: CIOC) -> None:
    pv = types.prefix + "large"
    with server.client() as client:
        client.send(action="connect", pv=pv)
        assert client.wait(msg_type="monitor", pvname=pv)["count"] == LARGE_COUNT
        types.shell(f"dbpf {pv} '[1, 2]'")
        assert client.wait(msg_type="monitor", pvname=pv)["value"] == [1.0, 2.0]
        types.shell(fill(pv, large_values()))
        assert client.wait(msg_type="monitor", pvname=pv)["count"] == LARGE_COUNT


def test_metadata_changes_are_told_at_once() -> None:
    database = 'record(ao, "$(P)x") { field(EGU, "V") field(PINI, "YES") field(DOL, "1") }'
    with CIOC(database) as ioc, Server(ioc.env()) as server, server.client() as client:
        pv = ioc.prefix + "x"
        client.send(action="connect", pv=pv, metadata=True)
        assert client.wait(msg_type="metadata", pvname=pv)["units"] == "V"
        client.wait(msg_type="monitor", pvname=pv)
        ioc.shell(f"dbpf {pv}.EGU kV")
        assert client.wait(msg_type="metadata", pvname=pv)["units"] == "kV"
        ioc.shell(f"dbpf {pv} 2")
        assert client.wait(msg_type="monitor", pvname=pv)["units"] == "kV"


def test_get_reads_from_the_ioc_and_not_from_the_monitor() -> None:
    """MDEL keeps small changes from the monitor, but not from a read."""
    database = 'record(ao, "$(P)x") { field(MDEL, "10") field(PINI, "YES") field(DOL, "1") }'
    with CIOC(database) as ioc, Server(ioc.env()) as server, server.client() as own:
        pv = ioc.prefix + "x"
        own.send(action="connect", pv=pv)
        assert own.wait(msg_type="monitor")["value"] == 1.0
        ioc.shell(f"dbpf {pv} 2")
        own.send(action="get", pv=pv)
        assert own.wait(msg_type="get")["value"] == 2.0
        assert [m for m in own.settle() if m["msg_type"] == "monitor"] == []


def test_what_is_lost_while_it_is_described_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """libca then says that it has no elements, may not be read, and is nowhere."""
    lost = SimpleNamespace(
        field_type=lambda _: DbrType.DOUBLE,
        read_access=lambda _: 0,
        write_access=lambda _: 0,
        element_count=lambda _: 0,
        host_name=lambda _: "<disconnected>",
    )
    monkeypatch.setattr(chid, "ca", lost)
    told: list[Any] = []
    handoff: Any = SimpleNamespace(post=told.append)
    channel = chid.Chid("PV", handoff, cast(Any, SimpleNamespace(described=told.append)))
    channel._id = 1
    channel.describe(cast(Any, None))
    assert told == []


def test_the_last_leaving_closes_the_channel_after_a_linger(server: Server, types: CIOC) -> None:
    pv = types.prefix + "bi"
    with server.client() as client:
        client.send(action="connect", pv=pv)
        client.wait(msg_type="monitor")
        assert f"Channel: '{pv}'" in types.shell("casr 2")
    wait_for(lambda: f"Channel: '{pv}'" not in types.shell("casr 2"), 10)
