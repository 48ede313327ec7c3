"""The stress program itself: a minute of it, and what it says when an invariant is broken."""

import secrets
import subprocess
import sys

import pytest

from tests.stress.model import Message
from tests.stress.resources import Resources
from tests.stress.tamper import TAMPERS
from tests.timing import scaled

FIXED = 7
BESIDE_SECONDS = 120.0
"""For start, warm-up, coming to rest and the return to the base line."""


def stress(seconds: float, seed: int, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.stress", f"--seconds={seconds}", f"--seed={seed}", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=scaled(seconds + BESIDE_SECONDS))


@pytest.mark.timeout(scaled(400))
def test_a_minute_of_stress() -> None:
    """Half of them from a fixed seed, half from a new one, which is in the message if it fails."""
    for seed in (FIXED, secrets.randbelow(1 << 32)):
        result = stress(30, seed)
        print(result.stdout)
        assert result.returncode == 0, (
            f"python -m tests.stress --seconds 30 --seed {seed}\n{result.stdout}{result.stderr}"
        )
        assert "all invariants held" in result.stdout


def test_a_broken_invariant_ends_it_with_all_that_is_needed_to_see_it_again() -> None:
    result = stress(6, FIXED, "--spoil=twice")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "VIOLATION" in result.stdout and "a duplicate stream" in result.stdout
    assert "seed 7, 6 s, plan " in result.stdout and ": steady0 at " in result.stdout
    assert "    < {'msg_type': 'monitor'" in result.stdout


MESSAGES: list[Message] = [
    {"msg_type": "monitor", "value": 5},
    {"msg_type": "connection", "conn": True},
    {"msg_type": "pong"},
]


@pytest.mark.parametrize("name", TAMPERS)
def test_what_spoils_messages_spoils_some(name: str) -> None:
    tamper = TAMPERS[name]()
    assert any(tamper([message]) != [message] for _ in range(700) for message in MESSAGES)


def test_the_base_line_leaves_memory_some_room_and_nothing_else() -> None:
    base = Resources(channels=0, sessions=0, descriptors=10, threads=7, memory=70_000_000)
    more = Resources(channels=1, sessions=0, descriptors=11, threads=8, memory=90_000_000)
    assert more.excess(base) == {"channels": 1, "descriptors": 1, "threads": 1, "memory": 20_000_000}
    assert more.excess(more) == {}
    assert base.excess(more) == {}
    assert "memory" not in more.excess(base, steps=10_000)
