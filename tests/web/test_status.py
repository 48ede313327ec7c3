"""Health, readiness and the status page."""

from collections.abc import Iterator

import pytest

from tests.conftest import OFFERED, OFFERED_ONLY
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import wait_for
from tests.web.http import fetch, totals, wait_for_totals
from tests.web.raw import RawClient

TOTALS = {"version", "started", "uptime", "sessions", "sessions_opened", "channels", "requests", "puts",
          "puts_turned_away", "losses", "updates_in", "updates_out", "updates_merged", "updates_merged_in",
          "bytes_out", "loop_lag", "loop_lag_max", "loop_stalls", "loop_work_max", "errors", "closes", "faults",
          "connections", "connections_dropped", "audit_failures", "log_lines_lost", "history_bytes",
          "history_failures"}  # fmt: skip


def test_healthy(server: Server) -> None:
    answer = fetch(server, "/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_ask_for_the_head_alone(server: Server, path: str) -> None:
    answer = fetch(server, path, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_ready_with_the_state_of_the_pvs_of_the_settings(server: Server, types: CIOC) -> None:
    states = {"ai": "connected", "mbbi": "connected", "nowhere": "disconnected"}
    expected = {types.prefix + name: states[name] for name in OFFERED}
    answer = wait_for(lambda: (a := fetch(server, "/readyz")).json["pvs"] == expected and a, what="the PVs' states")
    assert (answer.status, answer.json["ready"]) == (200, True)


@pytest.fixture(scope="module")
def far_away() -> Iterator[Server]:
    """Its PV is on no IOC."""
    settings = {"pvs-names": "some:where,else:where", "limits-search-seconds": 30}
    with Server({"EPICS_CA_ADDR_LIST": "127.0.0.1:9", "EPICS_CA_AUTO_ADDR_LIST": "NO"}, settings) as server:
        yield server


def test_ready_while_pvs_are_still_searched_for(far_away: Server) -> None:
    answer = fetch(far_away, "/readyz")
    assert answer.status == 200
    assert answer.json == {"ready": True, "pvs": {"some:where": "searching", "else:where": "searching"}}


@pytest.mark.parametrize(
    ("path", "headers"), [("/status?format=json", {}), ("/status", {"Accept": "application/json"})]
)
def test_totals_as_json(server: Server, path: str, headers: dict[str, str]) -> None:
    answer = fetch(server, path, headers)
    assert answer.status == 200
    assert answer.json.keys() == TOTALS
    assert answer.json["faults"] == 0


def test_totals_for_people(server: Server) -> None:
    answer = fetch(server, "/status", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = answer.body.decode()
    for name in TOTALS - {"errors", "closes", "channels"} | {"channels: connected"}:
        assert f"<th scope=row>{name}<td>" in page
    assert 'href="static/' in page, "relative, so that a proxy may serve it under a prefix"
    assert 'href="/' not in page


def test_totals_name_no_peers_and_no_pvs(server: Server, types: CIOC) -> None:
    with server.client() as client:
        client.send(action="connect", pv=f"{types.prefix}ao")
        client.wait(msg_type="monitor")
        for path in ("/status", "/status?format=json"):
            body = fetch(server, path).body.decode()
            assert types.prefix not in body
            assert "127.0.0.1" not in body


@pytest.fixture(scope="module")
def administered(types: CIOC) -> Iterator[Server]:
    """Whoever asks from 127.0.0.1 is an administrator."""
    settings = {"access-administrators": "address:127.0.0.1", "limits-linger-seconds": 0.1}
    with Server(types.env(), settings) as server:
        yield server


def get_from(server: Server, source: str, path: str) -> bytes:
    """The body of an answer, asked for from that address."""
    with RawClient(server.url, source=source) as raw:
        raw.http(path, "Connection: close")
        return raw.read_to_end()


def test_administrator_sees_sessions_and_pvs(administered: Server, types: CIOC) -> None:
    ao, nowhere = f"{types.prefix}ao", f"{types.prefix}nowhere<b>"
    with administered.client() as client:
        client.send(action="connect", pv=[nowhere, ao])
        client.wait(msg_type="monitor")
        seen = totals(administered)
        assert seen["peers"] == [{"address": "127.0.0.1", "user": "", "subscriptions": 2, "backlog": 0}]
        assert seen["pvs"] == [
            {"pvname": ao, "state": "connected", "subscribers": 1},
            {"pvname": nowhere, "state": "searching", "subscribers": 1},
        ]
        page = fetch(administered, "/status").body.decode()
        assert f"<td>{ao}<td>connected<td>1" in page
        assert "<td>127.0.0.1<td><td>2<td>0" in page
        assert "nowhere&lt;b&gt;" in page
        assert "<b>" not in page


@pytest.mark.parametrize("path", ["/status", "/status?format=json", "/metrics"])
def test_others_see_no_names_beside_an_administrator(administered: Server, types: CIOC, path: str) -> None:
    with administered.client() as client:
        client.send(action="connect", pv=f"{types.prefix}ao")
        client.wait(msg_type="monitor")
        body = get_from(administered, "127.0.0.2", path)
    assert b"sessions" in body
    for name in (types.prefix.encode(), b"127.0.0.", b'"peers"', b'"pvs"'):
        assert name not in body


def test_metrics_name_nobody_to_anybody(administered: Server, types: CIOC) -> None:
    with administered.client() as client:
        client.send(action="connect", pv=f"{types.prefix}ao")
        client.wait(msg_type="monitor")
        body = fetch(administered, "/metrics").body
    assert types.prefix.encode() not in body
    assert b"127.0.0.1" not in body


def test_totals_count_what_happens(server: Server, types: CIOC) -> None:
    wait_for_totals(server, sessions=0, channels=OFFERED_ONLY)
    before = totals(server)
    with server.client() as client:
        client.send(action="connect", pv=f"{types.prefix}ao")
        client.wait(msg_type="monitor")
        client.send(action="nonsense")
        client.wait(msg_type="error", code="unknown_action")
        during = totals(server)
    assert during["sessions"] == 1
    assert during["sessions_opened"] == before["sessions_opened"] + 1
    assert during["requests"] == before["requests"] + 2
    assert during["updates_out"] == before["updates_out"] + 1
    assert during["updates_in"] == before["updates_in"] + 1
    assert during["bytes_out"] > before["bytes_out"]
    assert during["errors"]["unknown_action"] == before["errors"].get("unknown_action", 0) + 1
    assert during["uptime"] > before["uptime"]
    assert during["started"] == before["started"]
