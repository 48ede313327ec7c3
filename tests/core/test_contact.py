"""core/contact.py: a PV is searched for, there, lost; who waits to know it."""

from typing import Any

import pytest

from pycaserver.core.channel import Channel
from pycaserver.core.contact import State
from tests.core.recorder import CONNECTED, LOST, NOT_FOUND, Recorder, units
from tests.fakes import DENIED, WALL_START, FakeSourceChannel, World


def test_not_found_after_the_search_time_and_found_later(
    world: World, recorder: Recorder, ioc: FakeSourceChannel, channel: Channel
) -> None:
    world.clock.advance(2.9)
    assert channel.contact.state is State.SEARCHING
    world.clock.advance(0.2)
    assert recorder.heard == [NOT_FOUND]
    assert channel.contact.since is None  # there never was a contact
    assert not ioc.closed  # the search goes on
    ioc.bring_up(1.0)
    assert recorder.heard[1:] == [CONNECTED, "known: ", (1.0, 0)]


def test_a_pv_found_in_time_is_never_told_not_found(world: World, recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    world.clock.advance(60)
    assert recorder.heard == [CONNECTED, "known: "]
    assert world.clock.pending == 0


def test_lost_with_the_time_of_the_last_contact_and_back(
    world: World, recorder: Recorder, ioc: FakeSourceChannel, channel: Channel
) -> None:
    ioc.bring_up(1.0)
    world.clock.advance(7)
    channel.disconnected()
    assert channel.contact.since == WALL_START + 7
    ioc.bring_up(2.0)
    assert channel.contact.since is None
    assert recorder.heard[2:] == [(1.0, 0), LOST, CONNECTED, "known: ", (2.0, 0)]


def test_what_was_never_connected_cannot_be_lost(recorder: Recorder, channel: Channel) -> None:
    channel.disconnected()
    assert recorder.heard == []
    assert channel.contact.state is State.SEARCHING


# -- waiting until it is settled


@pytest.mark.parametrize(
    "settle",
    [
        lambda ioc, clock: ioc.bring_up(),
        lambda ioc, clock: clock.advance(3),
        lambda ioc, clock: ioc.connect(access=DENIED),
    ],
    ids=["known", "not found", "read denied"],
)
def test_who_waits_is_called_once_when_it_is_settled(
    world: World, channel: Channel, ioc: FakeSourceChannel, settle: Any
) -> None:
    calls: list[str] = []
    channel.contact.when_settled(lambda: calls.append("called"))
    take_back = channel.contact.when_settled(lambda: calls.append("taken back"))
    take_back()
    take_back()
    assert calls == []
    settle(ioc, world.clock)
    ioc.channel.disconnected()
    world.clock.advance(10)
    assert calls == ["called"]


def test_a_connected_pv_is_settled_only_with_its_metadata(channel: Channel, ioc: FakeSourceChannel) -> None:
    calls: list[str] = []
    ioc.connect()
    channel.contact.when_settled(lambda: calls.append("called"))
    assert calls == []
    channel.metadata_changed(units(""))
    assert calls == ["called"]


def test_a_pv_is_settled_when_it_is_known_or_known_to_be_out_of_reach(
    world: World, channel: Channel, ioc: FakeSourceChannel
) -> None:
    seen = [channel.settled]
    for happens in (
        lambda: world.clock.advance(3), ioc.connect, lambda: channel.metadata_changed(units("")), channel.disconnected,
    ):  # fmt: skip
        happens()
        seen.append(channel.settled)
    assert seen == [False, True, False, True, True]
