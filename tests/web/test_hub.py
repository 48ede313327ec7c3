"""The hub with peers that only note what it does to them, on a clock that moves when told."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from pycaserver.core.errors import GOING_AWAY, NO_PONG, TOO_SLOW, CloseCode
from pycaserver.core.figures import Figures
from pycaserver.web.hub import Hub
from tests.fakes import FakeClock


@dataclass
class Limits:
    sessions: int = 3
    sessions_per_address: int = 2
    ping_seconds: float = 20
    slow_after_seconds: float = 10


@dataclass
class FakeWriter:
    stalled: float = 0.0

    def stalled_for(self, now: float) -> float:
        return self.stalled


@dataclass(eq=False)
class FakePeer:
    address: str = "10.0.0.1"
    answers: bool = True
    """Whether an answer to a ping is to be expected."""
    writer: Any = field(default_factory=FakeWriter)
    last_heard: float = 0.0
    last_ping: float = 0.0
    pings: int = 0
    closed: list[CloseCode] = field(default_factory=list)

    def ping(self) -> bool:
        self.pings += 1
        return self.answers

    def close(self, code: CloseCode) -> None:
        self.closed.append(code)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hub(clock: FakeClock) -> Hub:
    hub = Hub(Limits(), clock, Figures())
    hub.start()
    return hub


def test_room_is_counted_per_address_and_in_all(hub: Hub) -> None:
    peers = [FakePeer("10.0.0.1"), FakePeer("10.0.0.1"), FakePeer("10.0.0.2")]
    hub.add(peers[0])
    assert hub.has_room("10.0.0.1")
    hub.add(peers[1])
    assert not hub.has_room("10.0.0.1")
    assert hub.has_room("10.0.0.2")
    hub.add(peers[2])
    assert not hub.has_room("10.0.0.3")
    hub.remove(peers[0])
    assert hub.has_room("10.0.0.1")
    assert len(hub) == 2


def test_peer_that_was_never_added_or_is_gone_is_removed_without_harm(hub: Hub) -> None:
    peer, stranger = FakePeer(), FakePeer()
    hub.add(peer)
    for gone in (stranger, peer, peer):
        hub.remove(gone)
    assert len(hub) == 0
    hub.add(FakePeer())
    hub.add(FakePeer())
    assert not hub.has_room(peer.address)


def test_peer_that_answers_is_pinged_for_ever(hub: Hub, clock: FakeClock) -> None:
    peer = FakePeer()
    hub.add(peer)
    for _ in range(10):
        clock.advance(20)
        assert peer.last_ping == clock.now
        peer.last_heard = clock.now
    assert (peer.pings, peer.closed) == (10, [])


def test_no_ping_comes_before_its_time(hub: Hub, clock: FakeClock) -> None:
    clock.advance(100.5)
    peer = FakePeer()
    hub.add(peer)
    clock.advance(19)
    assert peer.pings == 0
    clock.advance(1.5)
    assert peer.pings == 1


def test_peer_without_a_pong_is_closed_a_ping_interval_later(hub: Hub, clock: FakeClock) -> None:
    peer = FakePeer()
    hub.add(peer)
    clock.advance(39)
    assert (peer.pings, peer.closed) == (1, [])
    clock.advance(1)
    assert (peer.pings, peer.closed[0]) == (1, NO_PONG)


def test_peer_that_cannot_answer_is_only_pinged(hub: Hub, clock: FakeClock) -> None:
    peer = FakePeer(answers=False)
    hub.add(peer)
    clock.advance(100)
    assert (peer.pings, peer.closed) == (5, [])


def test_peer_without_progress_is_closed_as_too_slow(hub: Hub, clock: FakeClock) -> None:
    slow, healthy = FakePeer(), FakePeer()
    hub.add(slow)
    hub.add(healthy)
    slow.writer.stalled = 10.0
    clock.advance(1)
    assert slow.closed == []
    slow.writer.stalled = 10.1
    clock.advance(1)
    assert (slow.closed, healthy.closed) == ([TOO_SLOW], [])


def test_closing_sends_everybody_away_and_lets_nobody_in(hub: Hub) -> None:
    peers = [FakePeer(), FakePeer()]
    for peer in peers:
        hub.add(peer)
    hub.close()
    assert [peer.closed for peer in peers] == [[GOING_AWAY], [GOING_AWAY]]
    assert not hub.has_room("10.0.0.9")
