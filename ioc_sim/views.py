"""What camera, detector and oscilloscope of the beamline see: arrays, made with a generator of noise."""

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 240
WHITE = 4095  # of a camera of 12 bits
CHANNELS = 2048
COUNTING_PERIOD = 0.5  # seconds between two readings of the detector
COUNTS = 400_000  # in a reading, in all channels
ENOUGH = 20_000  # in one channel: then it begins anew
SCOPE_POINTS = 1_000_000
SCOPE_PERIOD = 2.0  # seconds between two shots

# Position, width and height of the lines that the detector sees, in channels.
LINES = ((300, 9, 0.5), (640, 10, 1.0), (706, 10, 0.18), (862, 11, 0.35), (958, 12, 0.06), (1500, 16, 0.75))

_Y, _X = (np.ogrid[:HEIGHT, :WIDTH][axis].astype(np.float32) for axis in (0, 1))


def dark() -> NDArray[np.int16]:
    """The camera without light: shape (HEIGHT * WIDTH,)."""
    return np.zeros(HEIGHT * WIDTH, np.int16)


def beam(noise: np.random.Generator, brightness: float) -> NDArray[np.int16]:
    """The spot of the beam, which trembles, on a screen with stripes; row after row, 0 to WHITE.

    brightness: 1 for the whole beam, 0 for none.
    """
    x, y = WIDTH / 2 + noise.normal(0.0, 1.5), HEIGHT / 2 + noise.normal(0.0, 1.0)
    u, v = (_X - x) + 0.25 * (_Y - y), (_Y - y) - 0.1 * (_X - x)
    spot = np.exp(-((u / 46.0) ** 2) - (v / 22.0) ** 2) + 0.12 * np.exp(-((u / 110.0) ** 2) - (v / 60.0) ** 2)
    stripes = 1.0 + 0.12 * np.cos(v * 0.7)
    grain = noise.normal(60.0, 18.0, (HEIGHT, WIDTH)).astype(np.float32)
    return _whole(0.8 * WHITE * brightness * spot * stripes + grain, WHITE)


def counted(noise: np.random.Generator, before: NDArray[np.int32], brightness: float) -> NDArray[np.int32]:
    """The spectrum after a further reading: counts by channel, shape (CHANNELS,)."""
    start = np.asarray(before, np.int32) if np.max(before) < ENOUGH else np.zeros(CHANNELS, np.int32)
    return start + noise.poisson(COUNTS * max(0.0, brightness) * _SHAPE).astype(np.int32)


def transient(noise: np.random.Generator) -> NDArray[np.float32]:
    """A shot of the oscilloscope: bursts that ring down, with fine detail; shape (SCOPE_POINTS,)."""
    shot = noise.normal(0.0, 0.02, SCOPE_POINTS).astype(np.float32)
    for start in np.sort(noise.integers(0, SCOPE_POINTS - len(_BURST), 4)):
        shot[start : start + len(_BURST)] += noise.uniform(0.4, 1.0) * _BURST
    return shot


def _whole(values: NDArray[np.floating], white: int) -> NDArray[np.int16]:
    """Rounded into the range of the camera, flat, and so that caproto needs no copy."""
    pixels: NDArray[np.int16] = np.clip(values, 0, white).astype(np.int16).ravel()
    pixels.flags.writeable = False
    return pixels


def _shape() -> NDArray[np.float64]:
    """The spectrum that is expected: lines on a background; its sum is 1."""
    x = np.arange(CHANNELS)
    lines = sum(height * np.exp(-(((x - at) / width) ** 2)) for at, width, height in LINES)
    shape = lines + 0.02 * np.exp(-x / 900.0) + 0.03 * np.exp(-(((x - 1440) / 90.0) ** 2))
    return np.asarray(shape / shape.sum(), float)


def _burst() -> NDArray[np.float32]:
    """An oscillation of 400 points' period that rings down in 30,000."""
    t = np.arange(120_000)
    return np.asarray(np.exp(-t / 30_000) * np.sin(2 * np.pi * t / 400), np.float32)


_SHAPE = _shape()
_BURST = _burst()
