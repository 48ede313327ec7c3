"""core/channel.py, seen through a recorder in the place of a subscription."""

from typing import Any

import pytest

from pycaserver.core.channel import METADATA_SECONDS, Channel, State
from pycaserver.core.values import DbrType, Metadata
from tests.core.recorder import CONNECTED, LOST, NOT_FOUND, Recorder, units
from tests.fakes import DENIED, WALL_START, FakeSourceChannel, World, value

# -- connecting and disconnecting


def test_the_order_of_a_new_connection(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(5.0, units="mm")
    assert recorder.heard == [CONNECTED, "known: mm", (5.0, 0)]


def test_the_monitor_starts_with_the_first_subscription(channel: Channel, ioc: FakeSourceChannel) -> None:
    assert ioc.monitors == 0
    Recorder(channel)
    assert ioc.monitors > 0


def test_not_found_after_the_search_time_and_found_later(
    world: World, recorder: Recorder, ioc: FakeSourceChannel, channel: Channel
) -> None:
    world.clock.advance(2.9)
    assert channel.state is State.SEARCHING
    world.clock.advance(0.2)
    assert recorder.heard == [NOT_FOUND]
    assert channel.since is None  # there never was a contact
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
    assert channel.since == WALL_START + 7
    ioc.bring_up(2.0)
    assert channel.since is None
    assert recorder.heard[2:] == [(1.0, 0), LOST, CONNECTED, "known: ", (2.0, 0)]


def test_what_was_never_connected_cannot_be_lost(recorder: Recorder, channel: Channel) -> None:
    channel.disconnected()
    assert recorder.heard == []
    assert channel.state is State.SEARCHING


def test_losing_twice_is_told_once(recorder: Recorder, ioc: FakeSourceChannel, channel: Channel) -> None:
    ioc.bring_up()
    channel.disconnected()
    channel.disconnected()
    assert recorder.heard.count(LOST) == 1
    assert channel._figures.losses == 1


def test_a_new_connection_knows_nothing_of_the_old(ioc: FakeSourceChannel, channel: Channel) -> None:
    ioc.bring_up(5.0, units="mm")
    channel.disconnected()
    ioc.connect(DbrType.LONG, 3)
    assert channel.latest is None
    assert channel.metadata is not None
    assert channel.metadata.same_as(Metadata(DbrType.LONG, 3))
    assert not channel.known


# -- values wait for the metadata


def test_values_wait_for_metadata_and_the_newest_is_kept(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0, 2.0, 3.0)
    assert recorder.heard == [CONNECTED]
    ioc.channel.metadata_changed(units("mm"))
    assert recorder.heard == [CONNECTED, "known: mm", (3.0, 2)]


def test_what_the_source_merged_while_values_waited_counts_too(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.channel.publish(value(1.0), merged=4)
    ioc.channel.publish(value(2.0), merged=1)
    ioc.channel.metadata_changed(units(""))
    assert recorder.heard[-1] == (2.0, 6)


def test_values_wait_no_longer_than_two_seconds(world: World, recorder: Recorder, ioc: FakeSourceChannel) -> None:
    assert METADATA_SECONDS == 2.0
    ioc.connect()
    ioc.post(1.0, 2.0)
    world.clock.advance(1.9)
    assert recorder.heard == [CONNECTED]
    world.clock.advance(0.2)
    assert recorder.heard == [CONNECTED, "known: ", (2.0, 1)]
    ioc.channel.metadata_changed(units("mm"))  # late
    ioc.post(3.0)
    assert recorder.heard[3:] == ["changed: mm", (3.0, 0)]


def test_a_value_that_waited_is_counted_once(world: World, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0, 2.0)
    ioc.channel.metadata_changed(units(""))
    assert world.figures.updates_in == 2


def test_no_value_waits_beyond_its_connection(world: World, recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0)
    ioc.channel.disconnected()
    world.clock.advance(10)
    assert recorder.heard == [CONNECTED, LOST]
    assert world.clock.pending == 0
    ioc.bring_up()
    assert recorder.heard[2:] == [CONNECTED, "known: "]


# -- fan-out


def test_a_value_is_encoded_once_for_all_of_a_kind(channel: Channel, ioc: FakeSourceChannel) -> None:
    alike = [Recorder(channel) for _ in range(3)]
    other = Recorder(channel, "other kind")
    ioc.bring_up(1.0)
    assert [recorder.heard[-1] for recorder in (*alike, other)] == [(1.0, 0)] * 4
    assert sum(recorder.encoded for recorder in alike) == 1
    assert other.encoded == 1


def test_who_wants_fewer_is_asked(channel: Channel, ioc: FakeSourceChannel) -> None:
    selective, healthy = Recorder(channel, plain=False), Recorder(channel)
    ioc.bring_up()
    channel.publish(value(1.0), merged=3)
    assert selective.heard[-1] == ("owed", 1.0, 3)
    assert healthy.heard[-1] == (1.0, 3)


def test_who_is_behind_is_owed_all_of_a_batch_at_once(channel: Channel, ioc: FakeSourceChannel) -> None:
    behind, healthy = Recorder(channel), Recorder(channel)
    ioc.bring_up()
    behind.outbox.open = False
    channel.publish(value(1.0), merged=3)
    channel.publish(value(2.0))
    assert healthy.heard[-2:] == [(1.0, 3), (2.0, 0)]
    assert behind.heard[-1] == ("owed", 5)


def test_nothing_is_encoded_for_those_who_are_behind(channel: Channel, ioc: FakeSourceChannel) -> None:
    behind = Recorder(channel)
    ioc.bring_up()
    behind.outbox.open = False
    channel.publish(value(1.0))
    assert behind.heard[-1] == ("owed", 1)
    assert behind.encoded == 0


def test_nothing_is_encoded_for_nobody(channel: Channel, ioc: FakeSourceChannel, recorder: Recorder) -> None:
    channel.unsubscribe(recorder, "kind")
    ioc.bring_up(1.0)
    assert recorder.heard == []
    assert recorder.encoded == 0
    assert channel.latest is not None  # for who comes within the linger


def test_subscribers_are_counted(channel: Channel) -> None:
    recorders = [Recorder(channel, key) for key in ("a", "a", "b")]
    assert channel.subscribers == 3
    channel.unsubscribe(recorders[0], "a")
    assert channel.subscribers == 2


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
    channel.when_settled(lambda: calls.append("called"))
    take_back = channel.when_settled(lambda: calls.append("taken back"))
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
    channel.when_settled(lambda: calls.append("called"))
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
