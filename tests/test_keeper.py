"""keeper.py: PVs that stay in use, and a file that is written beside the loop, or not, without harm."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pycaserver.core.channel import Channel
from pycaserver.keeper import Keeper
from pycaserver.store import SampleFile
from tests.fakes import World
from tests.test_store import locked
from tests.timing import scaled

SOON = 0.01
"""Seconds between batches."""


class Kept:
    """A keeper of two PVs, and what plays their IOC."""

    def __init__(self, path: Path, save_seconds: float = SOON) -> None:
        self.world = World()
        self.channels = [self.world.channel(name) for name in ("A", "B")]
        for name in ("A", "B"):
            self.world.source[name].bring_up()
        self.file = SampleFile(str(path), 1000)
        self.keeper = Keeper(self.channels, self.file, self.world.figures, save_seconds)

    @property
    def failures(self) -> int:
        return self.world.figures.history_failures

    def post(self, *values: float) -> None:
        """To A; each has its own second."""
        for each in values:
            self.world.source["A"].post(each, seconds=int(each))

    @property
    def first(self) -> Channel:
        return self.channels[0]


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), scaled(10)))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def stored(path: Path, name: str = "A") -> list[float]:
    """What is in the file; nothing as long as it is not one."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
        rows = connection.execute("SELECT value FROM sample JOIN pv ON pv = id WHERE name = ? ORDER BY number", (name,))
        return [value for (value,) in rows]
    return []


async def begun(path: Path) -> Kept:
    """One that has saved a value."""
    kept = Kept(path)
    kept.keeper.start()
    kept.post(1)
    await until(lambda: stored(path) == [1])
    return kept


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_kept_pvs_are_monitored_and_have_a_history_without_a_file() -> None:
    world = World()
    channel = world.channel("A")

    async def test() -> None:
        keeper = Keeper([channel], None, world.figures)
        keeper.start()
        assert world.source["A"].monitors == 1
        await keeper.stop()

    run(test)


def test_the_next_server_has_what_the_last_one_had(path: Path) -> None:
    async def first() -> None:
        kept = Kept(path)
        kept.keeper.start()
        kept.post(1, 2)
        await until(lambda: stored(path) == [1, 2])
        kept.post(3)
        await until(lambda: stored(path) == [1, 2, 3])
        kept.post(4)
        await kept.keeper.stop()  # the last batch

    async def second() -> None:
        kept = Kept(path)
        kept.post(4, 5)  # before the old ones are there, and the IOC tells its value again
        kept.keeper.start()
        await until(lambda: kept.first.history.since(0).values.tolist() == [1, 2, 3, 4, 5])
        await kept.keeper.stop()

    run(first)
    run(second)
    assert stored(path) == [1, 2, 3, 4, 4, 5]
    assert stored(path, "B") == []


def test_a_file_that_cannot_be_read_at_the_start_is_read_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "later" / "history.sqlite"

    async def test() -> None:
        kept = Kept(path)
        kept.keeper.start()
        kept.post(1)
        await until(lambda: kept.failures > 3)
        path.parent.mkdir()
        await until(lambda: stored(path) == [1])
        await kept.keeper.stop()

    with caplog.at_level(logging.INFO):
        run(test)
    told = [record.getMessage() for record in caplog.records if record.name == "pycaserver.keeper"]
    assert len(told) == 2, "once when it begins, and once when it ends"
    assert "No such file" in told[0] and "can be used again" in told[1]


def test_what_could_not_be_saved_is_saved_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pycaserver.store.LOCK_SECONDS", 0.001)

    async def test() -> None:
        kept = await begun(path)
        with locked(path):
            kept.post(2)
            await until(lambda: kept.failures > 1)
            kept.post(3)
        await until(lambda: stored(path) == [1, 2, 3])
        await kept.keeper.stop()

    run(test)


def test_a_file_that_never_answers_does_not_keep_the_server_from_stopping(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pycaserver.keeper.STOP_SECONDS", 0.05)
    monkeypatch.setattr("pycaserver.store.LOCK_SECONDS", 0.5)

    async def test() -> None:
        kept = await begun(path)
        with locked(path):
            kept.post(2)
            before = asyncio.get_running_loop().time()
            await kept.keeper.stop()
            assert asyncio.get_running_loop().time() - before < 0.4

    run(test)


def test_the_end_before_the_file_could_be_read_is_an_end(tmp_path: Path) -> None:
    async def test() -> None:
        kept = Kept(tmp_path / "missing" / "history.sqlite")
        kept.keeper.start()
        await until(lambda: kept.failures > 0)
        await kept.keeper.stop()

    run(test)
