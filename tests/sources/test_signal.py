"""sources/signal.py"""

import math

import pytest

from pycaserver.core.channel import Channel
from pycaserver.core.contact import State
from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType, Limits, Metadata, PVValue
from pycaserver.sources.signal import Signal, SignalChannel, alarm_of
from tests.fakes import WALL_START, FakeSourceChannel, World

LIMITED = Metadata(DbrType.DOUBLE, 1, warning=Limits(1, 9), alarm=Limits(math.nan, 10))


def counting(update: float = 1.0) -> Signal:
    return Signal(Metadata(DbrType.INT64, 1), update, lambda n: n)


class Stage:
    """A signal's channel, and the channel that it keeps informed."""

    def __init__(self, signal: Signal) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.channel: Channel = self.world.channel("PV")
        self.closed = 0
        assert isinstance(self.world.source["PV"], FakeSourceChannel)
        self.own = SignalChannel(self.channel, signal, self.clock, "here", self._on_close)
        self.channel._source_channel = self.own

    def _on_close(self) -> None:
        self.closed += 1

    def latest(self) -> PVValue:
        assert self.channel.latest is not None
        return self.channel.latest


def test_it_connects_in_the_next_turn() -> None:
    stage = Stage(counting())
    assert stage.channel.contact.state is State.SEARCHING
    stage.clock.advance(0)
    assert stage.channel.known
    assert (stage.channel.host, stage.channel.access.read, stage.channel.access.write) == ("here", True, False)


def test_it_posts_once_at_each_multiple_of_its_pace() -> None:
    stage = Stage(counting(0.5))
    stage.own.monitor()
    stage.clock.advance(0)
    first = stage.latest()
    assert first.data == int(WALL_START / 0.5)
    stage.clock.advance(0.4)
    assert stage.latest() is first
    stage.clock.advance(10)
    assert stage.latest().data == first.data + 20  # type: ignore[operator]
    assert stage.world.figures.updates_in == 21


def test_the_time_stamp_is_that_of_the_update() -> None:
    stage = Stage(counting(0.1))
    stage.own.monitor()
    stage.clock.advance(0.35)
    assert stage.latest().timestamp == WALL_START + 0.3


def test_nothing_is_posted_before_anybody_monitors() -> None:
    stage = Stage(counting())
    stage.clock.advance(10)
    assert stage.world.figures.updates_in == 0
    stage.own.monitor()
    stage.own.monitor()
    stage.clock.advance(0)
    assert stage.world.figures.updates_in == 1


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    stage = Stage(counting())
    stage.own.monitor()
    stage.clock.advance(2)
    wall = stage.clock.wall
    stage.clock.wall = lambda: wall() - 3600  # type: ignore[method-assign]
    stage.clock.advance(2)
    assert stage.latest().seconds == int(WALL_START) + 4 - 3600


def test_a_read_is_answered_with_the_value_now() -> None:
    stage = Stage(counting())
    stage.clock.advance(5.5)
    answers: list[PVValue | PycaError] = []
    stage.own.get(answers.append)
    (answer,) = answers
    assert isinstance(answer, PVValue)
    assert answer.data == answer.seconds == int(WALL_START) + 5


def test_it_stops_when_it_is_closed() -> None:
    stage = Stage(counting())
    stage.own.monitor()
    stage.clock.advance(1)
    stage.own.close()
    count = stage.world.figures.updates_in
    stage.clock.advance(10)
    assert stage.world.figures.updates_in == count
    assert stage.closed == 1


def test_it_may_be_closed_before_it_connects() -> None:
    stage = Stage(counting())
    stage.own.close()
    stage.clock.advance(1)
    assert stage.channel.contact.state is State.SEARCHING


@pytest.mark.parametrize(
    ("data", "severity", "status"),
    [(5.0, "NO_ALARM", "NO_ALARM"), (1.0, "MINOR", "LOW"), (9, "MINOR", "HIGH"), (10.0, "MAJOR", "HIHI"),
     (-100.0, "MINOR", "LOW"), (math.nan, "NO_ALARM", "NO_ALARM"), ("text", "NO_ALARM", "NO_ALARM")],
)  # fmt: skip
def test_alarms_come_from_the_limits(data: float | str, severity: str, status: str) -> None:
    assert [each.name for each in alarm_of(data, LIMITED)] == [severity, status]


def test_without_limits_there_is_no_alarm() -> None:
    assert alarm_of(5.0, Metadata(DbrType.DOUBLE, 1)) == (0, 0)


def test_a_low_limit_alone() -> None:
    metadata = Metadata(DbrType.DOUBLE, 1, alarm=Limits(0.0, math.nan))
    assert [each.name for each in alarm_of(-1.0, metadata)] == ["MAJOR", "LOLO"]
