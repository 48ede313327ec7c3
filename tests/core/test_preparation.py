"""Large values are encoded ahead, piece by piece, and nothing about their PV overtakes them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from pycaserver.core import preparation, values
from pycaserver.core.access import Rules
from pycaserver.core.values import Data, DbrType, Metadata
from pycaserver.dialects import encoding, readings
from tests.core.test_delivery import SIZES, Delivery, Hearer, pvs
from tests.fakes import FakeClock, FakeSourceChannel, Peer, World

LARGE = 4000
PIECE = 1000


@pytest.fixture(autouse=True)
def small_things_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (values, readings):
        monkeypatch.setattr(module, "LARGE", LARGE)
    monkeypatch.setattr(encoding, "JSON_PIECE", PIECE)


class Turns(FakeClock):
    """What is to be done soon is done one by one, when the test says so; each piece takes long."""

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            if self._soon:
                self._soon.popleft()()


def work_by_hand(world: World) -> Turns:
    """Have the large values of this world encoded turn by turn."""
    turns = Turns()
    world.pool.fanout.piecework._clock = turns
    return turns


def large(first: float, count: int = LARGE) -> np.ndarray[Any, Any]:
    array = np.zeros(count)
    array[0] = first
    return array


def firsts(peer: Peer) -> list[Any]:
    """What it hears in short: the first elements of arrays and how many they stand for, or the kind of message."""
    return [
        (message["value"][0], message.get("coalesced", 0)) if message["msg_type"] == "monitor" else message["msg_type"]
        for message in peer.hears()
    ]


@pytest.fixture
def turns(world: World) -> Turns:
    return work_by_hand(world)


@pytest.fixture
def peer(world: World) -> Iterator[Peer]:
    """Connected to PV, an array that is up."""
    peer = world.peer(backlog_bytes=4_000_000)
    peer.connects("PV")
    world.source["PV"].bring_up(count=LARGE)
    assert firsts(peer) == ["connection"]
    yield peer


@pytest.fixture
def ioc(world: World, peer: Peer) -> FakeSourceChannel:
    return world.source["PV"]


PIECES = LARGE // PIECE + 1
"""Turns that one value takes."""


def test_a_large_value_is_sent_once_all_its_pieces_are_done(turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.post(large(1.5))
    for _ in range(PIECES - 1):
        turns.turn()
        assert peer.hears() == []
    turns.turn()
    (message,) = peer.hears()
    assert message["value"] == large(1.5).tolist()
    assert (message["count"], message["pvname"], "coalesced" in message) == (LARGE, "PV", False)


def test_of_what_comes_meanwhile_the_newest_is_next(turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.post(large(1))
    ioc.post(large(2))
    ioc.post(large(3))
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0)]
    turns.turn(PIECES)
    assert firsts(peer) == [(3, 1)]


def test_a_small_value_does_not_overtake(turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.post(large(1))
    ioc.post(large(2, 3))
    assert peer.hears() == []
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0), (2, 0)]


EVENTS: dict[str, Callable[[FakeSourceChannel], object]] = {
    "connection": lambda ioc: ioc.channel.disconnected(),
    "metadata": lambda ioc: ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, LARGE, units="mm")),
    "access": lambda ioc: ioc.channel.access_changed(values.Access(read=True, write=False)),
}


@pytest.mark.parametrize("event", EVENTS)
def test_no_message_overtakes(turns: Turns, world: World, event: str) -> None:
    peer = world.peer(backlog_bytes=4_000_000)
    peer.connects("PV", metadata=True)
    ioc = world.source["PV"]
    ioc.bring_up(count=LARGE)
    peer.hears()
    ioc.post(large(1))
    ioc.post(large(2))
    EVENTS[event](ioc)
    ioc.post(large(3))
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0)]
    turns.turn(PIECES)
    assert firsts(peer) == [(2, 0), event]


def test_what_is_owed_is_encoded_before_a_message_that_must_not_overtake_it(
    turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    peer.asks("pause")
    ioc.post(large(1))
    ioc.channel.disconnected()
    turns.turn(PIECES - 1)
    assert peer.hears() == []
    turns.turn()
    assert firsts(peer) == [(1, 0), "connection"]


def test_other_pvs_go_on_meanwhile(world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    peer.connects("OTHER")
    world.source["OTHER"].bring_up(1.0)
    peer.hears()
    ioc.post(large(1))
    world.source["OTHER"].post(2.0)
    assert [message["value"] for message in peer.hears()] == [2.0]
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0)]


def test_those_with_the_same_form_share_the_work(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    other = world.peer(backlog_bytes=4_000_000)
    other.connects("PV")
    other.hears()
    ioc.post(large(1))
    turns.turn(PIECES)
    assert firsts(peer) == firsts(other) == [(1, 0)]
    assert not turns._soon


def test_who_leaves_meanwhile_holds_nobody_up(world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    other = world.peer(backlog_bytes=4_000_000)
    other.connects("PV")
    other.hears()
    ioc.post(large(1))
    peer.asks("disconnect", pv="PV")
    other.session.ended()
    turns.turn(PIECES)
    assert peer.hears() == []
    peer.connects("PV")
    turns.turn(PIECES)
    assert firsts(peer) == ["connection", (1, 0)]


def test_the_channel_may_close_meanwhile(world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    ioc.post(large(1))
    ioc.channel.disconnected()
    peer.asks("disconnect", pv="PV")
    world.clock.advance(world.linger_seconds)
    assert ioc.closed
    turns.turn(PIECES)
    assert peer.hears() == []


def test_binary_needs_no_preparation(world: World, turns: Turns) -> None:
    peer = world.peer(backlog_bytes=4_000_000)
    peer.connects("PV", encoding="binary")
    world.source["PV"].bring_up(count=LARGE)
    world.source["PV"].post(large(1), large(2))
    assert len(peer.hears()) == 3
    assert not turns._soon


def test_what_is_prepared_is_kept_for_those_without_room_and_no_longer(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    slow = world.peer(backlog_bytes=4_000)
    slow.connects("PV")
    slow.hears()
    slow.transport.reading = False
    ioc.post(large(1))
    turns.turn(PIECES)
    ioc.post(large(2))
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0), (2, 0)]
    (group,) = ioc.channel.groups
    slow.reads_all()
    turns.turn(PIECES)
    slow.reads_all()
    assert firsts(slow) == [(1, 0), (2, 0)]
    assert group.encode._prepared is None  # type: ignore[attr-defined]


def test_who_leaves_takes_along_what_was_kept_for_them(turns: Turns, peer: Peer, ioc: FakeSourceChannel) -> None:
    """Otherwise each peer that is too slow and goes would cost the text of an array."""
    peer.asks("pause")
    ioc.post(large(1))
    ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, LARGE))  # so that what is owed is encoded
    turns.turn(PIECES)
    (group,) = ioc.channel.groups
    peer.session.ended()
    assert ioc.channel.preparation is not None and ioc.channel.preparation._kept == {}
    assert group.encode._prepared is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", [{}, {"max_count": LARGE}])
def test_being_asked_again_is_answered_before_a_value_that_would_take_long(
    turns: Turns, peer: Peer, ioc: FakeSourceChannel, options: dict[str, Any]
) -> None:
    peer.asks("pause")
    ioc.post(large(1))
    ioc.post(large(2))
    peer.connects("PV", **options)
    assert firsts(peer) == ["connection"]
    assert not turns._soon, "nothing is encoded while it is paused"
    peer.asks("resume")
    turns.turn(PIECES)
    assert firsts(peer) == [(2, 1)]


def test_changed_rules_have_nobody_wait(world: World, turns: Turns) -> None:
    peer = world.peer(backlog_bytes=4_000_000)
    peer.connects("PV", metadata=True)
    world.source["PV"].bring_up(large(1), count=LARGE)
    turns.turn(PIECES)
    peer.asks("pause")
    world.source["PV"].post(large(2))
    peer.hears()
    world.access.replace(Rules(default="read"))
    assert firsts(peer) == ["access"]
    assert not turns._soon


def test_work_that_nobody_wants_any_more_is_left_out(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.post(large(1))
    turns.turn(PIECES)
    for number in range(100):
        peer.connects("PV", max_count=LARGE + number)
    peer.hears()
    turns.turn(100 + PIECES)
    assert firsts(peer) == [(1, 0)]
    assert not turns._soon


@pytest.mark.parametrize("news", ["value", "connection"])
def test_nobody_can_have_the_channel_stand_still_for_good(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel, news: str
) -> None:
    """Two who ask for another form again and again, each before what they asked for is encoded."""
    restless = [world.peer(backlog_bytes=4_000_000) for _ in range(2)]
    ioc.post(large(1))
    turns.turn(PIECES)
    peer.hears()
    restless[0].connects("PV", max_count=LARGE)
    ioc.post(large(2)) if news == "value" else ioc.channel.disconnected()
    heard = []
    for number in range(20):
        restless[number % 2].connects("PV", max_count=LARGE + number)
        turns.turn(PIECES - 1)
        heard += firsts(peer)
    assert heard == [(2, 0) if news == "value" else "connection"]
    turns.turn(100)
    for each in restless:
        assert firsts(each)[-1] in [(2, 0), (2, 1), "connection"]


def test_who_comes_late_gets_a_small_value_in_the_place_of_the_large_one(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    late = world.peer(backlog_bytes=4_000_000)
    ioc.post(large(1))
    ioc.post(large(2, 3))
    late.connects("PV", max_count=LARGE)
    turns.turn(PIECES)
    assert firsts(peer) == [(1, 0), (2, 0)]
    assert firsts(late) == ["connection", (2, 0)]
    assert not turns._soon


def test_values_between_other_news_are_bounded(
    turns: Turns, peer: Peer, ioc: FakeSourceChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An IOC that changes a limit with each array must not fill the memory."""
    monkeypatch.setattr(preparation, "MOST_BYTES", 5 * large(0).nbytes)
    count = 100
    for number in range(count):
        ioc.post(large(number))
        ioc.channel.metadata_changed(Metadata(DbrType.DOUBLE, LARGE, units=str(number)))
    turns.turn(20 * PIECES)
    heard = peer.hears()
    assert sum(1 + message.get("coalesced", 0) for message in heard) == count
    assert len(heard) <= 8
    assert all(message["value"][0] == float(message.get("units", "0") or 0) + 1 for message in heard[1:])
    assert heard[-1]["value"][0] == count - 1
    assert ioc.channel.preparation is not None and ioc.channel.preparation._later_bytes == 0


