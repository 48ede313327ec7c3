"""Channel: one PV, shared by all sessions that want it.

A channel is told by its source what happened (connected, metadata_changed, publish, ...), always on the event loop,
and tells its subscriptions. Values of a new connection wait for its metadata, so that the order on the wire is
connection, metadata, value, and the first value has its units.
"""

from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING

from pycaserver.core.clock import Clock
from pycaserver.core.contact import Contact, State
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.errors import PycaError
from pycaserver.core.events import Events
from pycaserver.core.fanout import Fanout
from pycaserver.core.figures import Figures
from pycaserver.core.groups import Group, Groups
from pycaserver.core.history import HistoryBuffer
from pycaserver.core.hold import Hold
from pycaserver.core.preparation import Preparation, in_turn
from pycaserver.core.source import PutEvents, SourceChannel
from pycaserver.core.values import Access, Array, DbrType, Metadata, PVValue, access_of, is_large

if TYPE_CHECKING:
    from pycaserver.core.subscription import Subscription


class Channel:
    """One PV: its state, metadata, newest value and subscriptions."""

    __slots__ = (
        "_circuit",
        "_events",
        "_fanout",
        "_figures",
        "_hold",
        "_holding",
        "_recent",
        "_severity",
        "_source_channel",
        "_status",
        "access",
        "contact",
        "groups",
        "history",
        "host",
        "latest",
        "metadata",
        "name",
        "preparation",
        "users",
    )

    def __init__(
        self,
        name: str,
        clock: Clock,
        fanout: Fanout,
        figures: Figures,
        search_seconds: float,
        history: HistoryBuffer,
        events: Events,
    ) -> None:
        self.name = name
        self.contact = Contact(clock, search_seconds, partial(self._become_disconnected, "not_found"))
        self.host = ""
        self.metadata: Metadata | None = None
        self.access = access_of(read=False, write=False)
        self.latest: PVValue | None = None
        self.users = 0
        self.history = history
        self._events = events
        self._recent: list[PVValue] | None = None
        """That of the history, if values are numeric scalars, of which there is one."""
        self._severity = self._status = 0
        """The alarm of the newest value ever."""
        self._fanout = fanout
        self._figures = figures
        self.groups = Groups()
        """Subscriptions by the form in which they want values."""
        self.preparation: Preparation | None = None
        """Once there was a large value."""
        self._circuit = False
        self._holding = True
        """Whether values wait: for metadata, the right to read, or those before them."""
        self._hold: Hold | None = None  # most channels have told their first value
        self._source_channel: SourceChannel | None = None

    # -- used by the pool and by sessions

    def attach(self, source_channel: SourceChannel) -> None:
        """Give the channel its source's end; once, right after construction."""
        self._source_channel = source_channel

    def close(self) -> None:
        """End the channel; nobody may be subscribed any more."""
        self.contact.end_search()
        if self._hold is not None:
            self._hold.end()
        if self.preparation is not None:
            self.preparation.close()
            self.preparation = None
        if self._source_channel is not None:
            self._source_channel.close()
            self._source_channel = None  # which has us

    @property
    def known(self) -> bool:
        """Whether the PV is connected and its metadata has come, so that values are told."""
        return self.contact.state is State.CONNECTED and (not self._holding or self._prepares)

    @property
    def subscribers(self) -> int:
        """How many subscriptions share this channel."""
        return sum(map(len, self.groups))

    def monitor(self) -> None:
        """Have values come even if nobody subscribes."""
        assert self._source_channel is not None
        self._source_channel.monitor()

    def subscribe(self, subscription: "Subscription", key: Hashable, encode: ValueEncoder) -> ValueEncoder:
        """Add the subscription to the group of its kind; what encodes for that group, encode if it is the first."""
        group = self.groups.find(key)
        if group is None:
            group = Group(self, self._fanout, key, encode)
            self.groups = self.groups.plus(group)
        group.add(subscription)
        if self._source_channel is not None:
            self._source_channel.monitor()
        return group.encode

    def unsubscribe(self, subscription: "Subscription", key: Hashable) -> None:
        """Take the subscription out again."""
        group = self.groups.find(key)
        assert group is not None
        group.remove(subscription)
        if not group:
            self.groups = self.groups.minus(group)
        if self.preparation is not None:
            self.preparation.left(group)

    @property
    def settled(self) -> bool:
        """Whether the PV is known, or known to be out of reach."""
        return self.known or self.contact.state is State.DISCONNECTED

    def stand_still(self, *, so: bool) -> None:
        """Whether values that come are held back until those before are encoded."""
        self._holding = so

    def publish_held(self, value: PVValue, merged: int) -> None:
        """What was held back; it is counted already."""
        self._figures.updates_in -= 1
        self._figures.updates_merged += merged and self.subscribers
        self.publish(value, merged)

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """Read once from the IOC; returns what forgets the read. The channel must be connected."""
        assert self._source_channel is not None
        return self._source_channel.get(done)

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        """Write to the IOC; returns what takes the put back, and says whether it could. See SourceChannel."""
        assert self._source_channel is not None
        return self._source_channel.put(elements, events, wait=wait)

    # -- called by the source, on the loop

    @in_turn
    def connected(self, type: DbrType, count: int, host: str, access: Access) -> None:
        """The PV connected, with this native type and element count; anew only after disconnected()."""
        self.contact.end_search()
        self._circuit = True
        self.host = host
        self.access = access
        self.metadata = Metadata(type=type, count=count)
        self._recent = self.history.recent if count == 1 and type is not DbrType.STRING else None
        self._begin_hold()
        if access.read:
            self._become_connected()
        else:
            self._become_disconnected("read_denied")

    @in_turn
    def disconnected(self) -> None:
        """The circuit is gone."""
        if not self._circuit:
            return
        self._circuit = False
        self._figures.losses += 1
        self._become_disconnected("lost")
        self._begin_hold()

    @in_turn
    def access_changed(self, access: Access) -> None:
        """The IOC changed what this server may do."""
        if access == self.access or not self._circuit:
            return
        could_read, self.access = self.access.read, access
        if could_read and not access.read:
            self._become_disconnected("read_denied")
            self._begin_hold()  # the IOC posts all anew with the right to read, perhaps before it tells of it
        elif access.read and not could_read:
            self._become_connected()
        else:
            for subscription in self.groups.subscriptions:
                subscription.rights_changed()

    @in_turn
    def metadata_changed(self, metadata: Metadata) -> None:
        """Metadata came: the first of a connection, or because a property changed."""
        if self._hold is not None and self._hold.due:
            self.metadata = metadata
            self._metadata_came()
        elif not metadata.same_as(self.metadata):
            subscriptions = self.groups.subscriptions if self.known else []
            for subscription in subscriptions:
                subscription.settle()  # an owed value came under the units before
            self.metadata = metadata
            for subscription in subscriptions:
                subscription.metadata_changed()

    def publish(self, value: PVValue, merged: int = 0) -> None:
        """A value came; merged: how many older ones the source has dropped in its favour."""
        self._figures.updates_in += 1
        if self._holding:
            self._hold_back(value, merged)
            return
        self.latest = value
        recent = self._recent
        if recent is not None:
            recent.append(value)
            if len(recent) >= self.history.fold_at:
                self.history.fold()
        if value.severity != self._severity or value.status != self._status:
            self._severity, self._status = value.severity, value.status
            self._events.alarm(self.name, value)
        if recent is None and is_large(value.data):
            self._publish_large(value, merged)
            return
        for group in self.groups:
            group.publish(value, merged)

    # -- inside

    @property
    def _prepares(self) -> bool:
        return self.preparation is not None and self.preparation.busy

    def _publish_large(self, value: PVValue, merged: int) -> None:
        self._fanout.flush()
        if self.preparation is None:
            self.preparation = Preparation(self, self._fanout.piecework)
        for group in self.groups:
            group.publish_large(value, merged)

    def _hold_back(self, value: PVValue, merged: int) -> None:
        if self.preparation is not None and self.preparation.busy:
            self.preparation.hold_back(value, merged)
        elif self._hold is not None:
            self._hold.add(value, merged)

    def _become_connected(self) -> None:
        if self.contact.state is State.DISCONNECTED:
            self._events.connection(self.name, None)
        self.contact.begin()
        for subscription in self.groups.subscriptions:
            subscription.connection_changed()
        if self._hold is not None:
            self._hold.bound(self.contact.clock, self._metadata_came)
        self._release()

    def _become_disconnected(self, reason: str) -> None:
        if self.contact.state is State.CONNECTED:
            self._events.connection(self.name, reason)
        self.contact.end(reason)
        for subscription in self.groups.subscriptions:
            subscription.connection_changed()
        self.contact.settle()

    def _begin_hold(self) -> None:
        if self._hold is not None:
            self._hold.end()
        self._hold = Hold()
        self._holding = True
        self.latest = None

    def _metadata_came(self) -> None:
        """It did, or is not waited for any longer."""
        if self._hold is not None:
            self._hold.end()
        self._release()

    def _release(self) -> None:
        if self._hold is None or self._hold.due or self.contact.state is not State.CONNECTED:
            return
        value, merged = self._hold.take()
        self._hold, self._holding = None, False
        for subscription in self.groups.subscriptions:
            subscription.introduce()
        self.contact.settle()
        if value is not None:
            self._figures.updates_in -= 1  # publish counts it again
            self.publish(value, merged)
