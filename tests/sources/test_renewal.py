"""Renewal: PVs that are lost are searched for anew soon, those that are not found a few times, and the log says so."""

import logging
from collections.abc import Callable

import pytest

from pycaserver.sources.renewal import (
    LOG_SECONDS,
    LOST_SWEEPS,
    MOST_LINES,
    MOST_SWEEPS,
    PATIENT_AFTER,
    PATIENT_SWEEPS,
    SWEEP_SECONDS,
    WAIT_SECONDS,
    Renewal,
)

HOST = "ioc:5064"


class Later:
    """A loop's call_later that a test lets pass."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.due.append((seconds, call))

    def run(self, wanted: float) -> None:
        """What is due after that many seconds."""
        due, self.due = self.due, []
        for seconds, call in due:
            if seconds == wanted:
                call()
            else:
                self.due.append((seconds, call))


class Channel:
    """Counts how often it is renewed; may be lost again at once."""

    def __init__(self, renewal: Renewal | None = None) -> None:
        self.renewed = 0
        self._renewal = renewal

    def renew(self) -> None:
        self.renewed += 1
        if self._renewal:
            self._renewal.lost(HOST, self)


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def renewal(later: Later) -> Renewal:
    return Renewal(later)


def test_all_that_is_lost_together_is_renewed_together_after_a_moment(later: Later, renewal: Renewal) -> None:
    channels = [Channel() for _ in range(3)]
    for channel in channels:
        renewal.lost(HOST, channel)
    assert sorted(seconds for seconds, _ in later.due) == [WAIT_SECONDS, SWEEP_SECONDS]
    later.run(WAIT_SECONDS)
    later.run(WAIT_SECONDS)
    assert [channel.renewed for channel in channels] == [1, 1, 1]


def test_what_is_lost_while_others_are_renewed_waits_for_the_next_time(later: Later, renewal: Renewal) -> None:
    """An IOC that closes its circuits again and again costs no more than that."""
    channel = Channel(renewal)
    renewal.lost(HOST, channel)
    for turn in range(1, 4):
        later.run(WAIT_SECONDS)
        assert channel.renewed == turn


def test_what_is_not_found_is_searched_for_anew_a_few_times(later: Later, renewal: Renewal) -> None:
    """Not at the first sweep, which may come at once."""
    channel = Channel()
    renewal.searching(channel)
    for sweep in range(MOST_SWEEPS + 1):
        later.run(SWEEP_SECONDS)
        assert channel.renewed == sweep
    assert later.due == [], "then libca is left alone with it"
    renewal.searching(channel)
    assert len(later.due) == 1


def test_what_was_there_is_searched_for_as_long_as_it_is_wanted(later: Later, renewal: Renewal) -> None:
    """Every ten seconds for ten minutes, then each minute: beacons need not tell that the IOC is back."""
    channel = Channel()
    renewal.lost(HOST, channel)
    for sweep in range(PATIENT_AFTER):
        later.run(SWEEP_SECONDS)
        assert abs(channel.renewed - sweep / LOST_SWEEPS) <= 1
    eagerly = channel.renewed
    for _ in range(10 * PATIENT_SWEEPS):
        later.run(SWEEP_SECONDS)
    assert channel.renewed == eagerly + 10
    renewal.settled(channel)
    later.run(SWEEP_SECONDS)
    assert later.due == [(WAIT_SECONDS, later.due[0][1])], "no more sweeps"


def test_what_is_found_or_closed_is_left_alone(later: Later, renewal: Renewal) -> None:
    channels = [Channel(), Channel()]
    for channel in channels:
        renewal.searching(channel)
    later.run(SWEEP_SECONDS)
    renewal.settled(channels[0])
    renewal.settled(channels[0])
    later.run(SWEEP_SECONDS)
    assert [channel.renewed for channel in channels] == [0, 1]


def test_log_is_not_flooded_by_an_ioc_that_comes_and_goes(
    later: Later, renewal: Renewal, caplog: pytest.LogCaptureFixture
) -> None:
    """Others are told of as ever; nothing is left out."""
    with caplog.at_level(logging.INFO):
        for _ in range(100):
            renewal.lost(HOST, Channel())
            later.run(WAIT_SECONDS)
            renewal.regained(HOST)
            later.run(WAIT_SECONDS)
        renewal.lost("other:5064", Channel())
        later.run(WAIT_SECONDS)
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == MOST_LINES + 1
        assert lines[-1] == "other:5064: PVs lost: 1"
        caplog.clear()
        later.run(LOG_SECONDS)
        rest = 100 - MOST_LINES // 2
        assert [record.getMessage() for record in caplog.records] == [
            f"{HOST}: PVs lost: {rest}",
            f"{HOST}: PVs back: {rest}",
        ]
        later.run(LOG_SECONDS)
    assert not any(seconds == LOG_SECONDS for seconds, _ in later.due)


def test_log_says_how_many_came_and_went_by_ioc(
    later: Later, renewal: Renewal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for host in ("one:5064", "two:5064", "one:5064"):
            renewal.lost(host, Channel())
        renewal.regained("three:5064")
        later.run(WAIT_SECONDS)
        renewal.regained("one:5064")
        later.run(WAIT_SECONDS)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "one:5064: PVs lost: 2"),
        ("WARNING", "two:5064: PVs lost: 1"),
        ("INFO", "three:5064: PVs back: 1"),
        ("INFO", "one:5064: PVs back: 1"),
    ]
