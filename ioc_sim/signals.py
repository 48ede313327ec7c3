"""What the moving PVs show: endless generators of updates, the arguments of caproto's write()."""

import itertools
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from caproto import AlarmSeverity, AlarmStatus
from numpy.typing import NDArray

SINE_POINTS = 500
NOISE_POINTS = 1000
IMAGE_WIDTH, IMAGE_HEIGHT = 320, 240

# One step after another: value, status, severity; what the limits of the PV make of the value, or a fault.
ALARMS = (
    (0.0, AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM),
    (60.0, AlarmStatus.HIGH, AlarmSeverity.MINOR_ALARM),
    (90.0, AlarmStatus.HIHI, AlarmSeverity.MAJOR_ALARM),
    (90.0, AlarmStatus.COMM, AlarmSeverity.INVALID_ALARM),
    (0.0, AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM),
    (-60.0, AlarmStatus.LOW, AlarmSeverity.MINOR_ALARM),
    (-90.0, AlarmStatus.LOLO, AlarmSeverity.MAJOR_ALARM),
    (-90.0, AlarmStatus.READ, AlarmSeverity.INVALID_ALARM),
)
STATES = (
    ("Off", AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM),
    ("Standby", AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM),
    ("On", AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM),
    ("Fault", AlarmStatus.STATE, AlarmSeverity.MAJOR_ALARM),
)
STATE_NAMES = tuple(name for name, *_ in STATES)

LONG_STRING = (
    "This text is longer than the 39 characters that a string PV holds, so it travels as an array of characters. "
    "Clients may write up to 1000 of them."
)


Updates = Iterator[dict[str, Any]]


def count() -> Updates:
    """1, 2, 3, ..."""
    return ({"value": number} for number in itertools.count(1))


def clock() -> Updates:
    """The date and time in UTC."""
    while True:
        yield {"value": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}


def alarms() -> Updates:
    """The steps of ALARMS, again and again."""
    return _with_alarm(ALARMS)


def states() -> Updates:
    """The steps of STATES, again and again."""
    return _with_alarm(STATES)


def _with_alarm(steps: tuple[tuple[Any, AlarmStatus, AlarmSeverity], ...]) -> Updates:
    for value, status, severity in itertools.cycle(steps):
        # Verifying would put the alarm of the PV's limits in the place of this one.
        yield {"value": value, "status": status, "severity": severity, "verify_value": False}


def sine() -> Updates:
    """Two periods of a moving sine of amplitude 1: shape (SINE_POINTS,)."""
    x = np.linspace(0.0, 4.0 * np.pi, SINE_POINTS)
    for step in itertools.count():
        yield {"value": np.sin(x + 0.2 * step)}


def noise() -> Updates:
    """A peak of height 1 in noise of 0.1 rms: shape (NOISE_POINTS,)."""
    generator = np.random.default_rng()
    peak = np.exp(-(np.linspace(-5.0, 5.0, NOISE_POINTS) ** 2))
    while True:
        yield {"value": peak + generator.normal(0.0, 0.1, NOISE_POINTS)}


def image() -> Updates:
    """Rings that move to the right, 4 pixels a frame: bytes of shape (IMAGE_HEIGHT * IMAGE_WIDTH,), row after row."""
    rings = _rings()
    for shift in itertools.cycle(range(0, IMAGE_WIDTH, 4)):
        pixels = np.roll(rings, shift, axis=1).ravel()
        pixels.flags.writeable = False  # caproto copies an array that may still change
        yield {"value": pixels}


def _rings() -> NDArray[np.uint8]:
    y, x = np.ogrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    radius = np.hypot(x - IMAGE_WIDTH / 2, y - IMAGE_HEIGHT / 2)
    return np.asarray(127.5 + 127.5 * np.cos(radius / 8.0), dtype=np.uint8)


def relax(value: float, target: float, seconds: float, time_constant: float) -> float:
    """`value` after it has approached `target` exponentially for `seconds`."""
    return target + (value - target) * math.exp(-seconds / time_constant)


def approach(position: float, target: float, step: float) -> float:
    """`position` moved towards `target` by `step` at most."""
    return target if abs(target - position) <= step else position + math.copysign(step, target - position)
