"""What failed log-ins cost, and whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.web import attempts
from pycaserver.web.attempts import FORGIVEN_AFTER, FREE, LONGEST_WAIT, Attempts
from tests.fakes import FakeClock

HERE, THERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def table(clock: FakeClock) -> Attempts:
    return Attempts(clock)


def is_let_through(table: Attempts, address: str, digest: str = "some") -> bool:
    try:
        table.check(address, digest)
    except PycaError as error:
        assert error.code == "rate_limited"
        return False
    return True


def fail(table: Attempts, address: str, times: int) -> None:
    for _ in range(times):
        table.failed(address, "wrong")


def wait_of(table: Attempts, clock: FakeClock, address: str = HERE) -> int:
    """Whole seconds until the address is let through."""
    waited = 0
    while not is_let_through(table, address):
        clock.advance(1)
        waited += 1
    return waited


def test_mistyping_costs_nothing(table: Attempts) -> None:
    fail(table, HERE, FREE)
    assert is_let_through(table, HERE)


def test_each_further_failure_doubles_the_wait(table: Attempts, clock: FakeClock) -> None:
    fail(table, HERE, FREE)
    waits = []
    for _ in range(9):
        fail(table, HERE, 1)
        waits.append(wait_of(table, clock))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_refusal_says_how_long(table: Attempts) -> None:
    fail(table, HERE, FREE + 3)
    with pytest.raises(PycaError, match="in 4 s"):
        table.check(HERE, "some")


def test_others_are_not_affected(table: Attempts) -> None:
    fail(table, HERE, 100)
    assert not is_let_through(table, HERE)
    assert is_let_through(table, THERE)


def test_what_was_right_is_let_through_from_where_it_was(table: Attempts) -> None:
    table.succeeded(HERE, "right")
    fail(table, HERE, 100)
    assert is_let_through(table, HERE, "right")
    assert not is_let_through(table, HERE, "other")
    fail(table, THERE, 100)
    assert not is_let_through(table, THERE, "right")


def test_what_was_right_and_is_wrong_now_is_not_let_through(table: Attempts) -> None:
    table.succeeded(HERE, "expired")
    fail(table, HERE, 100)
    table.failed(HERE, "expired")
    assert not is_let_through(table, HERE, "expired")


def test_time_forgives(table: Attempts, clock: FakeClock) -> None:
    fail(table, HERE, 100)
    clock.advance(FORGIVEN_AFTER + 1)
    fail(table, HERE, FREE)
    assert is_let_through(table, HERE)


def test_an_ipv6_host_does_not_escape_into_its_network(table: Attempts) -> None:
    fail(table, "2001:db8::1", 100)
    assert not is_let_through(table, "2001:db8::ffff:2")
    assert is_let_through(table, "2001:db8:0:1::1")


def test_both_tables_are_bounded(table: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "ADDRESSES", 10)
    monkeypatch.setattr(attempts, "KNOWN", 10)
    for number in range(100):
        fail(table, f"192.0.2.{number}", FREE + 1)
        table.succeeded(HERE, f"token {number}")
    assert (len(table._failures), len(table._known)) == (10, 10)
    assert not is_let_through(table, "192.0.2.99")
    assert is_let_through(table, "192.0.2.0")


@given(pauses=st.lists(st.floats(0, 100), min_size=FREE + 1, max_size=60))
def test_nobody_waits_for_ever_and_nobody_guesses_fast(pauses: list[float]) -> None:
    clock = FakeClock()
    table, guesses = Attempts(clock), 0
    for pause in pauses:
        if is_let_through(table, HERE):
            guesses += 1
            table.failed(HERE, "wrong")
        clock.advance(pause)
    assert guesses <= FREE + 7 + sum(pauses) / LONGEST_WAIT
    clock.advance(LONGEST_WAIT)
    assert is_let_through(table, HERE)
