"""core/groups.py: a value goes to all that want it, in each form once."""

from pycaserver.core.channel import Channel
from tests.core.recorder import Recorder
from tests.fakes import FakeSourceChannel, value


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
