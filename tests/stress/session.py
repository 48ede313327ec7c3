"""A session of the stress program: one WebSocket after another, doing what its script says."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from websockets.exceptions import ConnectionClosed

from tests.stress.garbage import BREAKING, FRAMES
from tests.stress.link import Link, Tamper, shown
from tests.stress.model import Broken, Ledger, Watch
from tests.stress.plan import KINDS, Script, Step
from tests.timing import scaled

SETTLE_SECONDS: Final = 30.0
"""Within which everything is connected after the last fault, and the last value has come."""
POLL_SECONDS: Final = 0.05
END_SECONDS: Final = 10.0
"""Within which the server answers a close frame, or bytes after which it closes."""
WRITTEN: Final = 1e9
"""Values that sessions write are above it, those that the IOC starts with below."""
ENDS: Final = {True: frozenset[int](), False: frozenset({1002, 1006, 1007, 1009, 4001, 4002, 4004})}
"""Close codes that a session may see that has not asked for the end, by whether it keeps up."""


LAST_STEPS: Final = {
    "writer": (Step(0, "put", {"wait": True, "timeout": 30}), Step(0, "ping", {})),
    "": (Step(0, "resume", {}), Step(0, "ping", {})),
}
"""What sessions do in the end, by kind."""


class Session:
    """One script being carried out. Broken in `run` and `finish` is a violation."""

    def __init__(
        self,
        script: Script,
        ledger: Ledger,
        url: str,
        prefix: str,
        own: str,
        turn: int = 1,
        tamper: Tamper | None = None,
    ) -> None:
        """own: the PV, without prefix, that this session and no other writes, in so many rounds."""
        self.name = script.name
        self.kind = KINDS[script.kind]
        self.done: Counter[str] = Counter()
        """How often it has done what."""
        self.messages = 0
        self.behind = 0.0
        """Seconds by which it was last late for a step, at worst: how far the machine could not follow the plan."""
        self.written = WRITTEN * turn
        self._script = script
        self._ledger = ledger
        self._url = url
        self._prefix = prefix
        self._own = own
        self._tamper = tamper
        self._link: Link | None = None
        self._receiving: asyncio.Task[None] | None = None

    @property
    def link(self) -> Link:
        """The present one."""
        assert self._link is not None
        return self._link

    async def run(self, started: float) -> None:
        """Carry the script out; started: the loop's time at its second 0."""
        loop = asyncio.get_running_loop()
        for step in self._script.steps():
            await self._until(started + step.at)
            self.behind = max(self.behind, loop.time() - started - step.at)
            await self._do(step)
        await self._until(started + self._script.seconds)

    async def finish(self) -> None:
        """Read again, take up what was paused, have a socket that works; and write a last value."""
        if self._link is not None:
            self.link.reading.set()
        if self._script.kind == "writer":
            await self._own_is_there()
        for step in LAST_STEPS.get(self._script.kind, LAST_STEPS[""]):
            await self._do(step)

    async def _own_is_there(self) -> None:
        """Until the PV to be written is connected; faults are over."""
        deadline = asyncio.get_running_loop().time() + scaled(SETTLE_SECONDS)
        while not self.link.watch(self._own).connected:
            await self._until(asyncio.get_running_loop().time() + POLL_SECONDS)
            if asyncio.get_running_loop().time() > deadline:
                raise Broken(f"{self._own} is not connected {scaled(SETTLE_SECONDS):g} s after the last fault")

    @property
    def last(self) -> list[str]:
        """The last messages of the present link."""
        return list(map(shown, self._link.last)) if self._link is not None else []

    @property
    def wanted(self) -> list[Watch]:
        """What it is subscribed to."""
        return [watch for watch in self._link.watches.values() if watch.wanted] if self._link is not None else []

    def missing(self, newest: Mapping[str, float], band: float) -> list[str]:
        """What it should have by now and has not; newest: of all counters, to be met within band if it wants one."""
        if self._link is None:
            return []
        answers = [f"{self.link.refused} errors"] * bool(self.link.refused) + list(map(str, self.link.unanswered))
        present = [watch for watch in self.wanted if not watch.pv.startswith(self._prefix + "absent")]
        away = [f"{watch.pv} is not connected" for watch in present if not watch.connected]
        late = [
            f"{watch.pv} has {watch.last}, not {newest[watch.pv]}"
            for watch in present
            if watch.pv in newest and not watch.has(newest[watch.pv], band)
        ]
        return answers + away + late + self._unwritten()

    def _unwritten(self) -> list[str]:
        """Whether the own PV has the last value written."""
        if self._script.kind != "writer":
            return []
        last = self.link.watch(self._own).last
        return [] if last == self.written else [f"{self._own} has {last}, not {self.written}"]

    async def close(self) -> None:
        """The end of the session."""
        if self._link is not None:
            await self._end("close")

    async def watch_over(self) -> None:
        """Raise Broken if the present link has found a violation, or has been closed and should not have been."""
        if self._receiving is not None and self._receiving.done():
            await self._receiving
            self._check_end()

    # -- steps

    async def _until(self, time: float) -> None:
        """Wait, unless the link ends by a violation before."""
        loop = asyncio.get_running_loop()
        while (left := time - loop.time()) > 0:
            if self._receiving is None:
                await asyncio.sleep(left)
            else:
                await asyncio.wait({self._receiving}, timeout=left)
                await self.watch_over()

    async def _do(self, step: Step) -> None:
        self.done[step.do] += 1
        if self._link is None:
            await self._open()
        try:
            await _DEEDS.get(step.do, Session._request)(self, step)
        except ConnectionClosed:
            await self._receiving_ended()

    async def _open(self) -> None:
        self._link = Link(self._ledger, self._prefix, healthy=self.kind.healthy, tamper=self._tamper)
        await self.link.open(self._url, small=not self.kind.healthy)
        self._receiving = asyncio.create_task(self.link.receive())
        if self._script.kind == "writer":
            await self.link.request("connect", pv=[self._own])

    async def _request(self, step: Step) -> None:
        await self.link.request(step.do, **step.keys)

    async def _refine(self, step: Step) -> None:
        await self.link.request("connect", **step.keys)

    async def _flap(self, step: Step) -> None:
        for _ in range(step.keys["times"]):
            await self.link.request("connect", pv=step.keys["pv"])
            await self.link.request("disconnect", pv=step.keys["pv"])

    async def _put(self, step: Step) -> None:
        self.written += 1
        await self.link.request("put", pv=self._own, value=self.written, **step.keys)

    async def _pause(self, step: Step) -> None:
        await self.link.request(step.do)

    async def _disconnect(self, step: Step) -> None:
        """With a ping behind it: after its answer nothing more may come."""
        await self.link.request("disconnect", **step.keys)
        await self.link.request("ping")

    async def _stall(self, step: Step) -> None:
        self.link.reading.clear()
        asyncio.get_running_loop().call_later(step.keys["seconds"], self.link.reading.set)

    async def _refuse(self, step: Step) -> None:
        await self.link.garbage(FRAMES[step.keys["what"]])

    async def _break(self, step: Step) -> None:
        self.link.rude = True
        self.link.last.append((">", step.keys["what"]))
        self.link.socket.transport.write(BREAKING[step.keys["what"]])
        assert self._receiving is not None
        await asyncio.wait({self._receiving}, timeout=1)
        await self._end("reset")

    async def _leave(self, step: Step) -> None:
        await self._end(step.do)

    # -- ends

    async def _end(self, how: str) -> None:
        """End the link; Broken if its end is not what it should be."""
        link, receiving = self.link, self._receiving
        assert receiving is not None
        link.reading.set()
        await _ENDINGS[how](link)
        done, _ = await asyncio.wait({receiving}, timeout=scaled(END_SECONDS))
        if not done:
            raise Broken(f"the server did not end the connection after {how}")
        await receiving
        self._forget()

    async def _receiving_ended(self) -> None:
        assert self._receiving is not None
        self.link.reading.set()
        await self._receiving
        self._check_end()

    def _check_end(self) -> None:
        """The server has ended the link: might it?"""
        code = self.link.close_code
        if code not in ENDS[self.link.keeps_up()]:
            raise Broken(f"closed with {code}: {self.link.socket.close_reason}")
        self._forget()

    def _forget(self) -> None:
        self.messages += self.link.messages
        self._link = self._receiving = None


async def _close(link: Link) -> None:
    await link.socket.close()


async def _reset(link: Link) -> None:
    link.socket.transport.abort()


async def _half_close(link: Link) -> None:
    """No more will be sent, while values still come."""
    if link.socket.transport.can_write_eof():
        link.socket.transport.write_eof()


_ENDINGS: Final[dict[str, Callable[[Link], Awaitable[None]]]] = {
    "close": _close,
    "reset": _reset,
    "half_close": _half_close,
}
_DEEDS: Final[dict[str, Callable[[Session, Step], Awaitable[None]]]] = {
    "refine": Session._refine,
    "flap": Session._flap,
    "disconnect": Session._disconnect,
    "put": Session._put,
    "pause": Session._pause,
    "resume": Session._pause,
    "stall": Session._stall,
    "refuse": Session._refuse,
    "break": Session._break,
    **dict.fromkeys(_ENDINGS, Session._leave),
}
