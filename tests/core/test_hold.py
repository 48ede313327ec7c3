"""core/hold.py: values wait for the metadata."""

from pycaserver.core.hold import METADATA_SECONDS
from tests.core.recorder import CONNECTED, LOST, Recorder, units
from tests.fakes import FakeSourceChannel, World, value


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
