"""core/channel.py, seen through a recorder in the place of a subscription."""

from pycaserver.core.channel import Channel
from pycaserver.core.values import Access, DbrType, Metadata
from tests.core.recorder import CONNECTED, LOST, READ_DENIED, Recorder, units
from tests.fakes import DENIED, READ_WRITE, WALL_START, FakeSourceChannel, World


def test_the_order_of_a_new_connection(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(5.0, units="mm")
    assert recorder.heard == [CONNECTED, "known: mm", (5.0, 0)]


def test_the_monitor_starts_with_the_first_subscription(channel: Channel, ioc: FakeSourceChannel) -> None:
    assert ioc.monitors == 0
    Recorder(channel)
    assert ioc.monitors > 0


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


# -- metadata and access rights


def test_changed_metadata_is_told_and_unchanged_is_not(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(units="mm")
    ioc.channel.metadata_changed(units("mm"))
    assert recorder.heard == [CONNECTED, "known: mm"]
    ioc.channel.metadata_changed(units("m"))
    assert recorder.heard[2:] == ["changed: m"]


def test_write_access_is_told_when_it_changes(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    ioc.channel.access_changed(READ_WRITE)
    assert recorder.heard == [CONNECTED, "known: "]
    ioc.channel.access_changed(Access(read=True, write=False))
    assert recorder.heard[2:] == [Access(read=True, write=False)]


def test_access_is_not_told_of_a_pv_that_is_not_connected(recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.channel.access_changed(READ_WRITE)
    assert recorder.heard == []


def test_a_pv_that_may_not_be_read_is_disconnected(world: World, recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.connect(access=DENIED)
    world.clock.advance(10)
    assert recorder.heard == [READ_DENIED]


def test_read_access_lost_and_regained(recorder: Recorder, ioc: FakeSourceChannel, channel: Channel) -> None:
    ioc.bring_up(1.0, units="mm")
    channel.access_changed(DENIED)
    assert channel.contact.since == WALL_START
    channel.access_changed(READ_WRITE)
    ioc.post(2.0)  # the IOC posts value and metadata anew
    channel.metadata_changed(units("mm"))
    assert recorder.heard[2:] == [(1.0, 0), READ_DENIED, CONNECTED, "known: mm", (2.0, 0)]


def test_no_value_comes_after_read_access_is_lost(world: World, recorder: Recorder, ioc: FakeSourceChannel) -> None:
    ioc.connect()
    ioc.post(1.0)  # waits for metadata
    ioc.channel.access_changed(DENIED)
    world.clock.advance(10)
    assert recorder.heard == [CONNECTED, READ_DENIED]


def test_what_comes_before_the_news_of_regained_access_waits_for_it(
    world: World, recorder: Recorder, ioc: FakeSourceChannel, channel: Channel
) -> None:
    ioc.bring_up(1.0, units="mm")
    channel.access_changed(DENIED)
    ioc.post(2.0, 3.0)
    channel.metadata_changed(units("m"))
    assert recorder.heard[-1] == READ_DENIED
    channel.access_changed(READ_WRITE)
    world.clock.advance(10)
    assert recorder.heard[-3:] == [CONNECTED, "known: m", (3.0, 1)]


def test_no_stale_value_is_kept_for_latecomers(ioc: FakeSourceChannel, channel: Channel) -> None:
    ioc.bring_up(1.0)
    channel.access_changed(DENIED)
    channel.access_changed(READ_WRITE)
    assert channel.latest is None


def test_a_pv_denied_and_then_lost(recorder: Recorder, ioc: FakeSourceChannel, channel: Channel) -> None:
    ioc.connect(access=DENIED)
    channel.disconnected()
    ioc.bring_up(1.0)
    assert recorder.heard == [READ_DENIED, LOST, CONNECTED, "known: ", (1.0, 0)]


def test_metadata_of_a_pv_that_may_not_be_read_is_not_told_yet(
    recorder: Recorder, ioc: FakeSourceChannel, channel: Channel
) -> None:
    ioc.bring_up(units="mm")
    channel.access_changed(DENIED)
    channel.metadata_changed(units("m"))
    channel.metadata_changed(units("km"))
    assert recorder.heard[-1] == READ_DENIED
    channel.access_changed(READ_WRITE)
    assert recorder.heard[-2:] == [CONNECTED, "known: km"]
