"""The hand-off from libca's threads to the loop: one wake-up, bounded work, the newest wins when the loop is behind."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from epics import dbr
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.values import DbrType
from pycaserver.sources import monitor
from pycaserver.sources.dbr import TIME
from pycaserver.sources.monitor import ECA_NORMAL, EventArgs, Handoff, compact

from .test_dbr import time_bytes


class Loop:
    """Collects what it is to call."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.faults = 0
        self.pauses = 0
        self.handoff = Handoff(self.calls.append, self._later, self._failed)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        assert delay == monitor.PAUSE_SECONDS
        self.pauses += 1
        self.calls.append(call)

    def _failed(self) -> None:
        self.faults += 1

    def run(self) -> None:
        """Make the calls that are due now."""
        calls, self.calls[:] = list(self.calls), []
        for call in calls:
            call()


def send(handoff: Handoff, key: int, number: float, status: int = ECA_NORMAL) -> None:
    """An event, as libca would call back."""
    raw = time_bytes(DbrType.DOUBLE, [number])
    args = EventArgs(key, 0, TIME + DbrType.DOUBLE, 1, None, status)
    buffer = (monitor.ctypes.c_char * len(raw)).from_buffer_copy(raw)
    args.raw = monitor.ctypes.addressof(buffer)
    handoff.callback(args)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def seen(loop: Loop) -> list[tuple[Any, ...]]:
    """Events that the target with key 1 gets."""
    events: list[tuple[Any, ...]] = []
    loop.handoff.targets[1] = lambda *event: events.append(event)
    return events


def test_the_callback_copies_the_bytes_and_wakes_the_loop_once(loop: Loop, seen: list[tuple[Any, ...]]) -> None:
    for number in range(100):
        send(loop.handoff, 1, number)
    assert len(loop.calls) == 1 and not seen
    loop.run()
    assert [event[3] for event in seen] == [time_bytes(DbrType.DOUBLE, [number]) for number in range(100)]
    while loop.calls:
        loop.run()
    send(loop.handoff, 1, 0.0)
    assert len(loop.calls) == 1


def test_while_much_comes_the_loop_looks_by_itself_and_is_not_woken(loop: Loop, seen: list[tuple[Any, ...]]) -> None:
    for _ in range(monitor.BUSY_EVENTS):
        send(loop.handoff, 1, 0.0)
    loop.run()
    assert loop.pauses == len(loop.calls) == 1
    send(loop.handoff, 1, 0.0)
    assert len(loop.calls) == 1
    loop.run()
    assert len(seen) == monitor.BUSY_EVENTS + 1
    assert loop.pauses == 1 and not loop.calls


def test_an_event_in_the_last_moment_is_not_forgotten(loop: Loop, seen: list[tuple[Any, ...]]) -> None:
    """It came when the loop had looked, but had not yet said that it wants to be woken."""
    queue = loop.handoff._queue

    class Late(type(queue)):  # type: ignore[misc]
        late = 1

        def __bool__(self) -> bool:
            if not len(self) and self.late and not loop.handoff._woken:
                self.late = 0
                send(loop.handoff, 1, 2.0)
            return len(self) > 0

    loop.handoff._queue = Late()
    send(loop.handoff, 1, 1.0)
    while loop.calls:
        loop.run()
    assert len(seen) == 2


def test_an_event_with_a_bad_status_has_no_bytes(loop: Loop, seen: list[tuple[Any, ...]]) -> None:
    send(loop.handoff, 1, 1.0, status=192)
    loop.run()
    assert seen == [(TIME + DbrType.DOUBLE, 1, 192, b"", 0)]


def test_events_and_calls_keep_their_order(loop: Loop) -> None:
    order: list[object] = []
    loop.handoff.targets[1] = lambda *event: order.append("event")
    loop.handoff.post(lambda: order.append("first"))
    send(loop.handoff, 1, 1.0)
    loop.handoff.post(lambda: order.append("last"))
    loop.run()
    assert order == ["first", "event", "last"]


