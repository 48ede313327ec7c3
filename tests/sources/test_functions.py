"""sources/functions.py"""

import math

import numpy as np
import pytest

from pycaserver.core.values import DbrType, Limits
from pycaserver.sources.functions import FUNCTIONS
from pycaserver.sources.signal import Signal


def make(name: str, **parameters: float) -> Signal:
    function = FUNCTIONS[name]
    return function.make(**(dict(function.defaults) | parameters))


def values(signal: Signal, count: int) -> list[object]:
    return [signal.at(n) for n in range(count)]


def test_a_sine_goes_through_its_range_in_ten_steps() -> None:
    sine = make("sine", min=0, max=10)
    assert values(sine, 10) == pytest.approx([5 + 5 * math.sin(2 * math.pi * n / 10) for n in range(10)])
    assert sine.at(17_000_000_003) == sine.at(3)


def test_a_sine_of_four_steps() -> None:
    assert values(make("sine", min=-1, max=1, steps=4), 5) == pytest.approx([0, 1, 0, -1, 0])


def test_a_ramp_begins_anew_after_its_end() -> None:
    assert values(make("ramp", min=0, max=1, step=0.5), 4) == [0, 0.5, 1, 0]


def test_a_ramp_without_a_step_has_ten() -> None:
    assert values(make("ramp", min=0, max=10), 12) == [*range(11), 0]


def test_a_ramp_does_not_leave_its_range() -> None:
    assert values(make("ramp", min=0, max=1, step=0.4), 4) == pytest.approx([0, 0.4, 0.8, 0])
    assert values(make("ramp", min=0, max=1, step=5), 2) == [0, 0]


def test_noise_stays_in_its_range_and_is_the_same_for_all() -> None:
    noise = values(make("noise", min=2, max=3), 100)
    assert all(2 <= value <= 3 for value in noise)
    assert len(set(noise)) > 90
    assert noise == values(make("noise", min=2, max=3), 100)


def test_gaussian_noise_is_around_its_center() -> None:
    noise = np.array(values(make("gaussianNoise", center=100, std_dev=2), 1000))
    assert noise.mean() == pytest.approx(100, abs=0.5)
    assert noise.std() == pytest.approx(2, abs=0.3)


def test_a_flipflop_is_an_enum() -> None:
    flipflop = make("flipflop")
    assert flipflop.metadata.type is DbrType.ENUM
    assert flipflop.metadata.enum_strs == ("Off", "On")
    assert values(flipflop, 4) == [0, 1, 0, 1]


def test_strings_follow_each_other() -> None:
    assert values(make("strings"), 5) == ["A", "B", "C", "D", "A"]


@pytest.mark.parametrize("name", ["sinewave", "sawtooth", "gaussianWave", "noisewave"])
def test_waves_are_read_only_arrays_within_their_range(name: str) -> None:
    wave = make(name)
    array = wave.at(3)
    assert isinstance(array, np.ndarray)
    assert (array.dtype, len(array)) == (np.float64, wave.metadata.count)
    assert not array.flags.writeable
    assert wave.metadata.display is not None
    assert array.min() >= wave.metadata.display.low - 1e-9
    assert array.max() <= wave.metadata.display.high + 1e-9
    assert not np.array_equal(array, wave.at(4))


def test_a_sine_wave_of_a_wavelength_moves_by_its_period() -> None:
    wave = make("sinewave", period_seconds=1, wavelength=4, elements=5, update_seconds=0.25)
    assert wave.at(0) == pytest.approx([0, 1, 0, -1, 0])
    assert wave.at(1) == pytest.approx([1, 0, -1, 0, 1])


def test_a_sawtooth() -> None:
    wave = make("sawtooth", period_seconds=1, wavelength=4, elements=4, update_seconds=0.25, min=0, max=4)
    assert wave.at(0) == pytest.approx([0, 1, 2, 3])


def test_a_bell_has_its_top_where_the_time_is() -> None:
    bell = make("gaussianWave", period_seconds=1, std_dev=2, elements=10, update_seconds=0.5)
    assert int(np.argmax(bell.at(1))) == 5
    assert float(np.max(bell.at(1))) == 1.0


def test_limits_lie_inside_the_range() -> None:
    metadata = make("sine", min=0, max=10).metadata
    assert metadata.display == metadata.control == Limits(0, 10)
    assert metadata.warning == Limits(1, 9)
    assert metadata.alarm == Limits(0.5, 9.5)
    assert metadata.units


@pytest.mark.parametrize(("size", "precision"), [(1000, 0), (10, 2), (1, 3), (0.001, 6), (1e9, 0)])
def test_the_precision_shows_a_thousandth_of_the_range(size: float, precision: int) -> None:
    assert make("sine", min=0, max=size).metadata.precision == precision
