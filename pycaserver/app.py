"""The composition root: builds the parts, wires them, starts them, stops them."""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import pycaserver
from pycaserver import logs
from pycaserver.audit import AuditTrail
from pycaserver.core.access import AccessControl
from pycaserver.core.channel import Channel
from pycaserver.core.clock import Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.events import Events
from pycaserver.core.figures import Figures
from pycaserver.core.history import Histories
from pycaserver.core.piecework import Piecework
from pycaserver.core.pool import ChannelPool
from pycaserver.core.puts import stop_puts
from pycaserver.core.services import Services
from pycaserver.dialects.native import NativeDialect
from pycaserver.keeper import Keeper
from pycaserver.lag import Lag
from pycaserver.reload import Reload, warn
from pycaserver.sections import Server as ServerSection
from pycaserver.settings import Settings
from pycaserver.sources.local import LocalSource
from pycaserver.sources.schemes import SchemeSource
from pycaserver.sources.sim import SimSource
from pycaserver.sources.stat import StatSource
from pycaserver.store import SampleFile
from pycaserver.web.hub import Hub
from pycaserver.web.identities import Identities
from pycaserver.web.security import Policy
from pycaserver.web.server import Listener
from pycaserver.web.site import Site
from pycaserver.web.tls import Certificate

log = logging.getLogger(__name__)

SWITCH_INTERVAL: Final = 0.001
"""Seconds: with Python's own 5 ms, libca's threads would wait for a busy loop five times as long for each event."""
GARBAGE_THRESHOLD: Final = 50_000
"""Objects more than at the last collection before the next one: a batch of updates must not set one off."""
FIGURES_SECONDS: Final = 0.5
"""Between two looks at figures that nobody counts up, and at what waits to be written."""
GOODBYE_SECONDS: Final = 2.0
"""How long peers have to take their leave at a shutdown."""
FAREWELL_SECONDS: Final = 4.0
"""After which the process ends, whatever state Channel Access is in."""


class LoopClock:
    """The event loop as the core's clock."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.monotonic = time.monotonic
        self.wall = time.time

    def call_soon(self, function: Callable[..., object], *args: Any) -> object:
        """Call once the current piece of work is done."""
        return self._loop.call_soon(function, *args)

    def call_later(self, delay: float, function: Callable[..., object], *args: Any) -> Timer:
        """Call after delay seconds."""
        return self._loop.call_later(delay, function, *args)


class Server:
    """The whole server, from settings."""

    def __init__(self, settings: Settings, load: Callable[[], Settings] | None = None) -> None:
        """load: reads the settings again at a SIGHUP; without it there is no such thing."""
        self._settings = settings
        self._load = load
        self._exit_code = 1  # until it listens
        self._stop_puts: Callable[[], object] = lambda: None  # until there may be some

    async def run(self, listening: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT; listening is told the address. OSError, RuntimeError if it cannot start."""
        stopped = self._catch_signals()
        self._start_channel_access()
        try:
            self._build()
            self._listener.listen(self._settings.server.address, self._settings.server.port)
            self._exit_code = 0
            self._begin()
            listening(self._listener.url)
            await stopped.wait()
            await self._take_leave()
        finally:
            self._source.stop()

    def _start_channel_access(self) -> None:
        from pycaserver.sources.ca import CASource  # libca reads its environment once, when it is loaded

        loop = asyncio.get_running_loop()
        self._figures = Figures()
        self._source = CASource(loop.add_reader, loop.call_later, self._figures)
        self._source.start()

    def _build(self) -> None:
        """All parts, none of which does anything yet."""
        settings, figures = self._settings, self._figures
        clock = self._clock = LoopClock()
        identities = Identities(settings.auth, settings.server.trusted_proxies, clock)
        limits = settings.limits
        sources = SchemeSource(
            {
                "ca": self._source,
                "sim": SimSource(clock),
                "loc": LocalSource(clock),
                "stat": StatSource(clock, figures, lambda: self._pool.states()),
            }
        )
        history = settings.history
        self._pool = ChannelPool(
            sources, clock, figures, limits.search_seconds, limits.linger_seconds,
            Histories(history.samples, history.memory_bytes), Events(clock, history.events),
        )  # fmt: skip
        for name in settings.pvs.names:
            self._offer("pvs.names", name)
        kept = [self._offer("history.keep", name) for name in history.kept(settings.pvs.names)]
        file = SampleFile(history.file, history.samples) if history.file else None
        self._keeper = Keeper(kept, file, figures)
        policy = self._policy = Policy(settings.server.allowed_hosts, settings.server.allowed_origins)
        self._hub = Hub(limits, clock, figures)
        identities.on_withdrawal = self._hub.review
        access = AccessControl(settings.access.compiled(), Piecework(clock, figures).begin)
        audit = self._audit = AuditTrail(settings.audit.file, figures, logs.is_unread)
        warn(access.rules)
        services = Services(self._pool, clock, figures, limits, access, audit, identities.stands)
        self._stop_puts = partial(stop_puts, services)
        site = Site(
            services, limits, policy, identities, self._hub, NativeDialect(), settings.pvs.names,
            pycaserver.__version__, clock.wall(), settings,
        )  # fmt: skip
        pages = Path(settings.server.pages).resolve() if settings.server.pages else None
        self._lag = Lag(clock, figures)
        self._listener = Listener(site, static_folder(), _certificate_of(settings.server), pages)
        if self._load:
            self._reload = Reload(settings, self._load, access, audit, identities, self._listener)

    def _begin(self) -> None:
        """What goes on by itself; not before it is certain that it serves."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD, 20, 100)
        self._keeper.start()
        self._hub.start()
        asyncio.get_running_loop().run_in_executor(None, self._policy.learn_own_names)
        self._lag.start()
        self._refresh(self._clock, self._figures)

    def _offer(self, setting: str, name: str) -> Channel:
        """Open a PV of the settings; RuntimeError if its source cannot have it."""
        try:
            return self._pool.acquire(name)
        except PycaError as error:
            raise RuntimeError(f"{setting}: {name}: {error.message}") from None

    def _catch_signals(self) -> asyncio.Event:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, partial(self._signalled, stopped))
        if self._load:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: self._reload())
        return stopped

    def _signalled(self, stopped: asyncio.Event) -> None:
        if stopped.is_set():
            self._leave()  # asked twice: at once
        stopped.set()

    async def _take_leave(self) -> None:
        """Of the peers, and of what is written; the process ends soon whatever happens meanwhile."""
        log.info("stopping: %d sessions are sent away", len(self._hub))
        asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._leave)
        try:
            self._listener.stop()
            self._hub.close()
            deadline = time.monotonic() + GOODBYE_SECONDS
            while len(self._hub) and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
        finally:
            self._lag.stop()
            self._stop_puts()
            await self._keeper.stop()
        log.info("stopped")

    def _leave(self) -> None:
        self._stop_puts()
        self._source.stop()
        logs.finish()
        os._exit(self._exit_code)

    def _refresh(self, clock: LoopClock, figures: Figures) -> None:
        figures.updates_merged_in = self._source.handoff.queue.merged
        figures.history_bytes = self._pool.histories.bytes
        figures.log_lines_lost = logs.catch_up()
        self._audit.catch_up()
        clock.call_later(FIGURES_SECONDS, self._refresh, clock, figures)


def _certificate_of(server: ServerSection) -> Certificate | None:
    return Certificate(server.tls_certificate, server.tls_key) if server.tls_certificate else None


def static_folder() -> Path:
    """The pages: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "static"
    return inside if inside.is_dir() else package.parent / "static"
