"""core/encoder.py: what an encoder does that knows no quicker way."""

from pycaserver.core.channel import Channel
from tests.core.recorder import Encoder, Recorder
from tests.fakes import World, value


def test_each_value_of_a_batch_is_encoded_by_its_own_group(world: World, channel: Channel) -> None:
    first, second = Recorder(channel, "one"), Recorder(world.channel("OTHER"), "another")
    updates = [(group, value(number), 2) for number, recorder in enumerate((first, second, first))
               for group in recorder._channel.groups]  # fmt: skip
    assert Encoder(first).batch(updates) == [(0, 2), (1, 2), (2, 2)]
    assert (first.encoded, second.encoded) == (2, 1)


def test_nothing_has_to_be_prepared(recorder: Recorder) -> None:
    encoder = Encoder(recorder)
    assert encoder.prepare(recorder._channel, value(1.0)) is None
    encoder.release()
    assert encoder(recorder._channel, value(1.0), 0) == (1.0, 0)
