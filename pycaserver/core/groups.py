"""Groups: the subscriptions of one channel, by the form in which they want values."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Self, TypeAlias

from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel
    from pycaserver.core.encoder import ValueEncoder
    from pycaserver.core.fanout import Audience, Fanout
    from pycaserver.core.outbox import Framing, Outbox
    from pycaserver.core.subscription import Subscription

Update: TypeAlias = "tuple[Group, PVValue, int]"
"""A value of the group's channel, and how many older ones it stands for."""


class Group:
    """Subscriptions of one channel that are owed the same bytes: encoded once, shared."""

    __slots__ = ("_audience", "_fanout", "_framing", "channel", "encode", "key", "plain", "selective")

    def __init__(self, channel: "Channel", fanout: "Fanout", key: Hashable, encode: "ValueEncoder") -> None:
        """key: what tells this group from the others of the channel."""
        self.channel = channel
        self.key = key
        self.encode = encode
        self.plain: dict[Outbox, Subscription] = {}
        """Those that want every update at once, by outbox: a session subscribes to a channel once."""
        self.selective: dict[Subscription, None] = {}
        """Those with a rate or a deadband."""
        self._fanout = fanout
        self._audience: Audience | None = None
        self._framing: Framing | None = None
        """What encode finishes values for; of the outboxes one may have left it already: Outbox.reframe."""

    def __len__(self) -> int:
        return len(self.plain) + len(self.selective)

    def add(self, subscription: "Subscription") -> None:
        """One more."""
        self._fanout.flush()
        self._audience = None
        if subscription.plain:
            self.plain[subscription.outbox] = subscription
            self._framing = subscription.outbox.framing
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
        audience = self._audience or self._gather()
        if audience:
            audience.add((self, value, merged))
        for subscription in self.selective:
            subscription.owe(value, merged)

    def publish_large(self, value: PVValue, merged: int) -> None:
        """The same for a value that may take long to encode: then it is owed to all of them until that is done."""
        if self.encode.prepare(self.channel, value) is None:
            self.publish(value, merged)
        else:
            for subscription in self.subscriptions:
                subscription.owe(value, merged)

    @property
    def subscriptions(self) -> "list[Subscription]":
        """All of them."""
        return [*self.plain.values(), *self.selective]

    @property
    def owing(self) -> bool:
        """Whether a value is owed to any of them."""
        return any(subscription.owed for subscription in self.subscriptions)

    def _gather(self) -> "Audience | None":
        if not self.plain or self._framing is None:
            return None
        self._audience = self._fanout.audience(frozenset(self.plain), self._framing)
        return self._audience


class Groups(tuple[Group, ...]):
    """All of one channel: another object whenever one comes or goes, as that may happen while they are told."""

    __slots__ = ()

    @property
    def subscriptions(self) -> "list[Subscription]":
        """Those of all groups."""
        return [subscription for group in self for subscription in group.subscriptions]

    def find(self, key: Hashable) -> Group | None:
        """The group with that key."""
        return next((group for group in self if group.key == key), None)

    def plus(self, group: Group) -> Self:
        """With one more."""
        return type(self)((*self, group))

    def minus(self, group: Group) -> Self:
        """With one less."""
        return type(self)(other for other in self if other is not group)
