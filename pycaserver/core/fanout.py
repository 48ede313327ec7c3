"""Fan-out: the updates of a batch, put together once for all sessions that are owed the same ones.

An audience is a set of outboxes. Channels whose subscribers are the same share an audience, so that a hundred sessions
cost a reference each for a whole batch, and not for each update. Whatever must not be overtaken by a value, and whoever
changes who is owed what, calls flush first.
"""

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures
from pycaserver.core.piecework import Piecework
from pycaserver.core.values import Data

if TYPE_CHECKING:
    from pycaserver.core.groups import Update
    from pycaserver.core.outbox import Framing, Outbox
    from pycaserver.core.subscription import Subscription

log = logging.getLogger(__name__)

BLOCK_BYTES: Final = 64 * 1024
"""Updates of an audience beyond this are handed over at once: an outbox is asked so often whether it has room."""
_SCALAR_BYTES: Final = 160
_ELEMENT_BYTES: Final = 20
"""What messages take, about; nothing is encoded yet when this is asked."""


class Audience:
    """Outboxes that are owed the same updates, and those of the present batch."""

    __slots__ = ("__weakref__", "_fanout", "_size", "_updates", "framing", "outboxes")

    def __init__(self, fanout: "Fanout", outboxes: "frozenset[Outbox]", framing: "Framing") -> None:
        self.outboxes = outboxes
        self.framing = framing
        self._fanout = fanout
        self._updates: list[Update] = []
        self._size = 0

    def add(self, update: "Update") -> None:
        """One more."""
        if not self._updates:
            self._fanout.await_flush(self)
        self._updates.append(update)
        data = update[1].data
        self._size += _SCALAR_BYTES if type(data) is float else _size_of(data)
        if self._size > BLOCK_BYTES:
            self._fanout.flush()

    def deliver(self) -> int:
        """Hand the batch to each outbox, or have its subscriptions owe it; the number of messages handed over."""
        updates, self._updates, self._size = self._updates, [], 0
        ready = [outbox for outbox in self.outboxes if outbox.open]
        if ready:  # else nothing is encoded
            pieces = self.framing.join(updates[0][0].encode.batch(updates))
            size = sum(map(len, pieces))
            for outbox in ready:
                outbox.put_block(pieces, size)
        for outbox in self.outboxes.difference(ready):
            _owe(outbox, updates)
        return len(ready) * len(updates)


def _size_of(data: Data) -> int:
    if isinstance(data, str):
        return _SCALAR_BYTES + len(data)
    return _SCALAR_BYTES + (0 if data is None or isinstance(data, int | float) else _ELEMENT_BYTES * len(data))


def _owe(outbox: "Outbox", updates: "list[Update]") -> None:
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
        self.piecework = Piecework(clock, figures)
        """Where what takes long is encoded, ahead of its being sent."""

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
                try:
                    self._figures.updates_out += audience.deliver()
                except Exception:  # the others are not to miss theirs
                    log.exception("updates could not be delivered")
                    self._figures.faults += 1
