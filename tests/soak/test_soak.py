"""The soak's samples, verdict and plot, and a very short one."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.plot import plot
from tests.soak.samples import Sample, read
from tests.soak.verdict import judge
from tests.stress.plan import Fault
from tests.timing import scaled

MEGABYTE = 1_000_000
QUIET = Sample(0, 70 * MEGABYTE, 40, 12, 9, 150, 30, 0.001, 0.02, 0.1, 1500, 4000)


def hour(**growth: float) -> list[Sample]:
    """A sample a minute; growth: of each figure in an hour."""
    return [
        replace(
            QUIET,
            seconds=60.0 * minute,
            **{name: getattr(QUIET, name) + by * minute / 60 for name, by in growth.items()},
        )
        for minute in range(60)
    ]


def test_what_stays_is_flat() -> None:
    verdict = judge(hour())
    assert verdict.flat
    assert verdict.memory_growth == 0
    assert verdict.lag_p50 == pytest.approx(0.001)
    assert verdict.text().startswith("flat")


@pytest.mark.parametrize("growth", [{"memory": 25 * MEGABYTE}, {"own": 10}, {"threads": 6}])
def test_what_grows_is_not(growth: dict[str, float]) -> None:
    verdict = judge(hour(**growth))
    assert not verdict.flat
    assert verdict.text().startswith("NOT FLAT")


def test_the_slope_is_in_bytes_an_hour() -> None:
    assert judge(hour(memory=3 * MEGABYTE)).memory_per_hour == pytest.approx(3 * MEGABYTE)


def test_the_warm_up_does_not_count() -> None:
    begun = [replace(sample, memory=30 * MEGABYTE) for sample in hour()[:15]]
    assert judge([*begun, *hour()[15:]]).flat


def test_descriptors_may_grow_with_the_sessions() -> None:
    assert judge(hour(descriptors=30, sessions=30)).flat


def test_of_few_samples_nothing_is_told() -> None:
    with pytest.raises(ValueError, match="too few"):
        judge(hour()[:3])


def test_a_picture_where_there_is_matplotlib(tmp_path: Path) -> None:
    file = tmp_path / "soak.png"
    drawn = plot(file, "an hour", hour(), [Fault(600, "kill", 2.0)])
    assert drawn == file.exists()


@pytest.mark.timeout(scaled(200))
def test_a_short_soak_leaves_its_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "--seconds=5", "--rate=200", "--every=0.5", "--seed=1",
               f"--output={tmp_path}"]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, timeout=scaled(120))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "all invariants held" in result.stdout and "\nflat" in result.stdout
    samples = read(tmp_path / "soak.csv")
    assert len(samples) >= 4
    assert all(sample.memory > 10 * MEGABYTE and sample.threads >= 2 for sample in samples)
    assert max(sample.updates_in for sample in samples) > 100
    found = json.loads((tmp_path / "soak.json").read_text())
    assert (found["seed"], found["rate"], found["flat"]) == (1, 200, True)
