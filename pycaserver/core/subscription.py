"""Subscription: one session's interest in one channel, and what it is owed of it."""

from collections.abc import Callable, Hashable
from math import inf
from typing import TYPE_CHECKING, Final

from pycaserver.core.channel import Channel
from pycaserver.core.contact import State
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.messages import AccessMessage, AccessRights, Connection, Message, MetadataMessage, metadata_keys
from pycaserver.core.outbox import Frame, Outbox
from pycaserver.core.terms import Id
from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.clock import Timer
    from pycaserver.core.options import SubscriptionOptions
    from pycaserver.core.session import Session

CATCH_UP_SECONDS: Final = 1.0
"""So much of a rate that was not used may be made up for: values that come late, and so together, are all sent."""


class Subscription:
    """Tells its session what happens on the channel; counts the updates that are owed but not sent.

    Before any message about the PV the owed value is sent, so that nothing overtakes anything.
    """

    __slots__ = (
        "_delivered",
        "_key",
        "_rights",
        "_session",
        "channel",
        "connect_id",
        "encode",
        "not_before",
        "options",
        "outbox",
        "owed",
        "plain",
        "timer",
    )

    def __init__(self, session: "Session", channel: Channel, options: "SubscriptionOptions") -> None:
        self._session = session
        self.channel = channel
        self.outbox: Outbox = session.outbox
        self.connect_id: Id | None = None
        self.timer: Timer | None = None
        self.owed = 0
        """Updates that came and are not sent: the newest stands for all of them."""
        self.not_before = -inf
        """Monotonic time before which max_rate allows no value; -inf until the first of a connection."""
        self._delivered: PVValue | None = None
        self._rights: AccessRights | None = None
        """What the session was last told of them."""
        self._join(options)

    def _rejoin(self, options: "SubscriptionOptions") -> None:
        self.channel.unsubscribe(self, self._key)
        self._join(options)

    def _join(self, options: "SubscriptionOptions") -> None:
        self.options = options
        self.plain = options.max_rate is None and options.deadband is None
        """Whether every update is wanted, at once."""
        self._key: Hashable
        self._key, encode = self._session.encoding_of(options)
        self.encode: ValueEncoder = self.channel.subscribe(self, self._key, encode)
        """Shared with all that have the same key."""

    def replace(self, options: "SubscriptionOptions") -> None:
        """Go on with other options, or another framing; what is owed stays owed."""
        self._rejoin(options)
        self.not_before = -inf
        self.outbox.reconsider(self)
        if self.owed:  # what was being encoded for it was so in the form before
            self.outbox.owe(self)

    def end(self) -> None:
        """Leave the channel; what is owed is not owed any more."""
        self.channel.unsubscribe(self, self._key)
        self.outbox.forget(self)

    def greet(self, id: Id | None) -> None:
        """Tell a new (or asking again) session the state and the newest value, as far as they are known."""
        self.connect_id = id
        if self.channel.contact.state is State.SEARCHING:
            return
        self._tell_ahead(self.connection_changed)
        if self.channel.known:
            self._tell_ahead(self.introduce)
            if self.channel.latest is not None:
                self.owed = self.owed or 1
                self.outbox.owe(self)

    def review(self) -> None:
        """The session's own rights may be others now."""
        self._tell_ahead(self.rights_changed)

    # -- called by the channel

    def connection_changed(self) -> None:
        """Tell the state."""
        contact, id, self.connect_id = self.channel.contact, self.connect_id, None
        conn = contact.state is State.CONNECTED
        self._tell(Connection(pvname=self.channel.name, conn=conn, reason=contact.reason, since=contact.since, id=id))
        self._delivered, self.not_before = None, -inf  # the first value of a connection waits for nothing

    def introduce(self) -> None:
        """Tell metadata and access, to those who asked."""
        self.metadata_changed()
        self._rights = None
        self.rights_changed()

    def metadata_changed(self) -> None:
        """Tell the metadata, to those who asked."""
        if self.options.metadata and self.channel.metadata is not None:
            self._tell(MetadataMessage(**metadata_keys(self.channel.name, self.channel.metadata)))

    def rights_changed(self) -> None:
        """Tell the access rights to those who asked for metadata, if they are others than before."""
        rights = self._session.rights.on(self.channel)
        if self.options.metadata and self.channel.known and rights != self._rights:
            self._rights = rights
            self._tell(AccessMessage(pvname=self.channel.name, read=rights.read, write=rights.write))

    def deny(self, now: float) -> None:
        """Tell that the access rules do not allow to read the PV any longer; the subscription is about to end.

        now: UNIX seconds.
        """
        contact = self.channel.contact
        since = now if contact.state is State.CONNECTED else contact.since
        self._session.send(Connection(pvname=self.channel.name, conn=False, reason="read_denied", since=since))

    def settle(self) -> None:
        """Have the owed value sent now, because something that must not overtake it follows."""
        self.outbox.settle(self)

    def owe(self, value: PVValue, merged: int) -> None:
        """An update that is not sent at once: the session is behind or paused, or wants a rate or a deadband."""
        if self.owed or not self._within_deadband(value):
            self.count_owed(merged)
            self.outbox.owe(self)

    def count_owed(self, merged: int) -> None:
        """One more update came that is not sent at once, and stands for `merged` older ones."""
        self._session.figures.updates_merged += self.owed > 0
        self.owed += 1 + merged

    # -- called by the outbox

    def ready(self) -> bool:
        """Whether the newest value is quickly encoded. If not, that is being prepared: Outbox.owe_ready."""
        preparation = self.channel.preparation
        return preparation is None or preparation.ready(self)

    def take(self, now: float) -> Frame:
        """The bytes of the newest value, which settles what was owed."""
        self._follow_framing()
        value = self.channel.latest
        assert value is not None
        merged, self.owed = self.owed - 1, 0
        if self.options.max_rate is not None:
            self.not_before = max(self.not_before, now - CATCH_UP_SECONDS) + 1.0 / self.options.max_rate
        self._delivered = value
        frame = self.encode(self.channel, value, merged)
        if self.channel.preparation is not None:
            self.channel.preparation.taken(self.encode)
        return frame

    def told(self) -> None:
        """Nothing waits for it."""

    # -- inside

    def _tell_ahead(self, tell: Callable[[], None]) -> None:
        """Tell what is about this session only; what is owed and would take long to encode may come after it."""
        self._follow_framing()
        preparation = self.channel.preparation
        put_aside = 0 if preparation is None or preparation.prepared(self.encode) else self.owed
        self.owed -= put_aside
        tell()
        self.owed += put_aside

    def _follow_framing(self) -> None:
        """Encode for the framing that the outbox has now, should replace not have been called since."""
        if self.outbox.reframing:
            self._rejoin(self.options)

    def _tell(self, message: Message) -> None:
        self.settle()
        self._session.send(message)

    def _within_deadband(self, value: PVValue) -> bool:
        band, last = self.options.deadband, self._delivered
        if band is None or last is None or (value.severity, value.status) != (last.severity, last.status):
            return False
        if not isinstance(value.data, float | int) or not isinstance(last.data, float | int):
            return False
        return abs(value.data - last.data) < band