def test_a_target_that_raises_is_logged_and_counted_and_harms_nobody(
    loop: Loop, seen: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*event: object) -> None:
        raise ValueError("broken on purpose")

    loop.handoff.targets[2] = broken
    with caplog.at_level(logging.ERROR):
        for key in (2, 1, 2, 1):
            send(loop.handoff, key, 1.0)
        loop.run()
    assert len(seen) == 2 and loop.faults == 2
    assert "broken on purpose" in caplog.text


def test_events_of_a_key_that_is_gone_are_dropped(loop: Loop) -> None:
    send(loop.handoff, 5, 1.0)
    loop.run()
    assert not loop.calls and not loop.faults


def test_the_loop_is_given_back_after_a_bounded_time(
    loop: Loop, seen: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "DRAIN_SECONDS", 0.0)
    for number in range(40):
        send(loop.handoff, 1, number)
    rounds = 0
    while loop.calls:
        loop.run()
        rounds += 1
    assert len(seen) == 40 and rounds > 1


@pytest.mark.parametrize("bound", ["COMPACT_EVENTS", "COMPACT_BYTES"])
def test_only_the_newest_is_kept_when_the_loop_is_behind(
    loop: Loop, seen: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(monitor, bound, 10)
    for number in range(50):
        send(loop.handoff, 1, number)
    loop.run()
    assert [(event[3], event[4]) for event in seen] == [(time_bytes(DbrType.DOUBLE, [49]), 49)]
    assert loop.handoff.merged == 49


def test_a_loop_that_is_closed_is_no_error() -> None:
    def closed(call: object) -> None:
        raise RuntimeError("Event loop is closed")

    handoff = Handoff(closed, lambda delay, call: None, lambda: None)
    handoff.post(lambda: None)


def test_the_thread_state_is_pinned_once_for_each_thread(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[int] = []
    ensure = monitor.ctypes.pythonapi.PyGILState_Ensure

    def counted() -> int:
        pinned.append(threading.get_ident())
        return int(ensure())

    monkeypatch.setattr(monitor.ctypes.pythonapi, "PyGILState_Ensure", counted)
    threads = [threading.Thread(target=lambda: [send(loop.handoff, 1, 1.0) for _ in range(5)]) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len(pinned) == 2


EVENTS = st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=60)


@given(EVENTS)
def test_compaction_against_a_model(keys: list[int | None]) -> None:
    """Between two calls the newest event of each key remains, knows how many it stands for, and order is kept."""
    calls = [lambda: None for _ in keys]
    items = [calls[n] if key is None else (key, 20, 1, ECA_NORMAL, bytes([n]) * 3, 0) for n, key in enumerate(keys)]
    kept, freed = compact(list(items))
    segments: list[dict[int, tuple[int, int]]] = [{}]
    for n, key in enumerate(keys):
        if key is None:
            segments.append({})
        else:
            segments[-1][key] = (n, segments[-1].get(key, (0, -1))[1] + 1)
    expected: list[object] = []
    separators = [calls[n] for n, key in enumerate(keys) if key is None]
    for number, segment in enumerate(segments):
        expected += [separators[number - 1]] if number else []
        newest = sorted((n, key, merged) for key, (n, merged) in segment.items())
        expected += [(key, 20, 1, ECA_NORMAL, bytes([n]) * 3, merged) for n, key, merged in newest]
    assert kept == expected
    assert freed == 3 * (len(items) - len(kept))


def test_the_argument_structure_is_that_of_pyepics() -> None:
    ours = [(name, getattr(EventArgs, name).offset) for name, _ in EventArgs._fields_]
    theirs = [getattr(dbr.event_handler_args, name).offset for name, _ in dbr.event_handler_args._fields_]
    assert [offset for _, offset in ours] == theirs
