"""core/session.py: a peer's requests are executed, its bounds kept, and nothing of it stays."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import Rules
from pycaserver.core.errors import TOO_MANY_ERRORS
from pycaserver.core.piecework import Pieces
from pycaserver.core.request_session import _HANDLERS
from pycaserver.core.requests import REQUESTS
from pycaserver.core.session import AT_ONCE, ERROR_BURST_SECONDS
from pycaserver.dialects.native import NativeDialect
from tests.fakes import Peer, World


def test_every_request_has_its_handler() -> None:
    assert set(_HANDLERS) == set(REQUESTS)


def test_sessions_are_counted(world: World) -> None:
    peers = [world.peer() for _ in range(3)]
    peers[0].session.ended()
    assert (world.figures.sessions, world.figures.sessions_opened) == (2, 3)


def test_requests_and_errors_are_counted(world: World, peer: Peer) -> None:
    peer.asks("ping")
    peer.asks("fly")
    peer.says("PV ")
    assert world.figures.requests == 3
    assert world.figures.errors == {"unknown_action": 1, "invalid_pv_name": 1}


# -- the end


def test_the_end_of_a_session_leaves_nothing_behind(world: World, peer: Peer) -> None:
    peer.connects(["A", "B", "C"], max_rate=0.5)
    for name in "ABC":
        world.source[name].bring_up(1.0)
        world.source[name].post(2.0)
    peer.asks("get", pv=["A", "D"])
    peer.asks("pause")
    peer.session.ended()
    assert not any(channel.reads for channel in world.source.channels.values())
    world.clock.advance(6)
    assert all(channel.closed for channel in world.source.channels.values())
    assert not world.pool.states()
    assert world.clock.pending == 0


def test_a_session_that_ends_in_the_middle_of_a_long_request_is_busy_no_more(world: World) -> None:
    peer = world.peer(subscriptions_per_session=1000)
    peer.session.receive(json.dumps({"action": "get", "pv": [f"PV{number}" for number in range(500)]}).encode())
    assert peer.session.busy
    peer.session.ended()
    world.clock.run()
    assert not peer.session.busy


def test_long_requests_side_by_side_end_with_the_session(world: World) -> None:
    """Of a peer that does not wait until one is done."""
    peer = world.peer(subscriptions_per_session=2000)
    for letter in "ABC":
        names = [f"{letter}{number}" for number in range(500)]
        peer.session.receive(json.dumps({"action": "connect", "pv": names}).encode())
    peer.session.ended()
    world.clock.advance(10)
    assert (peer.session.subscriptions, peer.session.busy) == (0, False)
    assert not world.pool.states()


def test_a_session_is_busy_until_all_its_long_requests_are_done(world: World) -> None:
    peer = world.peer(subscriptions_per_session=2000)
    work = peer.session.services.pool.fanout.piecework
    for letter in "AB":
        names = [f"{letter}{number}" for number in range(200)]
        peer.session.receive(json.dumps({"action": "connect", "pv": names}).encode())
    first, second = work._jobs
    while first in work._jobs:
        work._step(first)
    assert peer.session.busy and second in work._jobs
    world.clock.run()
    assert (peer.session.subscriptions, peer.session.busy) == (400, False)


def test_other_rules_are_taken_piece_by_piece(world: World) -> None:
    peer = world.peer(subscriptions_per_session=1000)
    names = [f"PV{number}" for number in range(2 * AT_ONCE + 1)]
    peer.connects(names)
    work: list[Pieces] = []
    world.access._begin = work.append
    world.access.replace(Rules(default="none"))
    next(work[0])
    assert len(peer.hears()) == AT_ONCE
    peer.asks("disconnect", pv=names.pop(-2))
    list(work[0])
    assert [message["pvname"] for message in peer.hears()] == names[AT_ONCE:]
    assert peer.session.subscriptions == 0


def test_others_go_on_when_one_leaves(world: World, peer: Peer) -> None:
    other = world.peer()
    for each in (peer, other):
        each.connects("PV")
    world.source["PV"].bring_up(1.0)
    peer.session.ended()
    other.hears()
    world.clock.advance(60)
    world.source["PV"].post(2.0)
    assert other.gist() == [2.0]


def test_nothing_is_sent_after_the_end(world: World, peer: Peer) -> None:
    peer.connects("PV")
    peer.asks("get", pv="PV")
    peer.session.ended()
    world.source["PV"].bring_up(1.0)
    world.clock.advance(60)
    assert peer.gist() == []


def test_a_thousand_subscriptions_come_and_go(world: World) -> None:
    peer = world.peer(subscriptions_per_session=1)
    for number in range(1000):
        peer.connects(f"PV{number}")
        peer.asks("disconnect", pv=f"PV{number}")
    world.clock.advance(5.1)
    assert not world.pool.states()
    assert world.clock.pending == 0
    assert peer.gist() == []


# -- budgets


def test_beyond_the_request_budget_a_session_is_read_more_slowly(world: World) -> None:
    peer = world.peer(requests_per_second=10)
    waits = [peer.says('{"action": "ping"}') for _ in range(12)]
    assert waits == [0.0] * 10 + [pytest.approx(0.1), pytest.approx(0.2)]
    assert peer.gist() == ["pong"] * 12  # and nothing is refused


def errors_until_closed(world: World, peer: Peer, message: str | bytes, most: int) -> int:
    for number in range(1, most + 1):
        peer.says(message)
        if peer.transport.closed is not None:
            assert peer.transport.closed is TOO_MANY_ERRORS
            return number
    return 0


@pytest.mark.parametrize(
    "message",
    ["{", "[]", "{}", '{"action": "fly"}', '{"action": "connect"}', " PV", '{"action": "get", "pv": "A "}', b"\xff"],
    ids=ascii,
)
def test_repeated_errors_close_with_4002(world: World, message: str | bytes) -> None:
    peer = world.peer(errors_per_second=20)
    assert errors_until_closed(world, peer, message, 500) == 20 * ERROR_BURST_SECONDS + 1


def test_errors_within_the_budget_do_not_close(world: World) -> None:
    peer = world.peer(errors_per_second=2)
    for _ in range(100):
        world.clock.advance(0.5)
        peer.asks("fly")
    assert peer.transport.closed is None


def test_bad_news_is_no_error_of_the_peer(world: World) -> None:
    peer = world.peer(errors_per_second=1)
    peer.connects("PV")
    world.clock.advance(3)
    for _ in range(100):
        peer.asks("get", pv="PV")
    assert set(peer.gist()) == {("connection", False), ("error", "not_found")}
    assert peer.transport.closed is None


# -- faults


def test_a_fault_of_the_server_is_told_logged_and_counted(
    world: World, peer: Peer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: NativeDialect, data: bytes) -> Any:
        raise ZeroDivisionError("a secret of the server")

    monkeypatch.setattr(NativeDialect, "decode", fail)
    with caplog.at_level(logging.ERROR):
        peer.asks("ping")
    monkeypatch.undo()
    (error,) = peer.hears()
    assert error["code"] == "internal"
    assert "secret" not in error["message"]
    assert "ZeroDivisionError" in caplog.text
    assert world.figures.faults == 1
    peer.asks("ping")
    assert peer.gist() == ["pong"]


@given(st.lists(st.binary(max_size=40) | st.text(max_size=40).map(str.encode), max_size=5))
def test_no_message_whatever_makes_a_fault(messages: list[bytes]) -> None:
    world = World()
    peer = world.peer()
    for message in messages:
        peer.says(message)
    peer.hears()
    peer.asks("ping")
    assert peer.gist() == ["pong"]
    assert world.figures.faults == 0
