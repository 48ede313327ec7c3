"""Whether a server has stayed as it was: memory, descriptors and threads flat after the warm-up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tests.soak.samples import Sample

WARM_UP: Final = 0.25
"""The part of the run that does not count."""
MEMORY_GROWTH: Final = 10_000_000
"""Bytes by which the median of the last quarter may be above that of the second."""
FEW: Final = 4
"""Samples of which nothing can be told."""


@dataclass(frozen=True)
class Verdict:
    """On a run."""

    memory_growth: float
    """Bytes, from the second quarter to the last."""
    memory_per_hour: float
    """Bytes an hour: the slope after the warm-up."""
    descriptors: float
    """How many more that are no connection of a client, from the median of the second quarter to that of the last."""
    threads: float
    lag_p50: float
    lag_p99: float
    lag_max: float

    @property
    def flat(self) -> bool:
        """Whether nothing grows."""
        return self.memory_growth <= MEMORY_GROWTH and self.descriptors <= 2 and self.threads <= 1

    def text(self) -> str:
        """For people."""
        return (
            f"{'flat' if self.flat else 'NOT FLAT'}: memory {self.memory_growth / 1e6:+.2f} MB from the second quarter"
            f" to the last, {self.memory_per_hour / 1e6:+.2f} MB an hour after the warm-up;"
            f" descriptors {self.descriptors:+g}, threads {self.threads:+g};"
            f" lag p50 {1e3 * self.lag_p50:.1f} ms, p99 {1e3 * self.lag_p99:.1f} ms,"
            f" at worst {1e3 * self.lag_max:.0f} ms"
        )


def judge(samples: Sequence[Sample]) -> Verdict:
    """The verdict; ValueError when there are too few samples."""
    if len(samples) < FEW:
        raise ValueError(f"{len(samples)} samples are too few: run for longer, or sample more often")
    second, last = _quarter(samples, 1), _quarter(samples, 3)

    def growth(figure: str) -> float:
        return _median(last, figure) - _median(second, figure)

    after = samples[math.ceil(len(samples) * WARM_UP) :]
    hours = np.array([sample.seconds / 3600 for sample in after])
    slope = float(np.polyfit(hours, [sample.memory for sample in after], 1)[0])
    lags = np.array([sample.lag for sample in samples])
    return Verdict(
        memory_growth=growth("memory"),
        memory_per_hour=slope,
        descriptors=growth("own"),
        threads=growth("threads"),
        lag_p50=float(np.percentile(lags, 50)),
        lag_p99=float(np.percentile(lags, 99)),
        lag_max=max(sample.lag_max for sample in samples),
    )


def _quarter(samples: Sequence[Sample], number: int) -> Sequence[Sample]:
    return samples[len(samples) * number // 4 : len(samples) * (number + 1) // 4]


def _median(samples: Sequence[Sample], figure: str) -> float:
    values: Any = [getattr(sample, figure) for sample in samples]
    return float(np.median(values))
