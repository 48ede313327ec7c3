"""One run: the plan carried out, the invariants checked, the base line restored."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final
from urllib.request import urlopen

from websockets.exceptions import WebSocketException

from tests.servers import Server
from tests.stress.link import Tamper
from tests.stress.model import INCARNATION, Broken, Gap, Ledger
from tests.stress.plan import Fault, Plan, make
from tests.stress.report import Outcome, Violation
from tests.stress.resources import Resources, metrics, resources
from tests.stress.session import POLL_SECONDS, SETTLE_SECONDS, Session
from tests.stress.strain import AFTER_SECONDS, Strain
from tests.stress.world import CountingIOC
from tests.timing import scaled

CALM_SECONDS: Final = 0.15
"""After which sockets that were closed are gone."""
BASE_SECONDS: Final = 20.0
WARM_UP_SECONDS: Final = 3.0
BAND: Final = 5.0
"""The greatest deadband of the plan: so far the last value told may be from the newest."""
AT_FIRST_OF: Final = 1000
"""Of so many subscriptions of the server one may have lost something as it began, and two in any run: at an IOC with
too little of a processor it was one in 20,000."""
BAD_WORDS: Final = ("Traceback", "ERROR", "never retrieved", "never awaited")
NOTHING: Final = Resources(channels=0, sessions=0, descriptors=1 << 20, threads=1 << 20, memory=1 << 60)
"""The base line of a server of which only that it has no sessions and channels is asked."""


class Round:
    """The sessions of a plan, from their first step until they have left."""

    def __init__(self, plan: Plan, ioc: CountingIOC, server: Server, turn: int, tampers: Mapping[str, Tamper]) -> None:
        """turn: counts the rounds in a world. tampers: by name of a session, what spoils its messages on purpose."""
        self.ledger = Ledger()
        self.merged_by_ioc = self.merged_late = self.unexplained = self.lost_at_first = 0
        self.sessions = [
            Session(script, self.ledger, server.monitor_url, ioc.prefix, f"own{number}", turn, tampers.get(script.name))
            for number, script in enumerate(plan.scripts)
        ]
        self._plan = plan
        self._ioc = ioc
        self._ioc_is_well = asyncio.Lock()
        """Held by who needs it to stay as it is, and by who hurts it."""
        self._server = server
        self._strain = Strain()
        self._over = False
        self._started = 0.0

    async def run(self) -> None:
        """All of it; raises Violation."""
        await _all([self._work(), self._look_on()])

    async def _work(self) -> None:
        await self._ioc.go_on()
        self._started = asyncio.get_running_loop().time()
        scripts = (self._as(session, session.run(self._started)) for session in self.sessions)
        await _all([*scripts, self._suffer(self._plan.faults)])
        await _all(self._as(session, session.finish()) for session in self.sessions)
        await self._settle()
        await _all(self._as(session, session.close()) for session in self.sessions)
        self._over = True

    async def _look_on(self) -> None:
        """Have explained what needs it, while those who know are still there."""
        while not self._over or self.ledger.merges:
            await self._strain.look(self._server)
            self.explain_merges()
            if not self._ioc_is_well.locked():
                await self.explain_gaps()

    def outcome(self) -> Outcome:
        """What was done."""
        return Outcome(
            self._plan,
            done=sum((session.done for session in self.sessions), Counter[str]()),
            faults=Counter(fault.do for fault in self._plan.faults),
            messages=sum(session.messages for session in self.sessions),
            counted=self.ledger.counted,
            merged_by_ioc=self.merged_by_ioc,
            merged_late=self.merged_late,
            unexplained=self.unexplained,
            lost_at_first=self.lost_at_first,
            behind=max(session.behind for session in self.sessions if session.kind.everything),
        )

    async def _as(self, session: Session, deed: Awaitable[None]) -> None:
        try:
            await deed
        except (Broken, OSError, WebSocketException) as broken:
            at = asyncio.get_running_loop().time() - self._started
            what = str(broken) if isinstance(broken, Broken) else f"no session to be had: {broken!r}"
            raise Violation(what, session.name, at, session.last) from None

    async def _suffer(self, faults: Iterable[Fault]) -> None:
        loop = asyncio.get_running_loop()
        for fault in faults:
            await asyncio.sleep(max(0.0, self._started + fault.at - loop.time()))
            await self.explain_gaps()
            async with self._ioc_is_well:
                await self._ioc.suffer(fault)

    async def _settle(self) -> None:
        """Counters stand still: wait until everybody has everything."""
        await self._ioc.stand_still()
        pvs = {watch.pv for session in self.sessions for watch in session.wanted if watch.counts}
        newest = {pv: await self._ioc.value(pv) for pv in sorted(pvs)}
        for session in self.sessions:
            await self._as(session, self._settled(session, newest))
        await self.explain_gaps()

    async def _settled(self, session: Session, newest: Mapping[str, float]) -> None:
        deadline = asyncio.get_running_loop().time() + scaled(SETTLE_SECONDS)
        while missing := session.missing(newest, BAND):
            await session.watch_over()
            if asyncio.get_running_loop().time() > deadline:
                raise Broken(f"{scaled(SETTLE_SECONDS):g} s after all had come to rest: {missing}")
            await asyncio.sleep(POLL_SECONDS)
        await session.watch_over()

    async def explain_gaps(self) -> None:
        """What no session has seen: does the IOC say that it has merged it?"""
        async with self._ioc_is_well:
            gaps, self.ledger.gaps = self.ledger.gaps, []
            for gap in gaps:
                if gap.after // INCARNATION < self._ioc.incarnation:
                    self.unexplained += gap.missing
                elif await self._ioc.replaced(gap.pv) >= gap.missing:
                    self.merged_by_ioc += gap.missing
                elif self.ledger.is_at_first(gap) and self.lost_at_first < 2 + self.ledger.begun // AT_FIRST_OF:
                    self.lost_at_first += 1
                else:
                    known = await asyncio.to_thread(self._known_to_server, gap)
                    raise self._violation(
                        f"{gap}: lost for everybody, the IOC has merged none, and the server's history has {known}"
                    )

    def explain_merges(self) -> None:
        """What was merged for a session that reads all: was the server or this program late?"""
        known = time.monotonic() - AFTER_SECONDS
        due = [merge for merge in self.ledger.merges if merge.at < known]
        self.ledger.merges = [merge for merge in self.ledger.merges if merge.at >= known]
        for merge in due:
            if not self._strain.explains(merge.at):
                raise self._violation(f"{merge.merged} values of {merge.pv} merged for a session that reads all")
            self.merged_late += merge.merged

    def _known_to_server(self, gap: Gap) -> list[float]:
        """What of the gap has reached the server."""
        with urlopen(f"{self._server.url}api/pv/{gap.pv}/history") as answer:
            return [value for value in json.load(answer)["value"] if gap.before < value < gap.after]

    def _violation(self, what: str) -> Violation:
        return Violation(what, "the server", asyncio.get_running_loop().time() - self._started)


async def stress(
    plan: Plan,
    ioc: CountingIOC,
    server: Server,
    tampers: Mapping[str, Tamper] | None = None,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Outcome:
    """Warm up, take the base line, carry out the plan, return to the base line; raises Violation.

    beside: what goes on while the plan is carried out, and is cancelled then.
    """
    await Round(make(plan.seed, WARM_UP_SECONDS, plan.counters), ioc, server, 1, {}).run()
    await _return_to(NOTHING, server)
    await asyncio.sleep(CALM_SECONDS)
    base = await asyncio.to_thread(resources, server)
    round = Round(plan, ioc, server, 2, tampers or {})
    companion = asyncio.ensure_future(beside()) if beside else None
    try:
        await round.run()
    finally:
        if companion:
            companion.cancel()
    outcome = round.outcome()
    outcome.base, outcome.end = base, await _return_to(base, server, outcome.done.total())
    outcome.metrics = await asyncio.to_thread(metrics, server)
    _check_health(outcome, server)
    return outcome


async def _return_to(base: Resources, server: Server, steps: int = 0) -> Resources:
    """Wait until the server holds no more than at the base line; what it holds then."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + scaled(BASE_SECONDS)
    while excess := (now := await asyncio.to_thread(resources, server)).excess(base, steps):
        if loop.time() > deadline:
            raise Violation(f"not back to the base line, too many by {excess}: {base} -> {now}", "the server", 0.0)
        await asyncio.sleep(POLL_SECONDS)
    return now


def _check_health(outcome: Outcome, server: Server) -> None:
    """No fault counted, nothing in the log that should not be; and it ends when it is told to."""
    faults = outcome.metrics["pycaserver_faults_total"]
    bad = [line for line in server.output.splitlines() if any(word in line for word in BAD_WORDS)]
    if faults or bad:
        raise Violation(f"{faults:g} faults; in the log: {bad[:3]}", "the server", 0.0)
    if code := server.stop():
        raise Violation(f"the server ended with {code}", "the server", 0.0)


async def _all(deeds: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All side by side; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(deed) for deed in deeds]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
