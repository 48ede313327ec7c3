"""Renewal: lost PVs are searched for anew soon, all of them in one piece of work, and once."""

import logging
from collections.abc import Callable

import pytest

from pycaserver.sources.renewal import WAIT_SECONDS, Renewal


class Later:
    """A loop's call_later that a test lets pass."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.due.append((seconds, call))

    def run(self) -> None:
        due, self.due = self.due, []
        for _, call in due:
            call()


def test_all_that_is_lost_together_is_renewed_together_after_a_moment() -> None:
    later, renewed = Later(), list[int]()
    renewal = Renewal(later)
    for number in range(3):
        renewal.lost("ioc:5064", lambda number=number: renewed.append(number))  # type: ignore[misc]
    assert [seconds for seconds, _ in later.due] == [WAIT_SECONDS]
    assert renewed == []
    later.run()
    assert renewed == [0, 1, 2]


def test_log_says_how_many_came_and_went_by_ioc(caplog: pytest.LogCaptureFixture) -> None:
    later = Later()
    renewal = Renewal(later)
    with caplog.at_level(logging.INFO):
        for host in ("one:5064", "two:5064", "one:5064"):
            renewal.lost(host, lambda: None)
        renewal.regained("three:5064")
        later.run()
        renewal.regained("one:5064")
        later.run()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "one:5064: PVs lost: 2"),
        ("WARNING", "two:5064: PVs lost: 1"),
        ("INFO", "three:5064: PVs back: 1"),
        ("INFO", "one:5064: PVs back: 1"),
    ]


def test_what_is_lost_while_others_are_renewed_waits_for_the_next_time() -> None:
    """An IOC that closes its circuits again and again costs no more than that."""
    later, renewed = Later(), list[str]()
    renewal = Renewal(later)

    def renew() -> None:
        renewed.append("once")
        renewal.lost("ioc:5064", lambda: renewed.append("again"))

    renewal.lost("ioc:5064", renew)
    later.run()
    assert renewed == ["once"]
    later.run()
    assert renewed == ["once", "again"]
    later.run()
    assert renewed == ["once", "again"]
