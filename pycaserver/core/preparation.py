"""Preparation: the large values of a channel are encoded piece by piece, ahead of their being sent.

Until it is done the channel stands still: whatever its source tells of it waits, so that nothing overtakes the value,
and of the values that wait one after the other only the newest is kept; of those with other news between them too, once
they take too much memory. Once something waits, nothing further is begun: who asks for the value then is late and gets
the next one, so that nobody can have the channel stand still for good.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Concatenate, Final, NamedTuple, ParamSpec

from pycaserver.core.piecework import Job, Pieces, Piecework
from pycaserver.core.values import PVValue, is_large, size_of

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel
    from pycaserver.core.encoder import ValueEncoder
    from pycaserver.core.groups import Group
    from pycaserver.core.subscription import Subscription

P = ParamSpec("P")

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of the values that wait, beside one."""
MOST_ROUNDS: Final = 3
"""In which what is owed is encoded before other news; after them it is encoded at once, whoever has to wait."""


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

    @property
    def size(self) -> int:
        """Bytes."""
        return size_of(self.value.data)


class Preparation:
    """That of one channel."""

    __slots__ = ("_channel", "_jobs", "_kept", "_late", "_later", "_later_bytes", "_piecework", "_rounds", "_waiting")

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
        self._later_bytes = 0
        self._late: dict[Subscription, None] = {}
        """Who asked when something waited already."""
        self._rounds = 0
        """Begun before the news that is next."""

    @property
    def busy(self) -> bool:
        """Whether the channel stands still."""
        return bool(self._jobs)

    def ready(self, subscription: "Subscription") -> bool:
        """Whether the newest value is encoded for it. If not, it is being; then Outbox.owe_ready is called."""
        encode = subscription.encode
        if self._later and encode not in self._jobs and not self.prepared(encode):
            self._late[subscription] = None
            return False
        if self._begin(encode):
            self._waiting[encode][subscription] = None
            return False
        return True

    def prepared(self, encode: "ValueEncoder") -> bool:
        """Whether the newest value is quickly encoded in that form."""
        return self._work(encode) is None

    def left(self, group: "Group") -> None:
        """A subscription has left the group, perhaps the last."""
        encode = group.encode
        self.taken(encode)
        if not group and encode in self._jobs:
            self._waiting[encode].clear()
            self._jobs[encode].skip()

    def taken(self, encode: "ValueEncoder") -> None:
        """One more has been sent what was prepared."""
        if encode in self._kept and not self._kept[encode].owing:
            del self._kept[encode]
            encode.release()

    def delay(self, event: Callable[[], None]) -> bool:
        """Whether the event has to wait: for what is being encoded, or what is owed and has to go before it."""
        if not self._later:
            self._rounds = 0
        if not self.busy:
            self._begin_owed()
        if self.busy:
            self._later.append(event)
        return self.busy

    def hold_back(self, value: PVValue, merged: int) -> None:
        """A value came while the channel stands still; it takes the place of one that waits right before it."""
        if self._later and isinstance(before := self._later[-1], _Value):
            self._later.pop()
            self._later_bytes -= before.size
            merged += 1 + before.merged
        elif self._later_bytes > MOST_BYTES:
            merged += self._drop_values()
        held = _Value(value, merged)
        self._later.append(held)
        self._later_bytes += held.size

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
        pieces = self._work(encode)
        if pieces is None:
            return False
        self._channel.stand_still(so=True)
        self._waiting[encode] = {}
        self._jobs[encode] = self._piecework.begin(pieces, partial(self._done, encode))
        return True

    def _work(self, encode: "ValueEncoder") -> Pieces | None:
        """What there is to do for the newest value."""
        value = self._channel.latest
        return encode.prepare(self._channel, value) if value is not None and is_large(value.data) else None

    def _drop_values(self) -> int:
        """Leave out those that wait; for how many the next one stands."""
        dropped = [event for event in self._later if isinstance(event, _Value)]
        self._later = deque(event for event in self._later if not isinstance(event, _Value))
        self._later_bytes = 0
        return sum(1 + each.merged for each in dropped)

    def _begin_owed(self) -> None:
        self._rounds += 1
        for group in self._channel.groups:
            if group.owing:
                self._begin(group.encode)

    def _done(self, encode: "ValueEncoder") -> None:
        del self._jobs[encode]
        waiting = self._waiting.pop(encode)
        group = next((group for group in self._channel.groups if group.encode is encode), None)
        if group is not None and not self.prepared(encode):  # it has failed, which is in the log, and would again
            for subscription in group.subscriptions:
                subscription.outbox.forget(subscription)
        for subscription in waiting:
            subscription.outbox.owe_ready(subscription)
        self._keep(encode, group)
        if not self._jobs:
            self._go_on()

    def _keep(self, encode: "ValueEncoder", group: "Group | None") -> None:
        """What is prepared, if it is still owed."""
        if group is not None and group.owing:
            self._kept[encode] = group
        else:
            encode.release()

    def _go_on(self) -> None:
        self._channel.stand_still(so=False)
        self._catch_up()

    def _catch_up(self) -> None:
        """With what came meanwhile, until there is something to encode again."""
        while self._later:
            if not isinstance(self._later[0], _Value) and self._rounds < MOST_ROUNDS:
                self._begin_owed()
            if self._jobs:
                return
            self._piecework.guard(partial(self._tell, self._later.popleft()))

    def _tell(self, event: _Value | Callable[[], None]) -> None:
        """What waited, and then those who came late."""
        late, self._late = self._late, {}
        if isinstance(event, _Value):
            self._later_bytes -= event.size
            self._pass_over(late, event)
            self._channel.publish_held(*event)
        else:
            self._rounds = 0
            event()
        for subscription in late:
            subscription.outbox.owe_ready(subscription)

    @staticmethod
    def _pass_over(late: "dict[Subscription, None]", event: _Value) -> None:
        """A value that is sent at once takes the place of those that are owed; to a large one they are counted."""
        if not is_large(event.value.data):
            for subscription in late:
                subscription.outbox.forget(subscription)
