"""What moves by itself: counters, waveforms, alarms, states."""

from typing import Any

import numpy as np
import pytest

from ioc_sim import signals
from tests.ioc_sim.conftest import Client, alarm

SEVERITIES = {"NO_ALARM", "MINOR_ALARM", "MAJOR_ALARM", "INVALID_ALARM"}


@pytest.mark.parametrize("name", ["COUNTER", "COUNTER:FAST", "COUNTER:FASTEST"])
def test_counters_count_by_one_with_rising_time_stamps(client: Client, name: str) -> None:
    events = client.follow(name, lambda events: len(events) >= 3)
    numbers = [int(event.data[0]) for event in events]
    stamps = [event.metadata.timestamp for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert stamps == sorted(set(stamps))


def test_slow_counter_is_a_counter(client: Client) -> None:
    assert client.value("COUNTER:SLOW") >= 1


def test_alarm_walks_through_all_severities_in_the_order_of_its_table(client: Client) -> None:
    table = [(value, status.name, severity.name) for value, status, severity in signals.ALARMS]

    def steps(events: list[Any]) -> list[tuple[float, str, str]]:
        return [(float(event.data[0]), *alarm(event)) for event in events]

    def all_severities(events: list[Any]) -> bool:
        return {severity for *_, severity in steps(events)} == SEVERITIES

    seen = steps(client.follow("ALARM", all_severities))
    assert seen in [(table + table)[start : start + len(seen)] for start in range(len(table))]


def test_states_follow_each_other_and_a_fault_is_a_major_state_alarm(client: Client) -> None:
    def fault(events: list[Any]) -> bool:
        return len(events) >= 2 and events[-1].data[0] == b"Fault"

    *_, before, event = client.follow("STATE", fault)
    assert (before.data[0], alarm(before)) == (b"On", ("NO_ALARM", "NO_ALARM"))
    assert (event.data[0], alarm(event)) == (b"Fault", ("STATE", "MAJOR_ALARM"))


def test_sine_moves(client: Client) -> None:
    first, second = (event.data for event in client.follow("SINE", lambda events: len(events) >= 2)[:2])
    assert first.shape == second.shape == (signals.SINE_POINTS,)
    assert not np.array_equal(first, second)
    assert 0.99 < np.max(np.abs(second)) <= 1.0


def test_noise_is_new_each_time_around_a_peak(client: Client) -> None:
    first, second = (event.data for event in client.follow("NOISE", lambda events: len(events) >= 2)[:2])
    assert first.shape == second.shape == (signals.NOISE_POINTS,)
    assert 0.1 < np.std(first - second) < 0.2
    assert np.mean(second[450:550]) > 0.5 > np.mean(second[:100])


def test_clock_is_a_string_that_changes(client: Client) -> None:
    first, second = (event.data[0] for event in client.follow("CLOCK", lambda events: len(events) >= 2)[:2])
    assert first < second
    assert len(second) == len("2000-01-01 00:00:00")
