"""Channel: one PV, shared by all sessions that want it.

A channel is told by its source what happened (connected, metadata_changed, publish, ...), always on the event loop,
and tells its subscriptions. Values of a new connection wait for its metadata, so that the order on the wire is
connection, metadata, value, and the first value has its units.
"""

from collections.abc import Callable, Hashable
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from pycaserver.core.clock import Clock, Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.events import Events
from pycaserver.core.fanout import Fanout, Group, Update
from pycaserver.core.figures import Figures
from pycaserver.core.history import HistoryBuffer
from pycaserver.core.piecework import Pieces
from pycaserver.core.preparation import Preparation, in_turn
from pycaserver.core.source import PutEvents, SourceChannel
from pycaserver.core.values import Access, Array, DbrType, Metadata, PVValue, is_large

if TYPE_CHECKING:
    from pycaserver.core.outbox import Frame
    from pycaserver.core.subscription import Subscription

METADATA_SECONDS: Final = 2.0
"""How long values wait for an IOC that does not answer the metadata request; the newest is kept."""


class ValueEncoder(Protocol):
    """Makes the bytes of values, finished for the wire, in one form."""

    def __call__(self, channel: "Channel", value: PVValue, coalesced: int) -> "Frame":
        """One value; coalesced: how many older updates it stands for."""

    def prepare(self, value: PVValue) -> Pieces | None:
        """Work by which the value is quickly encoded afterwards, until release; None: there is none to be done."""
        return None

    def release(self) -> None:
        """Forget what was prepared."""
        return

    def batch(self, updates: list[Update]) -> "list[Frame]":
        """Many values, each by the encoder of its own group; all of one dialect, which may know a quicker way."""
        return [group.encode(group.channel, value, coalesced) for group, value, coalesced in updates]


