"""Large answers, and requests for many PVs."""

import numpy as np
import pytest

from pycaserver.core import answers
from pycaserver.core.session import AT_ONCE
from pycaserver.core.values import LARGE
from tests.fakes import FakeSourceChannel, Peer, World, value

LARGE_VALUE = np.arange(LARGE, dtype=float)
MANY = [f"PV{number}" for number in range(2 * AT_ONCE + 1)]


@pytest.fixture
def peer(world: World) -> Peer:
    return world.peer(backlog_bytes=4_000_000, subscriptions_per_session=len(MANY))


@pytest.fixture
def ioc(world: World, peer: Peer) -> FakeSourceChannel:
    peer.asks("get", pv="PV", id=1)
    world.source["PV"].bring_up(count=LARGE)
    return world.source["PV"]


def test_a_large_answer_is_the_same(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.answer(value(LARGE_VALUE))
    (answer,) = peer.hears()
    assert (answer["msg_type"], answer["id"], answer["count"]) == ("get", 1, LARGE)
    assert answer["value"] == LARGE_VALUE.tolist()


def test_it_counts_as_a_read_until_it_is_given(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.answer(value(LARGE_VALUE))
    assert peer.session.waiting == 1
    peer.hears()
    assert peer.session.waiting == 0


def test_what_waits_is_bounded(peer: Peer, ioc: FakeSourceChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", LARGE_VALUE.nbytes)
    peer.asks("get", pv="PV", id=2)
    ioc.answer(value(LARGE_VALUE))
    ioc.answer(value(LARGE_VALUE))
    error, answer = peer.hears()
    assert (error["code"], error["id"], answer["id"]) == ("rate_limited", 2, 1)


def test_a_peer_that_goes_waits_for_none(peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.answer(value(LARGE_VALUE))
    peer.session.ended()
    assert peer.hears() == []


def test_a_request_for_many_pvs_is_worked_off_in_pieces(world: World, peer: Peer) -> None:
    peer.session.receive(b'{"action":"connect","pv":["%b"]}' % '","'.join(MANY).encode())
    assert peer.session.busy
    assert world.source.opened == []
    world.clock.run()
    assert not peer.session.busy
    assert world.source.opened == MANY
    peer.asks("disconnect", pv=MANY)
    assert peer.session.subscriptions == 0


def test_mistakes_in_it_are_counted(world: World) -> None:
    peer = world.peer(errors_per_second=0.1)
    peer.asks("connect", pv=[f" {name}" for name in MANY])
    assert {message["code"] for message in peer.hears()} == {"invalid_pv_name"}
    peer.asks("connect", pv=" ")
    peer.hears()
    assert peer.transport.closed is not None


def test_a_session_with_many_pvs_leaves_them_in_pieces(world: World, peer: Peer) -> None:
    peer.connects(MANY)
    peer.session.ended()
    world.clock.run()
    assert peer.session.subscriptions == 0
    world.clock.advance(world.linger_seconds)
    assert all(world.source[name].closed for name in MANY)


def test_a_session_may_end_amid_a_request(world: World, peer: Peer) -> None:
    peer.session.receive(b'{"action":"connect","pv":["%b"]}' % '","'.join(MANY).encode())
    peer.session.ended()
    world.clock.run()
    assert peer.session.subscriptions == 0
