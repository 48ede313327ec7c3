"""Preparation: the large values of a channel are encoded piece by piece, ahead of their being sent.

Until it is done the channel stands still: whatever its source tells of it waits, so that nothing overtakes the value,
and of the values that wait one after the other only the newest is kept.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec

from pycaserver.core.piecework import Job, Piecework
from pycaserver.core.values import PVValue, is_large

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel
    from pycaserver.core.encoder import ValueEncoder
    from pycaserver.core.groups import Group
    from pycaserver.core.subscription import Subscription

P = ParamSpec("P")


def in_turn(event: "Callable[Concatenate[Channel, P], None]") -> "Callable[Concatenate[Channel, P], None]":
    """What the source tells of a channel happens once the values before it are encoded."""

    def tell(channel: "Channel", /, *args: P.args, **kwargs: P.kwargs) -> None:
        told = partial(event, channel, *args, **kwargs)
        if channel.preparation is None or not channel.preparation.delay(told):
            told()

    return tell


class _Value(NamedTuple):
    """A value that waits, and how many older ones it stands for."""

    value: PVValue
    merged: int


class Preparation:
    """That of one channel."""

    __slots__ = ("_channel", "_jobs", "_kept", "_later", "_piecework", "_waiting")

    def __init__(self, channel: "Channel", piecework: Piecework) -> None:
        self._channel = channel
        self._piecework = piecework
        self._jobs: dict[ValueEncoder, Job] = {}
        self._waiting: dict[ValueEncoder, dict[Subscription, None]] = {}
        """Who is to be told once it is done, by what is being prepared."""
        self._kept: dict[ValueEncoder, Group] = {}
        """What is prepared and still owed to somebody who has no room."""
        self._later: deque[_Value | Callable[[], None]] = deque()
        """What the source has told meanwhile."""

    @property
    def busy(self) -> bool:
        """Whether the channel stands still."""
        return bool(self._jobs)

    def ready(self, subscription: "Subscription") -> bool:
        """Whether the newest value is encoded for it. If not, it is being; then Outbox.owe_ready is called."""
        if self._begin(subscription.encode):
            self._waiting[subscription.encode][subscription] = None
            return False
        return True

    def taken(self, encode: "ValueEncoder") -> None:
        """One more has been sent what was prepared."""
        if encode in self._kept and not self._kept[encode].owing:
            del self._kept[encode]
            encode.release()

    def delay(self, event: Callable[[], None]) -> bool:
        """Whether the event has to wait: for what is being encoded, or what is owed and has to go before it."""
        if not self.busy:
            self._begin_owed()
        if self.busy:
            self._later.append(event)
        return self.busy

    def hold_back(self, value: PVValue, merged: int) -> None:
        """A value came while the channel stands still; it takes the place of one that waits right before it."""
        if self._later and isinstance(before := self._later[-1], _Value):
            self._later.pop()
            merged += 1 + before.merged
        self._later.append(_Value(value, merged))

    def close(self) -> None:
        """The channel closes: nobody is subscribed any more."""
        self._later.clear()
        for encode, job in list(self._jobs.items()):
            job.cancel()
            self._done(encode)

    # -- inside

    def _begin(self, encode: "ValueEncoder") -> bool:
        """Whether there is something to do, which is begun unless it has been."""
        if encode in self._jobs:
            return True
        value = self._channel.latest
        pieces = encode.prepare(value) if value is not None and is_large(value.data) else None
        if pieces is None:
            return False
        self._channel.stand_still(so=True)
        self._waiting[encode] = {}
        self._jobs[encode] = self._piecework.begin(pieces, partial(self._done, encode))
        return True

    def _begin_owed(self) -> None:
        for group in self._channel.groups:
            if group.owing:
                self._begin(group.encode)

    def _done(self, encode: "ValueEncoder") -> None:
        del self._jobs[encode]
        for subscription in self._waiting.pop(encode):
            subscription.outbox.owe_ready(subscription)
        self._keep(encode)
        if not self._jobs:
            self._go_on()

    def _keep(self, encode: "ValueEncoder") -> None:
        """What is prepared, if it is still owed."""
        group = next((group for group in self._channel.groups if group.encode is encode), None)
        if group is not None and group.owing:
            self._kept[encode] = group
        else:
            encode.release()

    def _go_on(self) -> None:
        """With what came meanwhile, until there is something to encode again."""
        self._channel.stand_still(so=False)
        while self._later:
            if not isinstance(self._later[0], _Value):
                self._begin_owed()
            if self._jobs:
                return
            event = self._later.popleft()
            if isinstance(event, _Value):
                self._channel.publish_held(*event)
            else:
                event()
