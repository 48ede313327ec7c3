"""strain.py: what lateness explains, and how it is seen."""

import asyncio
import os
import signal
import time

import pytest

from tests.servers import Server
from tests.stress.strain import AFTER_SECONDS, BEFORE_SECONDS, LATE_SECONDS, Strain
from tests.timing import scaled


@pytest.mark.parametrize(
    ("at", "explained"),
    [(100 - 2 * AFTER_SECONDS, False), (99.0, True), (101.0, True), (100 + 2 * BEFORE_SECONDS, False)],
)
def test_lateness_explains_what_was_merged_about_then(at: float, explained: bool) -> None:
    strain = Strain()
    strain.note(100.0, 2 * LATE_SECONDS)
    assert strain.explains(at) is explained


def test_a_little_explains_nothing() -> None:
    strain = Strain()
    strain.note(100.0, LATE_SECONDS / 2)
    assert not strain.explains(100.0)


def test_a_server_that_stood_still_is_seen() -> None:
    """It is stopped and goes on, as on a machine that has no processor for it."""
    strain = Strain()

    async def stop_and_look(process: int) -> float:
        os.kill(process, signal.SIGSTOP)
        await asyncio.sleep(3 * LATE_SECONDS)
        os.kill(process, signal.SIGCONT)
        at = time.monotonic()
        while not strain.explains(at) and time.monotonic() < at + scaled(5):
            await strain.look(server)
        return at

    with Server({}) as server:
        assert strain.explains(asyncio.run(stop_and_look(server.process.pid)))


def test_this_program_that_stood_still_is_seen() -> None:
    strain = Strain()

    async def stand_still_and_look() -> float:
        looking = asyncio.ensure_future(strain.look(server))
        await asyncio.sleep(0)
        time.sleep(5 * LATE_SECONDS)
        await looking
        return time.monotonic()

    with Server({}) as server:
        assert strain.explains(asyncio.run(stand_still_and_look()))
