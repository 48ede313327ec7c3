"""The hand-off from libca's threads to the loop: bounded work, nothing forgotten, with either queue."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from pycaserver.core.values import DbrType
from pycaserver.sources import monitor
from pycaserver.sources.dbr import TIME
from pycaserver.sources.monitor import Handoff
from pycaserver.sources.queue import ECA_NORMAL, EVENT_BYTES

from .test_dbr import time_bytes
from .test_queue import KINDS, number, send


class Loop:
    """Looks at the pipe when told, and collects what it is to call later."""

    def __init__(self, kind: str) -> None:
        self.later: list[Callable[[], None]] = []
        self.faults = 0
        self.pauses = 0
        self.handoff = Handoff(self._watch, self._later, self._failed, KINDS[kind])

    def _watch(self, fd: int, call: Callable[[], None]) -> None:
        self._readable = call

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        assert delay in (0.0, monitor.PAUSE_SECONDS)
        self.pauses += delay > 0
        self.later.append(call)

    def _failed(self) -> None:
        self.faults += 1

    def run(self) -> bool:
        """Make the calls that are due now; whether there were any."""
        calls, self.later[:] = list(self.later), []
        for call in calls:
            call()
        try:
            self._readable()
        except BlockingIOError:
            return bool(calls)
        return True

    def run_all(self) -> int:
        """Until nothing is due; the rounds that it took."""
        rounds = 0
        while self.run():
            rounds += 1
        return rounds

    def send(self, key: int, value: float) -> None:
        send(self.handoff.queue, key, number(value))


@pytest.fixture(params=KINDS)
def loop(request: pytest.FixtureRequest) -> Loop:
    return Loop(request.param)


@pytest.fixture
def seen(loop: Loop) -> list[tuple[Any, ...]]:
    """Events that the target with key 1 gets."""
    events: list[tuple[Any, ...]] = []
    loop.handoff.targets[1] = lambda *event: events.append(event)
    return events


def test_the_loop_is_woken_and_works_all_off(loop: Loop, seen: list[tuple[Any, ...]]) -> None:
    for n in range(10):
        loop.send(1, n)
    assert not seen
    assert loop.run_all() == 1
    assert seen == [(TIME + DbrType.DOUBLE, 1, ECA_NORMAL, number(n), 0) for n in range(10)]
    loop.send(1, 0.0)
    assert loop.run_all() == 1 and loop.pauses == 0


def test_while_much_comes_the_loop_looks_by_itself(
    loop: Loop, seen: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "DRAIN_SECONDS", 60.0)  # however busy the machine is
    for _ in range(monitor.BUSY_EVENTS):
        loop.send(1, 0.0)
    loop.run()
    assert loop.pauses == len(loop.later) == 1
    loop.send(1, 0.0)
    loop.run_all()
    assert len(seen) == monitor.BUSY_EVENTS + 1
    assert loop.pauses == 1


def test_an_event_in_the_last_moment_is_not_forgotten(
    loop: Loop, seen: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the loop has looked, but has not yet said that it wants to be woken."""
    work_off = loop.handoff._work_off

    def late() -> int:
        done = work_off()
        if len(seen) == 1:
            loop.send(1, 2.0)
        return done

    monkeypatch.setattr(loop.handoff, "_work_off", late)
    loop.send(1, 1.0)
    loop.run_all()
    assert len(seen) == 2


def test_events_and_calls_keep_their_order(loop: Loop) -> None:
    order: list[object] = []
    loop.handoff.targets[1] = lambda *event: order.append("event")
    loop.handoff.post(lambda: order.append("first"))
    loop.send(1, 1.0)
    loop.handoff.post(lambda: order.append("last"))
    loop.run_all()
    assert order == ["first", "event", "last"]


def test_a_target_that_raises_is_logged_and_counted_and_harms_nobody(
    loop: Loop, seen: list[tuple[Any, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*event: object) -> None:
        raise ValueError("broken on purpose")

    loop.handoff.targets[2] = broken
    with caplog.at_level(logging.ERROR):
        for key in (2, 1, 2, 1):
            loop.send(key, 1.0)
        loop.run_all()
    assert len(seen) == 2 and loop.faults == 2
    assert "broken on purpose" in caplog.text


def test_events_of_a_key_that_is_gone_are_dropped(loop: Loop) -> None:
    loop.send(5, 1.0)
    loop.run_all()
    assert not loop.later and not loop.faults


def test_a_key_is_for_one_event_or_for_all(loop: Loop) -> None:
    values: dict[str, list[object]] = {"all": [], "once": []}
    keys = {
        name: loop.handoff.new_key(lambda *event, name=name: values[name].append(event[3]), once=name == "once")
        for name in values
    }
    for n in range(2):
        for key in keys.values():
            loop.send(key, n)
    loop.run_all()
    assert values == {"all": [number(0), number(1)], "once": [number(0)]}
    assert list(loop.handoff.targets) == [keys["all"]]


def test_the_loop_is_given_back_after_a_bounded_time(
    loop: Loop, seen: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "DRAIN_SECONDS", 0.0)
    for n in range(40):
        loop.send(1, n)
    assert loop.run_all() > 1
    assert len(seen) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_newest_is_kept_when_the_loop_is_behind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "QUEUE_BYTES", EVENT_BYTES)
    loop, seen = Loop(kind), []
    loop.handoff.targets[1] = lambda *event: seen.append(event)
    for n in range(50):
        loop.send(1, n)
    loop.run_all()
    assert seen[-1][3] == time_bytes(DbrType.DOUBLE, [49])
    assert sum(1 + event[4] for event in seen) == 50
    assert loop.handoff.queue.merged == 50 - len(seen) > 0


def test_the_compiled_queue_is_used_where_there_is_one() -> None:
    expected = KINDS.get("compiled", KINDS["python"])
    assert type(Handoff(lambda fd, call: None, lambda delay, call: None, lambda: None).queue) is expected
