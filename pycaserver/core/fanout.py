"""Fan-out: the updates of a batch, put together once for all sessions that are owed the same ones.

An audience is a set of outboxes. Channels whose subscribers are the same share an audience, so that a hundred sessions
cost a reference each for a whole batch, and not for each update. Whatever must not be overtaken by a value, and whoever
changes who is owed what, calls flush first.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures
from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel, ValueEncoder
    from pycaserver.core.outbox import Framing, Outbox
    from pycaserver.core.subscription import Subscription

BLOCK_BYTES: Final = 64 * 1024
"""Frames of an audience beyond this are handed over at once: an outbox is asked so often whether it has room."""


class Group:
    """Subscriptions of one channel that are owed the same bytes: encoded once, shared."""

    __slots__ = ("_audience", "_fanout", "channel", "encode", "plain", "selective")

    def __init__(self, channel: "Channel", fanout: "Fanout", encode: "ValueEncoder") -> None:
        self.channel = channel
        self.encode = encode
        self.plain: dict[Outbox, Subscription] = {}
        """Those that want every update at once, by outbox: a session subscribes to a channel once."""
        self.selective: dict[Subscription, None] = {}
        """Those with a rate or a deadband."""
        self._fanout = fanout
        self._audience: Audience | None = None

    def __len__(self) -> int:
        return len(self.plain) + len(self.selective)

    def add(self, subscription: "Subscription") -> None:
        """One more."""
        self._fanout.flush()
        self._audience = None
        if subscription.plain:
            self.plain[subscription.outbox] = subscription
        else:
            self.selective[subscription] = None

    def remove(self, subscription: "Subscription") -> None:
        """One less."""
        self._fanout.flush()
        self._audience = None
        if subscription.plain:
            del self.plain[subscription.outbox]
        else:
            del self.selective[subscription]

    def publish(self, value: PVValue, merged: int) -> None:
        """An update for all of them."""
        if self.plain:
            audience = self._audience or self._gather()
            audience.add(self, value, merged)
        for subscription in self.selective:
            subscription.owe(value, merged)

    def _gather(self) -> "Audience":
        framing = next(iter(self.plain)).framing
        self._audience = self._fanout.audience(frozenset(self.plain), framing)
        return self._audience


class Audience:
    """Outboxes that are owed the same updates, and those of the present batch."""

    __slots__ = ("__weakref__", "_fanout", "_frames", "_heard", "_size", "_updates", "framing", "outboxes")

    def __init__(self, fanout: "Fanout", outboxes: "frozenset[Outbox]", framing: "Framing") -> None:
        self.outboxes = outboxes
        self.framing = framing
        self._fanout = fanout
        self._frames: list[bytes] = []
        self._updates: list[tuple[Group, PVValue, int]] = []
        self._size = 0
        self._heard = False

    def add(self, group: Group, value: PVValue, merged: int) -> None:
        """An update of the group's channel; encoded unless all outboxes are behind."""
        if not self._updates:
            self._heard = any(outbox.open for outbox in self.outboxes)
            self._fanout.await_flush(self)
        self._updates.append((group, value, merged))
        if self._heard:
            frame = group.encode(group.channel, value, merged)
            self._frames.append(frame)
            self._size += len(frame)
            if self._size > BLOCK_BYTES:
                self._fanout.flush()

    def deliver(self) -> int:
        """Hand the batch to each outbox, or have its subscriptions owe it; the number of messages handed over."""
        frames, self._frames = self._frames, []
        updates, self._updates = self._updates, []
        size, self._size = self._size, 0
        pieces = self.framing.join(frames)
        delivered = 0
        for outbox in self.outboxes:
            if outbox.open and self._heard:
                outbox.put_block(pieces, size)
                delivered += len(frames)
            else:
                _owe(outbox, updates)
        return delivered


def _owe(outbox: "Outbox", updates: list[tuple[Group, PVValue, int]]) -> None:
    owing: dict[Subscription, None] = {}
    for group, _, merged in updates:
        subscription = group.plain[outbox]
        subscription.count_owed(merged)
        owing[subscription] = None
    for subscription in owing:
        outbox.owe(subscription)


class Fanout:
    """All audiences, and those that have something to deliver."""

    def __init__(self, clock: Clock, figures: Figures) -> None:
        self._clock = clock
        self._figures = figures
        self._audiences: WeakValueDictionary[Hashable, Audience] = WeakValueDictionary()
        self._due: list[Audience] = []

    def audience(self, outboxes: "frozenset[Outbox]", framing: "Framing") -> Audience:
        """The audience of these outboxes, which all have that framing."""
        audience = self._audiences.get((outboxes, framing))
        if audience is None:
            audience = self._audiences[outboxes, framing] = Audience(self, outboxes, framing)
        return audience

    def await_flush(self, audience: Audience) -> None:
        """Have the audience deliver at the end of the batch."""
        if not self._due:
            self._clock.call_soon(self.flush)
        self._due.append(audience)

    def flush(self) -> None:
        """Deliver all that has been added."""
        while self._due:
            due, self._due = self._due, []
            for audience in due:
                self._figures.updates_out += audience.deliver()
