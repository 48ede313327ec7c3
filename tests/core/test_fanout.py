"""core/fanout.py: a batch is put together once for all that are owed the same."""

from typing import Any

import pytest

from pycaserver.core.groups import Update
from pycaserver.core.outbox import Frame
from pycaserver.dialects.readings import MonitorEncoder
from tests.fakes import FakeSourceChannel, Peer, World


def two_peers(world: World) -> tuple[Peer, Peer, FakeSourceChannel, FakeSourceChannel]:
    """Two sessions that subscribe alike to two PVs, both told all that there was to tell."""
    peers = world.peer(), world.peer()
    for peer in peers:
        peer.connects(["A", "B"])
    first, second = world.source["A"], world.source["B"]
    for ioc in (first, second):
        ioc.bring_up(0.0)
    for peer in peers:
        peer.gist()
    return *peers, first, second


def audiences(world: World) -> list[Any]:
    return list(world.pool.fanout._audiences.values())


def test_sessions_that_subscribe_alike_are_one_audience(world: World) -> None:
    _, _, first, second = two_peers(world)
    first.post(1.0)
    second.post(2.0)
    assert len(audiences(world)) == 1


def test_both_get_the_whole_batch_in_order(world: World) -> None:
    one, other, first, second = two_peers(world)
    first.post(1.0)
    second.post(2.0)
    first.post(3.0)
    assert one.gist() == other.gist() == [1.0, 2.0, 3.0]


def test_a_message_does_not_overtake_the_values_before_it(world: World) -> None:
    one, _, first, _ = two_peers(world)
    first.post(1.0)
    first.channel.disconnected()
    assert one.gist() == [1.0, ("connection", False)]


def test_who_comes_in_the_middle_of_a_batch_gets_the_newest_once(world: World) -> None:
    one, _, first, _ = two_peers(world)
    late = world.peer()
    first.post(1.0)
    late.connects("A")
    first.post(2.0)
    assert late.gist() == [("connection", True), 1.0, 2.0]
    assert one.gist() == [1.0, 2.0]


def test_an_audience_that_fails_does_not_take_the_updates_of_others(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, _, first, second = two_peers(world)
    other = world.peer()
    other.connects("B")
    other.gist()
    works, failures = MonitorEncoder.batch, iter([True])

    def fail_once(encoder: MonitorEncoder, updates: list[Update]) -> list[Frame]:
        if next(failures, False):
            raise ValueError("broken")
        return works(encoder, updates)

    monkeypatch.setattr(MonitorEncoder, "batch", fail_once)
    first.post(1.0)
    second.post(2.0)
    world.clock.run()
    assert world.figures.faults == 1 and "updates could not be delivered" in caplog.text
    first.post(3.0)
    second.post(4.0)
    assert other.gist() == [2.0, 4.0]
    assert one.gist() == [2.0, 3.0, 4.0]


def test_who_leaves_in_the_middle_of_a_batch_harms_nobody(world: World) -> None:
    one, other, first, _ = two_peers(world)
    first.post(1.0)
    other.session.ended()
    first.post(2.0)
    assert one.gist() == [1.0, 2.0]


def test_who_is_paused_in_the_middle_of_a_batch_has_what_came_before(world: World) -> None:
    one, other, first, _ = two_peers(world)
    first.post(1.0)
    other.asks("pause")
    first.post(2.0)
    first.post(3.0)
    assert one.gist() == [1.0, 2.0, 3.0]
    assert other.gist() == [1.0]
    other.asks("resume")
    assert other.hears()[-1]["coalesced"] == 1


def test_an_audience_ends_with_its_sessions(world: World) -> None:
    one, other, first, _ = two_peers(world)
    first.post(1.0)
    world.clock.run()
    for peer in (one, other):
        peer.session.ended()
    assert audiences(world) == []


def test_messages_are_counted_for_each_session(world: World) -> None:
    _, _, first, second = two_peers(world)
    before = world.figures.updates_out
    first.post(1.0)
    second.post(2.0)
    world.clock.run()
    assert world.figures.updates_out - before == 4