class State(Enum):
    """What a channel says of itself."""

    SEARCHING = "searching"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class Channel:
    """One PV: its state, metadata, newest value and subscriptions."""

    __slots__ = (
        "_circuit",
        "_clock",
        "_events",
        "_fanout",
        "_figures",
        "_groups",
        "_held",
        "_held_count",
        "_holding",
        "_metadata_due",
        "_metadata_timer",
        "_recent",
        "_search_timer",
        "_severity",
        "_source_channel",
        "_status",
        "_waiters",
        "access",
        "history",
        "host",
        "latest",
        "metadata",
        "name",
        "preparation",
        "reason",
        "since",
        "state",
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
        self.state = State.SEARCHING
        self.reason: str | None = None
        self.since: float | None = None
        self.host = ""
        self.metadata: Metadata | None = None
        self.access = Access(read=False, write=False)
        self.latest: PVValue | None = None
        self.users = 0
        self.history = history
        self._events = events
        self._recent: list[PVValue] | None = None
        """That of the history, if values are numeric scalars, of which there is one."""
        self._severity = self._status = 0
        """The alarm of the newest value ever."""
        self._clock = clock
        self._fanout = fanout
        self._figures = figures
        self._groups: tuple[Group, ...] = ()
        self.preparation: Preparation | None = None
        """Once there was a large value."""
        self._circuit = False
        self._metadata_due = False
        self._metadata_timer: Timer | None = None
        self._holding = True
        self._held: PVValue | None = None
        self._held_count = 0
        self._waiters: tuple[Callable[[], None], ...] = ()
        self._search_timer: Timer | None = clock.call_later(search_seconds, self._search_timed_out)
        self._source_channel: SourceChannel | None = None

    # -- used by the pool and by sessions

    def attach(self, source_channel: SourceChannel) -> None:
        """Give the channel its source's end; once, right after construction."""
        self._source_channel = source_channel

    def close(self) -> None:
        """End the channel; nobody may be subscribed any more."""
        for timer in (self._search_timer, self._metadata_timer):
            if timer is not None:
                timer.cancel()
        if self.preparation is not None:
            self.preparation.close()
        if self._source_channel is not None:
            self._source_channel.close()

    @property
    def known(self) -> bool:
        """Whether the PV is connected and its metadata has come, so that values are told."""
        return self.state is State.CONNECTED and (not self._holding or self._prepares)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Subscriptions by the form in which they want values."""
        return self._groups

    @property
    def subscribers(self) -> int:
        """How many subscriptions share this channel."""
        return sum(map(len, self._groups))

    def monitor(self) -> None:
        """Have values come even if nobody subscribes."""
        assert self._source_channel is not None
        self._source_channel.monitor()

    def subscribe(self, subscription: "Subscription", key: Hashable, encode: ValueEncoder) -> ValueEncoder:
        """Add the subscription to the group of its kind; what encodes for that group, encode if it is the first."""
        group = self._group(key)
        if group is None:
            group = Group(self, self._fanout, key, encode)
            self._groups = (*self._groups, group)
        group.add(subscription)
        if self._source_channel is not None:
            self._source_channel.monitor()
        return group.encode

    def unsubscribe(self, subscription: "Subscription", key: Hashable) -> None:
        """Take the subscription out again."""
        group = self._group(key)
        assert group is not None
        group.remove(subscription)
        if not group:
            self._groups = tuple(other for other in self._groups if other is not group)

    @property
    def settled(self) -> bool:
        """Whether the PV is known, or known to be out of reach."""
        return self.known or self.state is State.DISCONNECTED

    def when_settled(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call once that is so, later; returns what takes the call back."""
        self._waiters += (call,)

        def take_back() -> None:
            self._waiters = tuple(other for other in self._waiters if other is not call)

        return take_back

    def ready(self, subscription: "Subscription") -> bool:
        """Whether the newest value is quickly encoded for it. If not, that is being prepared: Outbox.owe_ready."""
        return self.preparation is None or self.preparation.ready(subscription)

    def taken(self, encode: ValueEncoder) -> None:
        """One more has been sent the newest value."""
        if self.preparation is not None:
            self.preparation.taken(encode)

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
        """The PV connected, with this native type and element count."""
        self._cancel_search()
        self._circuit = True
        self.host = host
        self.access = access
        self.metadata = Metadata(type=type, count=count)
        self._recent = self.history.recent if count == 1 and type is not DbrType.STRING else None
        self._hold()
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
        self._hold()

    @in_turn
    def access_changed(self, access: Access) -> None:
        """The IOC changed what this server may do."""
        if access == self.access or not self._circuit:
            return
        could_read, self.access = self.access.read, access
        if could_read and not access.read:
            self._become_disconnected("read_denied")
            self._hold()  # the IOC posts metadata and value anew with the right to read, perhaps before it tells of it
        elif access.read and not could_read:
            self._become_connected()
        else:
            for subscription in self._subscriptions():
                subscription.rights_changed()

    @in_turn
    def metadata_changed(self, metadata: Metadata) -> None:
        """Metadata came: the first of a connection, or because a property changed."""
        if self._metadata_due:
            self.metadata = metadata
            self._metadata_came()
        elif not metadata.same_as(self.metadata):
            subscriptions = self._subscriptions() if self.known else []
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
        for group in self._groups:
            group.publish(value, merged)

    # -- inside

    @property
    def _prepares(self) -> bool:
        return self.preparation is not None and self.preparation.busy

    def _publish_large(self, value: PVValue, merged: int) -> None:
        self._fanout.flush()
        if self.preparation is None:
            self.preparation = Preparation(self, self._fanout.piecework)
        for group in self._groups:
            group.publish_large(value, merged)

    def _hold_back(self, value: PVValue, merged: int) -> None:
        if self.preparation is not None and self.preparation.busy:
            self.preparation.hold_back(value, merged)
        else:
            self._held_count += 1 + merged
            self._held = value

    def _group(self, key: Hashable) -> Group | None:
        return next((group for group in self._groups if group.key == key), None)

    def _subscriptions(self) -> "list[Subscription]":
        return [subscription for group in self._groups for subscription in group.subscriptions]

    def _become_connected(self) -> None:
        if self.state is State.DISCONNECTED:
            self._events.connection(self.name, None)
        self.state, self.reason, self.since = State.CONNECTED, None, None
        for subscription in self._subscriptions():
            subscription.connection_changed()
        if self._metadata_due:
            self._metadata_timer = self._clock.call_later(METADATA_SECONDS, self._metadata_came)
        self._release()

    def _become_disconnected(self, reason: str) -> None:
        if self.state is State.CONNECTED:
            self._events.connection(self.name, reason)
        self.state, self.reason = State.DISCONNECTED, reason
        self.since = None if reason == "not_found" else self._clock.wall()
        for subscription in self._subscriptions():
            subscription.connection_changed()
        self._settle()

    def _cancel_search(self) -> None:
        if self._search_timer is not None:
            self._search_timer.cancel()
            self._search_timer = None

    def _search_timed_out(self) -> None:
        self._search_timer = None
        self._become_disconnected("not_found")

    def _hold(self) -> None:
        """From now on values wait: for metadata, and for the right to read."""
        if self._metadata_timer is not None:
            self._metadata_timer.cancel()
        self._metadata_timer, self._metadata_due = None, True
        self._holding, self._held, self._held_count = True, None, 0
        self.latest = None

    def _metadata_came(self) -> None:
        """It did, or is not waited for any longer."""
        if self._metadata_timer is not None:
            self._metadata_timer.cancel()
        self._metadata_timer, self._metadata_due = None, False
        self._release()

    def _release(self) -> None:
        if self._metadata_due or self.state is not State.CONNECTED:
            return
        held, count = self._held, self._held_count
        self._holding, self._held, self._held_count = False, None, 0
        for subscription in self._subscriptions():
            subscription.introduce()
        self._settle()
        if held is not None:
            self._figures.updates_in -= 1  # publish counts it again
            self.publish(held, merged=count - 1)

    def _settle(self) -> None:
        waiters, self._waiters = self._waiters, ()
        for call in waiters:
            call()
