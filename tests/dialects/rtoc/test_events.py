"""The list of events."""

import pytest

from pycaserver.core.messages import Event
from pycaserver.dialects.rtoc.events import MOST, EventLog, told


def test_the_list_is_bounded_and_numbers_go_on() -> None:
    log = EventLog()
    for _ in range(MOST + 5):
        log.add("x", "D", "S", "PV", 1.0)
    kept = [event.number for event in log]
    assert (len(kept), kept[0], kept[-1]) == (MOST, 5, MOST + 4)


def test_events_of_the_same_text_and_signal_have_the_same_id() -> None:
    log = EventLog()
    first, second, third = (log.add(text, "D", "S", "PV", 1.0) for text in ("x", "x", "y"))
    assert first.id == second.id != third.id
    assert log.add("x", "D", "S", "PV", 1.0, id="own").id == "own"


def test_events_can_be_removed() -> None:
    log = EventLog()
    log.add("x", "D", "S", "PV", 1.0)
    log.add("y", "D", "S", "PV", 1.0)
    assert log.remove([0, 7]) == 1
    assert [event.text for event in log] == ["y"]


@pytest.mark.parametrize(("severity", "priority"), [("NO_ALARM", 0), ("MINOR", 1), ("MAJOR", 2), ("INVALID", 2)])
def test_priorities_of_severities(severity: str, priority: int) -> None:
    event = Event(id=1, time=1.0, pvname="PV", kind="alarm", severity=severity, status="HIHI")  # type: ignore[arg-type]
    assert told(event)[1] == priority


def test_priorities_of_connections() -> None:
    gone = Event(id=1, time=1.0, pvname="PV", kind="connection", conn=False, reason="lost")
    back = Event(id=2, time=1.0, pvname="PV", kind="connection", conn=True)
    assert (told(gone), told(back)) == (("disconnected: lost", 2), ("connected", 0))
