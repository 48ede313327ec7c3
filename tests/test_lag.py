"""How late the event loop is, and what it was doing."""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from pycaserver.app import LoopClock
from pycaserver.core.figures import LAG_BOUNDS, STALL_SECONDS, Figures
from pycaserver.lag import BEAT_SECONDS, SHOWN_BEATS, Lag, where
from tests.timing import async_wait_for

STALL = 4 * BEAT_SECONDS + STALL_SECONDS


def hold_up(seconds: float) -> None:
    """Work for so long, and let nobody else have their turn."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def on_a_loop(test: Callable[[Lag, Figures], Awaitable[None]]) -> None:
    """Run it on a loop whose lag is measured."""

    async def run() -> None:
        figures = Figures()
        lag = Lag(LoopClock(), figures)
        lag.start()
        try:
            await test(lag, figures)
        finally:
            lag.stop()

    asyncio.run(run())


def test_a_stall_is_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    async def test(lag: Lag, figures: Figures) -> None:
        await async_wait_for(lambda: sum(figures.loop_lag_seconds.counts))
        hold_up(STALL)
        await async_wait_for(lambda: figures.loop_stalls)
        assert figures.loop_lag_max > STALL_SECONDS
        assert 0 < figures.loop_work_max <= figures.loop_lag_max
        assert figures.loop_lag_seconds.sum >= figures.loop_lag_max >= figures.loop_lag > 0
        assert sum(figures.loop_lag_seconds.counts[LAG_BOUNDS.index(STALL_SECONDS) + 1 :]) == figures.loop_stalls

    on_a_loop(test)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "hold_up (tests/test_lag.py:" in record.message


def test_further_stalls_are_only_counted_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    async def test(lag: Lag, figures: Figures) -> None:
        for number in range(3):
            hold_up(STALL)
            await async_wait_for(partial(lambda known: figures.loop_stalls > known, number))
        assert len(caplog.records) == 1
        lag._quiet_until = 0.0
        hold_up(STALL)
        await async_wait_for(lambda: len(caplog.records) > 1)

    on_a_loop(test)
    assert caplog.records[1].message.endswith("2 stalls since the last such line are only counted")


def test_a_stall_without_work_is_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Another program had the processor."""

    async def test(lag: Lag, figures: Figures) -> None:
        time.sleep(STALL)
        await async_wait_for(lambda: figures.loop_stalls)

    on_a_loop(test)
    assert caplog.records == []


def test_what_was_before_the_start_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        figures = Figures()
        lag = Lag(LoopClock(), figures)
        hold_up(STALL)
        lag.start()
        await async_wait_for(lambda: sum(figures.loop_lag_seconds.counts))
        lag.stop()

    asyncio.run(run())
    assert caplog.records == []


def test_the_gauge_shows_the_worst_of_half_a_second() -> None:
    async def test(lag: Lag, figures: Figures) -> None:
        await async_wait_for(lambda: figures.loop_lag > 0)
        assert sum(figures.loop_lag_seconds.counts) >= SHOWN_BEATS or figures.loop_stalls

    on_a_loop(test)


def test_where_names_what_the_loop_has_called() -> None:
    async def turn() -> str:
        return where(sys._getframe())

    assert "turn (tests/test_lag.py:" in asyncio.run(turn())
    assert where(None) == ""
