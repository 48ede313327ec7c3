"""What a session may be told of one PV: a model of the subscription, and what breaks its invariants.

A counter's value is INCARNATION * n + k: the IOC's nth start, and k steps after it. It never falls, and within one
connection each is one more than the last, or `coalesced` says how many were left out.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

INCARNATION: Final = 1_000_000
RECENT: Final = 2000

Message = Mapping[str, Any]


class Broken(Exception):
    """An invariant does not hold; the text says which, and how."""


@dataclass(frozen=True)
class Gap:
    """A session has seen these two values of a counter one after the other; so many between were merged."""

    pv: str
    before: float
    after: float
    merged: int

    @property
    def missing(self) -> int:
        """How many values there were that nothing is known of."""
        return int(self.after - self.before) - 1 - self.merged


class Merge(NamedTuple):
    """Values were merged for a session that reads all."""

    pv: str
    merged: int
    at: float
    """time.monotonic() at which the session was told."""


class Ledger:
    """What anybody has seen of the counters: a value that one session lacks and another has was lost by the server.

    One that nobody has seen may have been merged by the IOC, which has to say so; or it came while the server's own
    subscription began: a C IOC queues the first value, then lets others follow, and loses what comes in between.
    """

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        """Those that nobody has contradicted and that are still to be explained, once for all that have met them."""
        self.merges: list[Merge] = []
        """Those that are still to be explained: only a machine too busy for the server or this program does that."""
        self.counted = 0
        """Steps of one that sessions have checked."""
        self.begun = 0
        """Values with which a subscription of the server began, about."""
        self._firsts: dict[str, float] = {}
        self._recent: dict[str, deque[float]] = {}
        self._met: set[Gap] = set()
        self._known: dict[tuple[str, float], Gap] = {}

    def first(self, pv: str, value: float) -> None:
        """A session has seen the value first of all on a connection."""
        followed = self._recent.get(pv)
        if value > max(self._firsts.get(pv, -1.0), followed[-1] if followed else -1.0):
            self._firsts[pv] = value
            self.begun += 1

    def step(self, pv: str, value: float) -> None:
        """A session has seen the value, and the one before it or how many were merged into it."""
        self.counted += 1
        self._follows(pv, value)

    def plain(self, pv: str, value: float) -> None:
        """The same, right after its predecessor: nobody may have a gap there."""
        if self._known and (pv, value) in self._known:
            raise Broken(f"{self._known[pv, value]} for another session, while this one has seen all: lost")
        self.step(pv, value)

    def gap(self, pv: str, before: float, after: float, merged: int) -> None:
        """A session has seen these two and fewer between, and merged into the second, than there are."""
        gap = Gap(pv, before, after, merged)
        if gap in self._met:
            return
        if not merged and any(before < value < after for value in self._recent.get(pv, ())):
            raise Broken(f"{gap}: {gap.missing} values lost, which other sessions have seen")
        if not merged:
            self._known[pv, after] = gap
        self._met.add(gap)
        self.gaps.append(gap)
        self._follows(pv, after)

    def is_at_first(self, gap: Gap) -> bool:
        """Whether nobody has seen anything before it on this connection: then it may be how a subscription began."""
        return gap.before not in self._recent[gap.pv]

    def _follows(self, pv: str, value: float) -> None:
        """A session has seen it after another one."""
        recent = self._recent.setdefault(pv, deque(maxlen=RECENT))
        if not recent or value > recent[-1]:
            recent.append(value)


class Terms(NamedTuple):
    """How a connect asks for a PV."""

    lossy: bool
    """With a deadband: what is left out is not counted."""
    merged: bool
    """With a rate: what is left out is counted."""
    anew: bool
    """Whether the session was not subscribed before."""


@dataclass
class Watch:
    """One PV as one session sees it. Told what the session asks for, and every message about the PV; raises Broken."""

    pv: str
    ledger: Ledger
    counts: bool = True
    """Whether it is a counter; else values need only come in the order of `number`, and may fall with a connection."""
    keeps_up: Callable[[], bool] = lambda: True
    """Whether the session reads all: then merging wants an explanation, unless it has asked for a rate."""
    wanted: bool = False
    connected: bool | None = None
    last: float | None = None
    """The newest value."""
    gone: bool = False
    """Whether a disconnect has taken effect: nothing may come any more."""
    _fresh: bool = True
    _again: bool = False
    _lossy: bool = False
    _merged: bool = False
    _pending: dict[int, Terms] = field(default_factory=dict)

    def connect(self, id: int, *, lossy: bool = False, merged: bool = False) -> None:
        """The session asks for it; lossy: with a deadband; merged: with a rate, or while values are held back."""
        self._pending[id] = Terms(lossy, merged, not self.wanted)
        self.wanted, self.gone = True, False

    def disconnect(self) -> None:
        """The session wants it no longer; what is on its way may come."""
        self.wanted = False

    def disconnected(self) -> None:
        """The server has taken up the disconnect, and no connect after it."""
        if not self.wanted:
            self.gone = True

    def awaits(self, id: int) -> bool:
        """Whether this connect has not been answered yet."""
        return id in self._pending

    def has(self, newest: float, band: float) -> bool:
        """Whether the session has been told this value, or one within the deadband that it may have asked for."""
        return self.last is not None and abs(self.last - newest) < (band if self._may_skip else 0.5)

    def connection(self, message: Message) -> None:
        """A connection message."""
        self._must_be_there()
        id, conn = message.get("id"), message["conn"]
        if id is None and conn and self.connected and not self._pending:
            raise Broken("conn true twice, and nobody has asked")
        if id is not None:
            self._answered(id)
        if not conn or not self.connected:
            self._fresh = True
        self.connected, self._again = conn, True

    def value(self, message: Message, number: float) -> None:
        """A monitor message; number: what grows from one to the next."""
        self._must_be_there()
        if not self.connected:
            raise Broken("a value while the PV is not connected")
        merged = message.get("coalesced", 0)
        if merged and not self._may_merge and not self._fresh and self.keeps_up():
            self.ledger.merges.append(Merge(self.pv, merged, time.monotonic()))
        self._check_order(number)
        if self.counts and self._fresh:
            self.ledger.first(self.pv, number)
        self._check_step(number, merged)
        self.last, self._fresh, self._again = number, False, False

    def _must_be_there(self) -> None:
        if self.gone:
            raise Broken("a message about a PV after the disconnect was taken up")

    @property
    def _may_merge(self) -> bool:
        return self._merged or any(terms.merged for terms in self._pending.values())

    @property
    def _may_skip(self) -> bool:
        return self._lossy or any(terms.lossy for terms in self._pending.values())

    def _answered(self, id: int) -> None:
        """The connect of this id has taken effect, and so have all before it."""
        if id not in self._pending:
            raise Broken(f"connection with the id {id}, which was answered before or never asked")
        anew = any(terms.anew for earlier, terms in self._pending.items() if earlier <= id)
        self._fresh = self._fresh or self._lossy or anew
        self._lossy, self._merged, _ = self._pending[id]
        self._pending = {later: terms for later, terms in self._pending.items() if later > id}

    def _check_order(self, number: float) -> None:
        if self.last is None or number > self.last or (number == self.last and self._again):
            return
        if number < self.last and (self.counts or not self._fresh):
            raise Broken(f"out of order: {number} after {self.last}")
        if number == self.last:
            raise Broken(f"{number} twice: a duplicate stream")

    def _check_step(self, number: float, merged: int) -> None:
        if not self.counts or self.last is None or self._fresh or self._may_skip or number == self.last:
            return
        step = number - self.last
        if step == merged + 1 or (merged and step == merged):  # the value sent again at a connect counts as an update
            (self.ledger.step if merged else self.ledger.plain)(self.pv, number)
        elif step > merged + 1 and number // INCARNATION == self.last // INCARNATION:
            self.ledger.gap(self.pv, self.last, number, merged)
        else:
            raise Broken(f"{number} after {self.last} with {merged} merged")
