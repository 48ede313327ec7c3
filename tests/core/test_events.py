"""events.py: which transitions are events, and how many are kept."""

import math

import pytest

from pycaserver.core.channel import Channel
from pycaserver.core.events import Events
from pycaserver.core.messages import Event
from pycaserver.core.values import DbrType
from tests.fakes import DENIED, READ_WRITE, WALL_START, FakeClock, FakeSourceChannel, World, value


def gist(events: Events) -> list[tuple[str | bool | None, ...]]:
    return [(e.severity, e.status) if e.kind == "alarm" else (e.conn, e.reason) for e in events]


def test_a_change_of_severity_or_status_is_an_event(world: World, channel: Channel, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    for severity, status in ((0, 0), (1, 4), (1, 4), (1, 6), (2, 3), (0, 0)):
        ioc.post(2.5, severity=severity, status=status)
    assert gist(world.pool.events) == [("MINOR", "HIGH"), ("MINOR", "LOW"), ("MAJOR", "HIHI"), ("NO_ALARM", "NO_ALARM")]
    first, *_ = world.pool.events
    assert (first.pvname, first.value, first.time) == ("PV", 2.5, 1_447_799_204.0)


def test_a_first_value_in_alarm_is_an_event(world: World, channel: Channel, ioc: FakeSourceChannel) -> None:
    ioc.bring_up()
    ioc.post(1.0, severity=3, status=17)
    assert gist(world.pool.events) == [("INVALID", "UDF")]


def test_a_connection_is_an_event_once_it_was_lost(world: World, channel: Channel, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    assert gist(world.pool.events) == []
    world.clock.advance(2)
    channel.disconnected()
    world.clock.advance(5)
    ioc.bring_up(1.0)
    assert gist(world.pool.events) == [(False, "lost"), (True, None)]
    assert [event.time - WALL_START for event in world.pool.events] == [2, 7]


def test_a_lost_right_to_read_is_an_event(world: World, channel: Channel, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(1.0)
    channel.access_changed(DENIED)
    channel.access_changed(READ_WRITE)
    assert gist(world.pool.events) == [(False, "read_denied"), (True, None)]


def test_an_alarm_that_lasts_over_a_reconnection_is_no_event(
    world: World, channel: Channel, ioc: FakeSourceChannel
) -> None:
    ioc.bring_up()
    ioc.post(1.0, severity=2, status=3)
    channel.disconnected()
    ioc.bring_up()
    ioc.post(1.0, severity=2, status=3)
    assert gist(world.pool.events) == [("MAJOR", "HIHI"), (False, "lost"), (True, None)]


@pytest.mark.parametrize(
    ("data", "told"), [(math.nan, "NaN"), (3, 3), ("text", "text"), (None, None), (["a", "b"], None)]
)
def test_the_value_of_an_alarm_is_one_that_json_can_say(data: object, told: object) -> None:
    events = Events(FakeClock())
    events.alarm("PV", value(data, severity=1))  # type: ignore[arg-type]
    assert [event.value for event in events] == [told]


def test_arrays_and_strings_have_alarms_too(world: World, channel: Channel, ioc: FakeSourceChannel) -> None:
    ioc.bring_up(type=DbrType.STRING)
    ioc.post("text", severity=1)
    assert gist(world.pool.events) == [("MINOR", "NO_ALARM")]
    assert channel.history.all().size == 0


def full(most: int, count: int) -> Events:
    events = Events(FakeClock(), most)
    for number in range(count):
        events.connection(str(number), None)
    return events


def test_only_the_newest_are_kept() -> None:
    assert [event.pvname for event in full(3, 5)] == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("back", "limit", "expected"),
    [(2, None, "34"), (0, None, ""), (9, None, "234"), (-5, None, ""), (9, 2, "34"), (1, 2, "4"), (9, 0, "")],
)
def test_since_an_id(back: int, limit: int | None, expected: str) -> None:
    events = full(3, 5)
    assert "".join(event.pvname for event in events.since(events.last_id - back, limit)) == expected


def test_ids_go_on_rising_after_a_restart() -> None:
    clock = FakeClock()
    before = Events(clock)
    for _ in range(1000):
        before.connection("PV", None)
    clock.advance(1)
    assert before.last_id < Events(clock).last_id < 2**53


def test_watchers_are_told_until_they_go() -> None:
    events, heard = Events(FakeClock()), list[Event]()
    events.watchers[heard.append] = None
    events.connection("A", None)
    del events.watchers[heard.append]
    events.connection("B", None)
    assert [event.pvname for event in heard] == ["A"]
