"""The errors of the native protocol, and the closing of a connection that has too much of something."""

from typing import Any

import numpy as np
import pytest

from pycaserver.core.errors import TOO_MANY_ERRORS, TOO_SLOW
from tests.fakes import DENIED, Peer, World

MISTAKES: list[tuple[str, str, dict[str, Any]]] = [
    ("{", "bad_json", {}),
    ("[]", "bad_request", {}),
    ('{"action": "connect"}', "bad_request", {"action": "connect"}),
    ('{"action": "get", "pv": 5, "id": 1}', "bad_request", {"action": "get", "id": 1}),
    ('{"action": "connect", "pv": "A", "id": "x", "speed": 5}', "bad_request",
     {"action": "connect", "pvname": "A", "id": "x"}),
    ('{"action": "fly", "id": 2}', "unknown_action", {"action": "fly", "id": 2}),
    ('{"action": "connect", "pv": "A "}', "invalid_pv_name", {"action": "connect", "pvname": "A "}),
    ('{"action": "get", "pv": "A\\n", "id": 3}', "invalid_pv_name", {"action": "get", "pvname": "A\n", "id": 3}),
    ('{"action": "info", "pv": "", "id": 4}', "invalid_pv_name", {"action": "info", "pvname": "", "id": 4}),
    ("T:d\0.allowed", "invalid_pv_name", {"action": "connect", "pvname": "T:d\0.allowed"}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "code", "echoed"), MISTAKES)
def test_a_mistake_is_answered_and_the_connection_kept(
    peer: Peer, message: str, code: str, echoed: dict[str, Any]
) -> None:
    peer.says(message)
    (error,) = peer.hears()
    assert error.pop("message")
    assert error == {"msg_type": "error", "code": code, **echoed}
    peer.asks("ping")
    assert peer.gist() == ["pong"]
    assert peer.transport.closed is None


@pytest.mark.parametrize(("key", "given"), [("pv", 5), ("max_rate", -1), ("encoding", "xml"), ("reduce", {"point": 1})])
def test_a_bad_request_names_the_key(peer: Peer, key: str, given: Any) -> None:
    peer.asks("connect", **{"pv": "A", key: given})
    (error,) = peer.hears()
    assert error["code"] == "bad_request"
    assert f"`{key}`" in error["message"]


def test_a_refused_name_gets_the_error_only(world: World, peer: Peer) -> None:
    peer.connects(" A")
    world.clock.advance(60)
    assert peer.gist() == [("error", "invalid_pv_name")]
    peer.asks("list")
    assert peer.hears()[0]["pvs"] == []


def test_too_many_subscriptions(world: World) -> None:
    peer = world.peer(subscriptions_per_session=3)
    peer.connects(["A", "B", "C", "D"], id=1)
    (error,) = peer.hears()
    assert (error["code"], error["pvname"], error["id"]) == ("too_many_subscriptions", "D", 1)
    assert world.source.opened == ["A", "B", "C"]
    peer.connects(["A", "B"])  # those that are there may be asked for again
    peer.asks("disconnect", pv="A")
    peer.connects("D")
    assert peer.hears() == []


def test_reads_that_wait_count_as_subscriptions(world: World) -> None:
    peer = world.peer(subscriptions_per_session=2)
    peer.connects("A")
    peer.asks("get", pv=["B", "C"])
    assert peer.gist() == [("error", "too_many_subscriptions")]
    world.clock.advance(3)
    peer.hears()
    peer.asks("get", pv="C")
    assert peer.gist() == []


READS: dict[str, tuple[str, Any]] = {
    "never found": ("not_found", lambda world: world.clock.advance(3)),
    "lost": ("not_connected", lambda world: (world.source["PV"].bring_up(), world.source["PV"].channel.disconnected())),
    "denied": ("read_denied", lambda world: world.source["PV"].connect(access=DENIED)),
    "silent": ("get_timeout", lambda world: (world.source["PV"].bring_up(), world.clock.advance(5))),
}


@pytest.mark.parametrize("case", READS)
def test_why_a_read_failed(world: World, peer: Peer, case: str) -> None:
    code, happens = READS[case]
    world.channel()
    if code == "not_connected":
        happens(world)
    peer.asks("get", pv="PV", id=1)
    if code != "not_connected":
        happens(world)
    (error,) = peer.hears()
    assert (error["code"], error["action"], error["pvname"], error["id"]) == (code, "get", "PV", 1)


def test_repeated_errors_beyond_the_budget_close_with_4002(world: World) -> None:
    peer = world.peer(errors_per_second=20)
    for _ in range(100):
        peer.asks("fly")
    assert peer.transport.closed is None
    peer.asks("fly")
    assert peer.transport.closed is TOO_MANY_ERRORS
    assert len(peer.hears()) == 101  # each was answered


def test_a_session_that_lets_messages_pile_up_is_closed_with_4001(peer: Peer) -> None:
    peer.transport.reading = False
    requests = 0
    while peer.transport.closed is None:
        peer.asks("list", id="x" * 10_000)
        requests += 1
        assert requests < 1000
    assert peer.transport.closed is TOO_SLOW
    assert peer.transport.unsent <= 8 * 262144 + 262144 // 4 + 20_000


def test_values_alone_never_close_a_session_that_does_not_read(world: World, peer: Peer) -> None:
    peer.connects("PV")
    world.source["PV"].bring_up(count=1000)
    peer.transport.reading = False
    for _ in range(500):
        world.source["PV"].post(np.arange(1000.0))
        world.clock.run()
    assert peer.transport.closed is None
    assert peer.transport.unsent <= 262144 // 4 + 10_000
    peer.reads_all()
    messages = peer.hears()
    assert sum(1 + message.get("coalesced", 0) for message in messages[1:]) == 500


def test_a_waveform_larger_than_every_limit_reaches_a_peer_that_reads(world: World, peer: Peer) -> None:
    peer.connects("PV", encoding="base64")
    world.source["PV"].bring_up(count=300_000)
    world.source["PV"].post(np.arange(300_000.0))
    assert peer.hears()[-1]["count"] == 300_000
    assert peer.transport.closed is None
