"""The hub with peers that only note what it does to them, on a clock that moves when told."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from pycaserver.core.errors import CREDENTIALS_EXPIRED, GOING_AWAY, NO_PONG, TOO_SLOW, TRY_LATER, CloseCode
from pycaserver.core.figures import Figures
from pycaserver.core.identity import Identity
from pycaserver.web.hub import MOST_LINGERING, Hub
from tests.fakes import FakeClock


@dataclass
class Limits:
    sessions: int = 3
    sessions_per_address: int = 2
    sessions_per_user: int = 1
    ping_seconds: float = 20
    slow_after_seconds: float = 10


@dataclass
class FakeAdmission:
    is_over: bool = False


@dataclass(eq=False)
class FakePeer:
    address: str = "10.0.0.1"
    answers: bool = True
    """Whether an answer to a ping is to be expected."""
    stalled: float = 0.0
    admission: Any = field(default_factory=FakeAdmission)
    last_heard: float = 0.0
    last_ping: float = 0.0
    session: Any = None
    pings: int = 0
    closed: list[CloseCode] = field(default_factory=list)

    def stalled_for(self, now: float) -> float:
        return self.stalled

    def ping(self) -> bool:
        self.pings += 1
        return self.answers

    def close(self, code: CloseCode) -> None:
        self.closed.append(code)


def session_of(user: str) -> Any:
    return SimpleNamespace(identity=Identity(user=user))


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


def test_one_ipv6_network_counts_as_one_address(hub: Hub) -> None:
    peers = [FakePeer("2001:db8::1"), FakePeer("2001:db8::2")]
    for peer in peers:
        hub.add(peer)
    assert not hub.has_room("2001:db8::3")
    assert hub.has_room("2001:db8:0:1::3")
    hub.remove(peers[0])
    assert hub.has_room("2001:db8::3")


def test_room_is_counted_per_user(hub: Hub) -> None:
    anna = FakePeer("10.0.0.1", session=session_of("anna"))
    hub.add(anna)
    assert not hub.has_room("10.0.0.2", "anna")
    assert hub.has_room("10.0.0.2", "ben")
    assert hub.has_room("10.0.0.2")
    hub.remove(anna)
    assert hub.has_room("10.0.0.2", "anna")


def test_peers_that_became_one_user_too_often_are_sent_away_newest_first(hub: Hub, clock: FakeClock) -> None:
    peers = [FakePeer("10.0.0.1"), FakePeer("10.0.0.2"), FakePeer("10.0.0.3", session=session_of("ben"))]
    for peer in peers:
        hub.add(peer)
    peers[1].session = session_of("anna")
    clock.advance(1)
    peers[0].session = session_of("anna")
    clock.advance(1)
    assert [peer.closed for peer in peers] == [[], [TRY_LATER], []]


def test_peer_that_was_never_added_or_is_gone_is_removed_without_harm(hub: Hub) -> None:
    peer, stranger = FakePeer(), FakePeer()
    hub.add(peer)
    for gone in (stranger, peer, peer):
        hub.remove(gone)
    assert len(hub) == 0
    hub.add(FakePeer())
    hub.add(FakePeer())
    assert not hub.has_room(peer.address)


def test_peer_whose_identity_has_expired_is_sent_away_within_a_second(hub: Hub, clock: FakeClock) -> None:
    expired, valid = FakePeer(), FakePeer()
    for peer in (expired, valid):
        hub.add(peer)
    expired.admission.is_over = True
    clock.advance(1)
    assert (expired.closed, valid.closed) == ([CREDENTIALS_EXPIRED], [])


def test_peers_whose_identity_is_withdrawn_are_sent_away_at_once(hub: Hub) -> None:
    withdrawn, valid = FakePeer(), FakePeer()
    for peer in (withdrawn, valid):
        hub.add(peer)
    withdrawn.admission.is_over = True
    hub.review()
    assert (withdrawn.closed, valid.closed) == ([CREDENTIALS_EXPIRED], [])


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
    slow.stalled = 10.0
    clock.advance(1)
    assert slow.closed == []
    slow.stalled = 10.1
    clock.advance(1)
    assert (slow.closed, healthy.closed) == ([TOO_SLOW], [])


def test_one_that_cannot_be_looked_after_does_not_keep_the_hub_from_its_rounds(hub: Hub, clock: FakeClock) -> None:
    class Broken(FakePeer):
        def ping(self) -> bool:
            raise ValueError("no ping")

    hub.add(Broken())
    with pytest.raises(ValueError, match="no ping"):
        clock.advance(20)
    hub.remove(next(iter(hub)))  # type: ignore[arg-type]
    healthy = FakePeer()
    hub.add(healthy)
    clock.advance(21)
    assert healthy.pings == 1


def test_only_so_many_without_a_session_may_stay(hub: Hub) -> None:
    peers = [object() for _ in range(MOST_LINGERING + 1)]
    assert [hub.linger(peer) for peer in peers] == [True] * MOST_LINGERING + [False]
    assert hub.linger(peers[0]), "it stays already"
    hub.gone(peers[0])
    assert hub.linger(peers[-1])


def test_closing_sends_everybody_away_and_lets_nobody_in(hub: Hub) -> None:
    peers = [FakePeer(), FakePeer()]
    for peer in peers:
        hub.add(peer)
    hub.close()
    assert [peer.closed for peer in peers] == [[GOING_AWAY], [GOING_AWAY]]
    assert not hub.has_room("10.0.0.9")
