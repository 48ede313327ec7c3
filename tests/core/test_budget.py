"""core/budget.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.budget import Budget
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_burst_is_free_then_each_costs_its_time(clock: FakeClock) -> None:
    budget = Budget(clock, rate=10, burst=3)
    assert [budget.spend() for _ in range(5)] == [0.0, 0.0, 0.0, 0.1, 0.2]


def test_time_pays_the_debt_and_refills_the_burst_but_no_more(clock: FakeClock) -> None:
    budget = Budget(clock, rate=10, burst=2)
    assert budget.spend(4) == 0.2
    clock.advance(0.2)
    assert budget.spend() == pytest.approx(0.1)
    clock.advance(3600)
    assert [budget.spend() for _ in range(3)] == [0.0, 0.0, pytest.approx(0.1)]


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 5)), max_size=50))
def test_who_waits_as_told_never_spends_more_than_rate_and_burst(steps: list[tuple[float, float]]) -> None:
    clock, spent = FakeClock(), 0.0
    budget = Budget(clock, rate=2, burst=5)
    for pause, amount in steps:
        clock.advance(pause)
        clock.advance(budget.spend(amount))
        spent += amount
        assert spent <= 5 + 2 * clock.now + 1e-6
