"""Renewal: lost PVs are searched for anew soon, all of them in one piece of work, and once."""

from collections.abc import Callable

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
        renewal.lost(lambda number=number: renewed.append(number))  # type: ignore[misc]
    assert [seconds for seconds, _ in later.due] == [WAIT_SECONDS]
    assert renewed == []
    later.run()
    assert renewed == [0, 1, 2]


def test_what_is_lost_while_others_are_renewed_waits_for_the_next_time() -> None:
    """An IOC that closes its circuits again and again costs no more than that."""
    later, renewed = Later(), list[str]()
    renewal = Renewal(later)

    def renew() -> None:
        renewed.append("once")
        renewal.lost(lambda: renewed.append("again"))

    renewal.lost(renew)
    later.run()
    assert renewed == ["once"]
    later.run()
    assert renewed == ["once", "again"]
    later.run()
    assert renewed == ["once", "again"]
