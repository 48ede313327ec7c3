"""Frames as the fuzzing client of Autobahn makes them: nothing but what is known."""

from pathlib import Path

from tests.autobahn.client import QUICK, run, surprises


def test_the_quick_cases(tmp_path: Path) -> None:
    behaviours = run(QUICK, tmp_path)
    assert surprises(behaviours) == {}
    assert len(behaviours) > 100


def test_what_is_not_known_is_a_surprise() -> None:
    assert surprises({"1.1.1": "OK", "6.4.1": "NON-STRICT", "7.9.1": "FAILED", "6.1.1": "NON-STRICT"}) == {
        "7.9.1": "FAILED",
        "6.1.1": "NON-STRICT",
    }