def test_a_value_that_is_being_encoded_is_not_forgotten_when_the_framing_changes(
    turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.post(large(1))
    peer.asks("options", batch=True)
    turns.turn(2 * PIECES)
    assert firsts(peer) == ["options", (1, 0)]
    ioc.post(large(2))
    turns.turn(PIECES)
    assert firsts(peer) == [(2, 0)]


def test_nothing_overtakes_what_waits_behind_news_that_fail(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.post(large(1))
    assert ioc.channel.preparation is not None
    ioc.channel.preparation.delay(lambda: [][1])
    ioc.post(large(2))
    turns.turn(PIECES)
    ioc.post(large(3))
    turns.turn(3 * PIECES)
    assert firsts(peer) == [(1, 0), (2, 0), (3, 0)]
    assert world.figures.faults == 1


def test_news_that_fail_do_not_keep_those_behind_them(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel
) -> None:
    ioc.post(large(1))
    assert ioc.channel.preparation is not None
    ioc.channel.preparation.delay(lambda: [][1])
    ioc.channel.disconnected()
    turns.turn(PIECES + 1)
    assert firsts(peer) == [(1, 0), "connection"]
    assert world.figures.faults == 1 and not turns._soon
    ioc.bring_up(large(2), count=LARGE)
    turns.turn(PIECES)
    assert firsts(peer) == ["connection", (2, 0)]


def test_a_value_that_cannot_be_encoded_is_given_up(
    world: World, turns: Turns, peer: Peer, ioc: FakeSourceChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail again; the next one may do."""
    with monkeypatch.context() as broken:
        broken.setitem(encoding.PIECES, "json", lambda array: [][1])
        ioc.post(large(1))
        turns.turn(PIECES)
        assert not turns._soon and world.figures.faults == 1
    ioc.post(large(2))
    turns.turn(PIECES)
    assert firsts(peer) == [(2, 0)]


class LargeDelivery(Delivery):
    """Nothing is lost, doubled or reordered, however long it takes to encode the values."""

    @initialize()
    def begin(self) -> None:
        self.turns: Turns | None = None
        super().begin()

    def data(self, name: str, number: int) -> Data:
        if self.turns is None:
            self.turns = work_by_hand(self.world)
        return np.array([number] + [0] * (SIZES[name] // 2))

    @rule(turns=st.integers(1, 30))
    def work(self, turns: int) -> None:
        if self.turns:
            self.turns.turn(turns)

    def work_off(self) -> None:
        while self.turns and self.turns._soon:
            self.work(1)

    def subscribe(self, hearer: Hearer, name: str, **options: Any) -> None:
        """Of what is owed all is heard first: the answer to being asked again may overtake it."""
        if hearer is getattr(self, "slow", None) and name in hearer.options:
            self.once_the_peer_reads_and_time_passes_all_is_heard()
        self.work_off()
        super().subscribe(hearer, name, **options)

    @rule(name=pvs)
    def slow_leaves(self, name: str) -> None:
        self.work_off()
        super().slow_leaves(name)

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.work_off()
        super().time_passes(seconds)

    @invariant()
    def the_healthy_peer_has_heard_everything(self) -> None:
        self.healthy.hear()
        if not (self.turns and self.turns._soon):
            assert all(log.all_heard for log in self.healthy.logs.values())

    @rule()
    def once_the_work_is_done_all_is_heard(self) -> None:
        self.work_off()


def test_delivery_of_large_values_against_the_model() -> None:
    phases = (Phase.generate, Phase.shrink)
    limits = settings(max_examples=50, stateful_step_count=40, phases=phases, report_multiple_bugs=False, deadline=None)
    run_state_machine_as_test(LargeDelivery, settings=limits)
