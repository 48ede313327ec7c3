"""Session: one peer, its budgets, rights and subscriptions, whatever it speaks."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final

from pycaserver.core.budget import Budget
from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import TOO_MANY_ERRORS, PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import Message, PutAnswer
from pycaserver.core.oneshot import Done
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing, Outbox, Transport
from pycaserver.core.piecework import Job, Pieces
from pycaserver.core.puts import PEERS_FAULTS, Answer, Puts
from pycaserver.core.reads import Reads
from pycaserver.core.requests import Put
from pycaserver.core.rights import Gate, Rights
from pycaserver.core.services import Services
from pycaserver.core.subscription import Subscription
from pycaserver.core.terms import Id

log = logging.getLogger(__name__)

AT_ONCE: Final = 100
"""PVs of one request that are worked off before others have their turn."""
ERROR_BURST_SECONDS: Final = 5
"""An error budget lets through this many seconds' worth at once."""


class Session(ABC):
    """One peer. The web layer calls receive and ended; everything it sends goes through its outbox.

    A dialect is one module of dialects/ with a subclass, which says what is heard (handle) and how the core is heard
    (send, refuse, encoding_of); it calls subscribe, unsubscribe, read and put, which see to rights, bounds and audit.
    It is served by a row in web/routes.py, has its section in sections.Dialects if it has settings, and enters its
    row into tests/dialects/test_contract.py. The session that speaks the core's own vocabulary is RequestSession.
    """

    authenticates = False
    """Whether handle itself sees to it that the anonymous may do nothing but authenticate, where that is required."""

    def __init__(
        self,
        services: Services,
        transport: Transport,
        framing: Framing,
        identity: Identity,
        gate: Gate | None = None,
    ) -> None:
        """gate: if the identity may come later, or change."""
        pool, clock, figures, limits = services.pool, services.clock, services.figures, services.limits
        self.services = services
        self.figures = figures
        self.clock = clock
        self.rights = Rights(services.access, identity)
        self.outbox = Outbox(transport, framing, pool.fanout, clock, figures, limits.backlog_bytes)
        self.transport = transport
        self.gate = gate
        self.subscribed: dict[str, Subscription] = {}
        """By the name that was asked for."""
        self.at_fault = False
        """Whether the request that is being handled was refused for the peer's own mistake; counts as an error."""
        self._access = services.access
        self._puts = Puts(services)
        self._reads = Reads(self.rights, pool, clock)
        self._limits = limits
        self._requests = Budget(clock, limits.requests_per_second, limits.requests_per_second)
        errors = limits.errors_per_second
        self._errors = Budget(clock, errors, errors * ERROR_BURST_SECONDS)
        self._over_budget = False
        self._work: tuple[Job, ...] = ()
        """Long requests, eldest first; more than one where the peer does not wait for its answers."""
        self._access.watchers[self._recheck] = None
        figures.sessions += 1
        figures.sessions_opened += 1

    # -- what a dialect says of itself

    @abstractmethod
    def handle(self, data: bytes) -> None:
        """Do what one message asks for; PycaError if it is none, or cannot be done."""

    @abstractmethod
    def refuse(self, error: PycaError) -> None:
        """Tell the peer what went wrong; counts the error (figures.errors)."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Tell the peer what the core says, as far as the dialect has words for it: at least Connection messages."""

    @abstractmethod
    def encoding_of(self, options: SubscriptionOptions) -> tuple[Hashable, ValueEncoder]:
        """The key under which subscriptions share encoded values, and what encodes them: finished frames."""

    # -- called by the web layer

    def receive(self, data: bytes) -> float:
        """Execute one message; the seconds to wait before reading the next, 0.0 within the request budget."""
        self.figures.requests += 1
        self.at_fault = False
        wait = self._requests.spend()
        self._over_budget = wait > 0
        try:
            if self.locked and not self.authenticates:
                raise PycaError("unauthenticated", "An identity is needed, and this protocol has no words to show it.")
            self.handle(data)
        except PycaError as error:
            self.at_fault = True
            self.refuse(error)
        except Exception:
            log.exception("a request failed unexpectedly")
            self.figures.faults += 1
            self.refuse(PycaError("internal"))
        self._count_fault()
        return wait

    def ended(self) -> None:
        """The peer is gone: leave all channels. Nothing refers to the session in a circle then, so that its memory is
        free without the garbage collector, which may not look at old objects for days."""
        self.figures.sessions -= 1
        self._access.watchers.pop(self._recheck, None)
        self._puts.close()
        self.outbox.close()
        self._reads.close()
        for job in self._work:
            job.cancel()
        self._work = ()
        self.at_fault = False
        self.each(list(self.subscribed), self.unsubscribe)

    @property
    def busy(self) -> bool:
        """Whether a request is not wholly done yet: the peer is not to be read until it is."""
        return bool(self._work)

    @property
    def subscriptions(self) -> int:
        """How many it has."""
        return len(self.subscribed)

    @property
    def channels(self) -> list[Channel]:
        """Those that it is subscribed to."""
        return [subscription.channel for subscription in self.subscribed.values()]

    @property
    def identity(self) -> Identity:
        """Who the peer is."""
        return self.rights.identity

    @property
    def locked(self) -> bool:
        """Whether the peer has to show who it is before anything else."""
        return self.gate is not None and self.gate.locked

    def become(self, identity: Identity) -> None:
        """The peer has shown who it is: from now on it has that identity's rights."""
        self.rights.identity = identity
        self.work_off(self._recheck(), len(self.subscribed))

    # -- called by the dialect

    def subscribe(self, name: str, options: SubscriptionOptions, id: Id | None = None) -> None:
        """Begin, or go on with other options; PycaError(read_denied, invalid_pv_name, too_many_subscriptions)."""
        self.rights.check_read(name)
        subscription = self.subscribed.get(name)
        if subscription is not None:
            subscription.replace(options)
        else:
            self.check_room()
            subscription = Subscription(self, self.services.pool.acquire(name), options)
            self.subscribed[name] = subscription
        subscription.greet(id)

    def unsubscribe(self, name: str) -> None:
        """End it; harmless if there is none."""
        subscription = self.subscribed.pop(name, None)
        if subscription is not None:
            subscription.end()
            self.services.pool.release(subscription.channel)

    def read(self, name: str, done: Done, timeout: float | None = None, *, value: bool = True) -> None:
        """Read a PV once from the IOC, or without value only wait until it is known; done is called once.

        PycaError as of subscribe.
        """
        self.rights.check_read(name)
        self.check_room()
        self._reads.start(name, done, read=value, timeout=timeout)

    def put(self, request: Put, answer: Answer) -> None:
        """Write by the rules, and on record; answer is called once, perhaps before this returns."""

        def told(result: PutAnswer | PycaError) -> None:
            if isinstance(result, PycaError):
                self.at_fault = result.code in PEERS_FAULTS
            answer(result)

        self._puts.begin(request, self.identity, told, over_budget=self._over_budget)

    def attempt(self, call: Callable[[], object], refuse: Callable[[PycaError], object]) -> None:
        """One PV of a list may be refused without harm to the others."""
        try:
            call()
        except PycaError as error:
            self.at_fault = True
            refuse(error)

    def each(self, names: Sequence[str], call: Callable[[str], object]) -> None:
        """Call it for each of the names, piece by piece if they are many."""
        self.work_off(pieces_of(names, call), len(names))

    def work_off(self, pieces: Pieces, number: int) -> None:
        """Do what is about so many PVs: at once if they are few, else in turn with others; then the peer is read on."""
        if number > AT_ONCE:
            self._work += (self.services.pool.fanout.piecework.begin(pieces, self._worked),)
        else:
            list(pieces)

    def charge(self, requests: float) -> None:
        """Count what costs as much as so many requests more; the peer is read the later."""
        self._requests.spend(requests)

    @property
    def waiting(self) -> int:
        """How many answers are under way."""
        return len(self._reads)

    def check_room(self) -> None:
        """PycaError(too_many_subscriptions) if there is no room for one more, or for one more read."""
        most = self._limits.subscriptions_per_session
        if len(self.subscribed) + self.waiting >= most:
            raise PycaError("too_many_subscriptions", f"limits.subscriptions_per_session is {most}, reads included.")

    # -- inside

    def _worked(self) -> None:
        self._work = self._work[1:]  # jobs end in the order in which they began
        self._count_fault()

    def _count_fault(self) -> None:
        """A mistake in the request costs of the budget for them."""
        if self.at_fault and self._errors.spend() > 0:
            self.clock.call_soon(self.transport.close, TOO_MANY_ERRORS)

    def _recheck(self) -> Pieces:
        """The rules or the identity have changed."""
        return pieces_of(list(self.subscribed), self._review)

    def _review(self, name: str) -> None:
        subscription = self.subscribed.get(name)
        if subscription is None:  # it has ended meanwhile
            return
        if self.rights.decide(name).read:
            subscription.review()
        else:
            subscription.deny(self.clock.wall())
            self.unsubscribe(name)


def pieces_of(names: Sequence[str], call: Callable[[str], object]) -> Iterator[None]:
    """The call for each of the names, some at a time."""
    for start in range(0, len(names), AT_ONCE):
        for name in names[start : start + AT_ONCE]:
            call(name)
        yield
