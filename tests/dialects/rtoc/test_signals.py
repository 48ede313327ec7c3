"""Signals: their samples, and the local ones."""

from typing import Any

import numpy as np
import pytest

from pycaserver.core.errors import PycaError
from pycaserver.dialects.rtoc.signals import Curve, Signals, curve_of, local_name, sample
from tests.dialects.rtoc.peers import mapping
from tests.fakes import FakeLimits, World, value


@pytest.fixture
def signals(world: World) -> Signals:
    return Signals(world.services(FakeLimits()), mapping(record_length=4, local_signals=2))


def listed(curve: Curve) -> tuple[list[Any], ...]:
    return tuple(list(axis) for axis in curve)


@pytest.mark.parametrize("data", [1.5, 7, "text", None])
def test_a_scalar_is_one_sample_at_its_time(data: object) -> None:
    assert curve_of(value(data, count=1, seconds=5, nanos=500_000_000)) == ([5.5], [data])  # type: ignore[arg-type]


def test_an_array_is_a_curve_over_its_indices() -> None:
    assert listed(curve_of(value(np.array([1.0, 2.5])))) == ([0, 1], [1.0, 2.5])
    assert listed(curve_of(value(["a", "b"]))) == ([0, 1], ["a", "b"])


@pytest.mark.parametrize("x", [0.0, 0.1, -1.5, 1447799204.123456, 1e15])
def test_an_x_comes_back_as_it_was_given(x: float) -> None:
    assert sample(x, 1.0).timestamp == x


@pytest.mark.parametrize("x", [1e300, float("inf"), float("nan")])
def test_an_x_beyond_all_time_stamps_is_refused(x: float) -> None:
    with pytest.raises(PycaError, match="bad_request"):
        sample(x, 1.0)


def test_rules_know_local_signals_by_percent_encoded_names() -> None:
    assert local_name("Öl/x", "T 1") == "rtoc://%C3%96l%2Fx/T%201"


@pytest.mark.parametrize("name", ["", "a.b", "x" * 101])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(PycaError, match="bad_request"):
        local_name("D", name)


def test_local_signals_keep_the_newest_samples_and_are_bounded(signals: Signals) -> None:
    signal = signals.create("D", "A", "V")
    for x in range(6):
        signal.append(float(x), -float(x))
    assert listed(signal.curve(10, None, None)) == ([2.0, 3.0, 4.0, 5.0], [-2.0, -3.0, -4.0, -5.0])
    assert (signal.latest, signal.ends(), signal.unit) == ((5.0, -5.0), (2.0, 5.0), "V")
    signals.create("D", "B", "")
    with pytest.raises(PycaError, match="local_signals is 2"):
        signals.create("D", "C", "")


def test_a_removed_signal_makes_room(signals: Signals) -> None:
    signals.remove(signals.create("D", "A", ""))
    assert signals.find("D", "A") is None
    assert signals.create("D", "B", "").id == 4


def test_a_cleared_signal_has_no_latest_sample(signals: Signals) -> None:
    signal = signals.create("D", "A", "")
    signal.replace(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert signal.latest == (2.0, 4.0)
    signal.clear()
    assert (signal.latest, signal.ends()) == (None, (None, None))


def test_signals_are_found_by_name_by_id_and_by_device(signals: Signals) -> None:
    assert signals.named("Cryostat.T1") is signals.named(0) is signals.find("Cryostat", "T1")
    assert [signal.sname for signal in signals.of_device("Cryostat")] == ["T1", "Setpoint"]
    for wrong in ("Cryostat", "Cryostat.T2", 99, True, None):
        with pytest.raises(PycaError, match="bad_request"):
            signals.named(wrong)
