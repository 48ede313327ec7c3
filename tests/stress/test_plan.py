"""Plans: the same from the same seed, on every machine and in every process."""

import subprocess
import sys

import pytest

from tests.stress.garbage import BREAKING, FRAMES
from tests.stress.plan import FAULTS, KINDS, QUIET_SECONDS, STEPS, Names, make
from tests.stress.session import _DEEDS
from tests.timing import scaled

SEED_ONE_FOR_A_MINUTE = "083ab59f656fd5c4"


def test_a_seed_gives_one_plan_for_ever() -> None:
    """In a process of its own too: nothing depends on how Python hashes strings there."""
    program = "from tests.stress.plan import make; print(make(1, 60).digest)"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=scaled(30))
    assert make(1, 60).digest == other.stdout.strip() == SEED_ONE_FOR_A_MINUTE, other.stderr


@pytest.mark.parametrize(
    "other", [make(2, 10), make(1, 11), make(1, 10, 41), make(1, 10, scale=2), make(1, 10, pace=2)]
)
def test_any_other_argument_gives_another(other: object) -> None:
    assert make(1, 10).digest != getattr(other, "digest")  # noqa: B009


def test_everything_is_over_before_the_end() -> None:
    for seed in range(50):
        plan = make(seed, 20)
        assert all(fault.at + fault.seconds <= 20 - QUIET_SECONDS for fault in plan.faults)
        steps = [step for script in plan.scripts for step in script.steps()]
        assert all(0 <= step.at <= 20 for step in steps)


def test_a_plan_of_minutes_has_everything() -> None:
    plan = make(1, 300)
    steps = [step for script in plan.scripts for step in script.steps()]
    assert {step.do for step in steps} == {do for kind in KINDS.values() for do in kind.steps} | {"options"}
    assert {fault.do for fault in plan.faults} == set(FAULTS)
    assert {step.keys.get("what") for step in steps} >= {*FRAMES, *BREAKING}
    names = Names(plan.counters)
    named = {
        name for step in steps for pv in [step.keys.get("pv", [])] for name in ([pv] if isinstance(pv, str) else pv)
    }
    assert named == set(names.all)


def test_every_step_of_every_kind_has_keys_and_somebody_who_does_it() -> None:
    requests = {"connect", "get", "info", "list", "history", "events", "options", "ping"}
    assert STEPS.keys() == _DEEDS.keys() | requests
    assert all(kind.steps.keys() <= STEPS.keys() for kind in KINDS.values())
