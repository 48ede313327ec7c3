"""The functions behind sim:// PVs, each a signal of its parameters. Pure.

Names and parameters are those of Phoebus, so that displays made there work here.
"""

from collections.abc import Callable, Mapping
from math import floor, log10, pi, sin
from random import Random
from typing import Final, NamedTuple

import numpy as np

from pycaserver.core.values import Array, DbrType, Limits, Metadata
from pycaserver.sources.signal import Signal

UNITS: Final = "a.u."
STRINGS: Final = ("A", "B", "C", "D")
WARNING_PART: Final = 0.1
ALARM_PART: Final = 0.05
"""How far inside the range a number comes into alarm, as parts of the range."""


class Function(NamedTuple):
    """A simulated PV: what makes the signal, the forms of its arguments, and what is taken where there are none."""

    make: Callable[..., Signal]
    defaults: Mapping[str, float]
    forms: tuple[tuple[str, ...], ...]


def _sine(min: float, max: float, update_seconds: float, steps: int = 10) -> Signal:
    middle, swing = (min + max) / 2, (max - min) / 2
    return _number(min, max, update_seconds, lambda n: middle + swing * sin(2 * pi * (n % steps) / steps))


def _ramp(min: float, max: float, update_seconds: float, step: float = 0.0) -> Signal:
    step = step or (max - min) / 10
    steps = floor((max - min) / step + 1e-9) + 1
    return _number(min, max, update_seconds, lambda n: min + n % steps * step)


def _noise(min: float, max: float, update_seconds: float) -> Signal:
    return _number(min, max, update_seconds, lambda n: Random(n).uniform(min, max))


def _gaussian_noise(center: float, std_dev: float, update_seconds: float) -> Signal:
    low, high = center - 3 * std_dev, center + 3 * std_dev
    return _number(low, high, update_seconds, lambda n: Random(n).gauss(center, std_dev))


def _flipflop(update_seconds: float) -> Signal:
    return Signal(Metadata(DbrType.ENUM, 1, enum_strs=("Off", "On")), update_seconds, lambda n: n % 2)


def _strings(update_seconds: float) -> Signal:
    return Signal(Metadata(DbrType.STRING, 1), update_seconds, lambda n: STRINGS[n % len(STRINGS)])


def _sine_wave(period_seconds: float, wavelength: float, elements: int, update_seconds: float, min: float = -1.0,
               max: float = 1.0) -> Signal:  # fmt: skip
    middle, swing, along = (min + max) / 2, (max - min) / 2, np.arange(elements) / wavelength

    def at(n: int) -> Array:
        return middle + swing * np.sin(2 * pi * (n * update_seconds / period_seconds % 1 + along))

    return _wave(min, max, elements, update_seconds, at)


def _sawtooth(period_seconds: float, wavelength: float, elements: int, update_seconds: float, min: float = 0.0,
              max: float = 1.0) -> Signal:  # fmt: skip
    along = np.arange(elements) / wavelength

    def at(n: int) -> Array:
        return min + (max - min) * ((n * update_seconds / period_seconds % 1 + along) % 1)

    return _wave(min, max, elements, update_seconds, at)


def _gaussian_wave(period_seconds: float, std_dev: float, elements: int, update_seconds: float) -> Signal:
    def at(n: int) -> Array:
        centre = n * update_seconds / period_seconds % 1 * elements
        return np.exp(-(((np.arange(elements) - centre) / std_dev) ** 2) / 2)

    return _wave(0.0, 1.0, elements, update_seconds, at)


def _noise_wave(min: float, max: float, update_seconds: float, elements: int = 100) -> Signal:
    return _wave(min, max, elements, update_seconds, lambda n: np.random.default_rng(n).uniform(min, max, elements))


_SPAN: Final = {"min": -5.0, "max": 5.0, "update_seconds": 1.0}
_SPAN_FORM: Final = tuple(_SPAN)
_WAVE: Final = {"period_seconds": 1.0, "wavelength": 10.0, "elements": 50, "update_seconds": 0.1}
_WAVE_FORMS: Final = (tuple(_WAVE), (*_WAVE, "min", "max"))
_BELL: Final = {"period_seconds": 1.0, "std_dev": 10.0, "elements": 100, "update_seconds": 0.1}
_GAUSS: Final = {"center": 0.0, "std_dev": 1.0, "update_seconds": 1.0}
_UPDATE: Final = {"update_seconds": 1.0}

FUNCTIONS: Final[dict[str, Function]] = {
    "sine": Function(_sine, _SPAN, (_SPAN_FORM, ("min", "max", "steps", "update_seconds"))),
    "ramp": Function(_ramp, _SPAN, (_SPAN_FORM, ("min", "max", "step", "update_seconds"))),
    "noise": Function(_noise, _SPAN, (_SPAN_FORM,)),
    "gaussianNoise": Function(_gaussian_noise, _GAUSS, (tuple(_GAUSS),)),
    "flipflop": Function(_flipflop, _UPDATE, (tuple(_UPDATE),)),
    "strings": Function(_strings, _UPDATE, (tuple(_UPDATE),)),
    "sinewave": Function(_sine_wave, _WAVE, _WAVE_FORMS),
    "sawtooth": Function(_sawtooth, _WAVE, _WAVE_FORMS),
    "gaussianWave": Function(_gaussian_wave, _BELL, (tuple(_BELL),)),
    "noisewave": Function(_noise_wave, _SPAN, (_SPAN_FORM, (*_SPAN_FORM, "elements"))),
}


def _number(min: float, max: float, update: float, at: Callable[[int], float]) -> Signal:
    """A number that is in alarm near the ends of its range."""
    return Signal(_described(1, min, max, alarms=True), update, at)


def _wave(min: float, max: float, elements: int, update: float, at: Callable[[int], Array]) -> Signal:
    def read_only(n: int) -> Array:
        array = at(n)
        array.flags.writeable = False
        return array

    return Signal(_described(elements, min, max, alarms=False), update, read_only)


def _described(count: int, min: float, max: float, *, alarms: bool) -> Metadata:
    span = Limits(min, max)
    warning, alarm = (_within(span, part) if alarms else None for part in (WARNING_PART, ALARM_PART))
    return Metadata(DbrType.DOUBLE, count, UNITS, _precision(max - min), (), span, span, warning, alarm)


def _within(span: Limits, part: float) -> Limits:
    margin = part * (span.high - span.low)
    return Limits(span.low + margin, span.high - margin)


def _precision(size: float) -> int:
    """Digits behind the point that show about a thousandth of the range."""
    return max(0, 3 - floor(log10(size)))
