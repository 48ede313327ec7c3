"""Keeper: PVs that stay in use for their history, and the file in which it outlives the server.

THREADS: the file is read and written on a thread of its own; what is kept is looked at on the loop.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from pycaserver.core.channel import Channel
from pycaserver.core.figures import Figures
from pycaserver.core.history import Samples
from pycaserver.store import SampleFile

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

SAVE_SECONDS: Final = 2.0
"""Between two batches: what a crash may lose."""
STOP_SECONDS: Final = 1.5
"""How long the last batch may take."""
_AT_ONCE: Final = 50
"""PVs looked at before others on the loop have their turn."""


class Keeper:
    """Keeps PVs in use, and saves what comes of them."""

    def __init__(
        self, channels: Iterable[Channel], file: SampleFile | None, figures: Figures, save_seconds: float = SAVE_SECONDS
    ) -> None:
        """channels: acquired for this; file: nothing outlives the server without."""
        self._saved = dict.fromkeys(channels, 0)
        """How much of each is in the file, as HistoryBuffer.total."""
        self._to_load = list(self._saved)
        self._file = file
        self._figures = figures
        self._save_seconds = save_seconds
        self._thread = ThreadPoolExecutor(1, "history")
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    def start(self) -> None:
        """Have values come, and begin to load what the file has of them."""
        for channel in self._saved:
            channel.monitor()
        if self._file:
            self._task = asyncio.get_running_loop().create_task(self._run(self._file))

    async def stop(self) -> None:
        """Save the last batch, if that can be done soon."""
        self._stopping.set()
        if self._task:
            await asyncio.wait((self._task,), timeout=STOP_SECONDS)
        self._thread.shutdown(wait=False)

    # -- inside

    async def _run(self, file: SampleFile) -> None:
        over = False
        while not over and not await self._try(self._load, file):
            over = await self._is_over()
        while not over:
            over = await self._is_over()
            await self._try(self._save, file)
        await self._on_thread(file.close)

    async def _is_over(self) -> bool:
        """Wait for the next time, or the end."""
        try:
            await asyncio.wait_for(self._stopping.wait(), self._save_seconds)
        except TimeoutError:
            return False
        return True

    async def _try(self, work: Callable[[SampleFile], Awaitable[None]], file: SampleFile) -> bool:
        """Whether it could be done; what keeps it from being done is counted, and logged when it begins."""
        try:
            await work(file)
        except (sqlite3.Error, OSError) as error:
            self._figures.history_failures += 1
            self._say(str(error), file)
            await self._on_thread(file.close)
            return False
        self._say("", file)
        return True

    def _say(self, trouble: str, file: SampleFile) -> None:
        if trouble and trouble != self._trouble:
            log.error("history.file %s: %s; it is tried again", file.path, trouble)
        elif self._trouble and not trouble:
            log.info("history.file %s can be used again", file.path)
        self._trouble = trouble

    async def _load(self, file: SampleFile) -> None:
        await self._on_thread(file.forget_others, [channel.name for channel in self._saved])
        while self._to_load:
            channel = self._to_load[-1]
            channel.history.restore(await self._on_thread(file.load, channel.name))
            self._to_load.pop()

    async def _save(self, file: SampleFile) -> None:
        """All that has come since the last time."""
        batch: list[tuple[str, Samples]] = []
        reached = {}
        for number, (channel, saved) in enumerate(self._saved.items()):
            total = channel.history.total
            if total > saved:
                batch.append((channel.name, channel.history.newest(total - saved)))
                reached[channel] = total
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        if batch:
            await self._on_thread(file.save, batch)
            self._saved |= reached

    async def _on_thread(self, work: Callable[P, T], *args: P.args, **keys: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **keys))
