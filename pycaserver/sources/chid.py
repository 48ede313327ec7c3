"""Chid: what libca has of one PV, a channel with two monitors: DBR_TIME for values, DBR_CTRL for metadata.

pyepics gives context, channels, connection and access-rights callbacks.

THREADS: all runs on the CA worker, but for what begins with `_on_`: that runs on libca's threads and only posts.
"""

from ctypes import byref, c_long, c_ulong, c_void_p
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from epics import ca, dbr

from pycaserver.core.values import DbrType, access_of
from pycaserver.sources.beginning import Beginning
from pycaserver.sources.dbr import CTRL, DYNAMIC, STS, TIME, TIME_LAYOUTS
from pycaserver.sources.monitor import ECA_NORMAL, Handoff, Target
from pycaserver.sources.puts import ECA_DISCONN, LinedPut, PutLine

if TYPE_CHECKING:
    from pycaserver.sources.ca import CAChannel, Connection

VALUE_MASK: Final = dbr.DBE_VALUE | dbr.DBE_ALARM
_NO_CIRCUIT: Final = "<disconnected>"
"""What libca calls the host of a channel without a circuit. A circuit to an IOC that hangs is still one."""


class Chid:
    """Made anew after each loss of a circuit, and its monitors for each connection."""

    __slots__ = ("_ca_channel", "_events", "_handoff", "_id", "_keys", "_monitored", "_name", "_present", "wanted")

    def __init__(self, name: str, handoff: Handoff, ca_channel: "CAChannel") -> None:
        """ca_channel: who is told, on the loop."""
        self.wanted = False
        """Whether values are; the loop says so."""
        self._name = name
        self._handoff = handoff
        self._ca_channel = ca_channel
        self._id: Any = None
        self._present: Connection | None = None
        self._keys: tuple[int, ...] = ()
        """Those of the monitors."""
        self._events: tuple[int, ...] = ()
        """What libca calls the monitors."""
        self._monitored: Connection | None = None
        """The newest whose values are."""

    def create(self) -> None:
        """Search for the PV."""
        self._id = ca.create_channel(self._name, callback=self._on_connection)
        ca.replace_access_rights_event(self._id, callback=self._on_access)
        # X and ca://X may both be open: pyepics would give both the same CA channel, and clear it with either.
        ca._cache[ca.current_context()].pop(self._name, None)

    def renew(self) -> None:
        """Search anew, unless there is a circuit."""
        if self._id is not None and ca.host_name(self._id) == _NO_CIRCUIT:
            self.clear()
            self.create()

    def clear(self) -> None:
        """Have it gone."""
        self._forget_monitors()  # clearing the channel clears them too
        self._present = None
        ca.clear_channel(self._id)
        self._id = None

    def close(self) -> None:
        """Have it gone for good: libca tells nothing any more."""
        self.clear()
        self._monitored = None
        del self._ca_channel  # which has us

    def describe(self, connection: "Connection") -> None:
        """Tell what connected, then subscribe: in this order, so that no value comes before."""
        kind = ca.field_type(self._id) if self._id is not None else None
        if kind not in TIME_LAYOUTS:  # disconnected again in the meantime
            return
        access = access_of(bool(ca.read_access(self._id)), bool(ca.write_access(self._id)))
        described = partial(self._ca_channel.described, connection, ca.element_count(self._id))
        host = ca.host_name(self._id)
        if host == _NO_CIRCUIT:  # likewise: count and access may be those of nothing
            return
        connection.kind = DbrType(kind)
        self._handoff.post(partial(described, intern(host), access))
        self._drop_monitors()
        self._present = connection
        self._monitor_properties(connection)
        if self.wanted:
            self.monitor()

    def monitor(self) -> None:
        """Subscribe to values, once for each connection."""
        connection = self._present
        if connection is not None and connection is not self._monitored:
            self._monitored = connection
            beginning = Beginning(self._handoff, connection)
            self._monitor_values(connection, beginning.key)
            self.get(beginning.key, STS + connection.kind, 1)

    def monitor_anew(self, generation: int) -> None:
        """Have other monitors: those of this connection have missed something."""
        connection = self._present
        if connection is not None and connection.generation == generation:
            self._drop_monitors()
            self._monitor_properties(connection)
            self._monitor_values(connection, self._handoff.new_key(connection.value))

    def get(self, key: int, dbr_type: int, elements: int = DYNAMIC) -> None:
        """Read once; an event with that key tells the outcome."""
        status = ECA_DISCONN
        if self._id is not None:
            status = ca.libca.ca_array_get_callback(
                c_long(dbr_type), c_ulong(elements), self._id, *self._handoff.callback_and_usr(key)
            )
        if status != ECA_NORMAL:
            target = self._handoff.targets.get(key)
            if target is not None:
                self._handoff.post(partial(target, dbr_type, 0, status, b"", 0))

    def put(self, generation: int, kind: DbrType, puts: PutLine, put: LinedPut, old: Target | None) -> None:
        """Perhaps a read for the value before, the put, and a read whose answer says that the IOC has taken it.

        old: who gets that value.
        """
        connected = self._present is not None and self._present.generation == generation
        if connected and old is not None:
            self.get(self._handoff.new_key(old, once=True), TIME + kind)
        status = self._write(kind, puts, put) if connected else ECA_DISCONN
        self._handoff.post(partial(puts.handed, put, status))
        if status == ECA_NORMAL:
            read = self._handoff.new_key(lambda *event: puts.read(put, event[2]), once=True)
            self.get(read, STS + kind, 1)

    # -- inside

    def _on_connection(self, *, conn: bool, **_: Any) -> None:
        self._handoff.post(partial(self._ca_channel.connection_changed, conn))

    def _on_access(self, read: bool, write: bool) -> None:
        self._handoff.post(partial(self._ca_channel.access_changed, access_of(read, write)))

    def _monitor_properties(self, connection: "Connection") -> None:
        if connection.kind is not DbrType.STRING:
            key = self._handoff.new_key(connection.property)
            self._subscribe(CTRL + connection.kind, 1, dbr.DBE_PROPERTY, key)

    def _monitor_values(self, connection: "Connection", key: int) -> None:
        self._subscribe(TIME + connection.kind, DYNAMIC, VALUE_MASK, key)

    def _subscribe(self, dbr_type: int, elements: int, mask: int, key: int) -> None:
        event_id = c_void_p()
        status = ca.libca.ca_create_subscription(
            c_long(dbr_type), c_ulong(elements), self._id, c_long(mask),
            *self._handoff.callback_and_usr(key), byref(event_id),
        )  # fmt: skip
        ca.PySEVCHK("create_subscription", status)
        self._keys += (key,)
        self._events += (event_id.value or 0,)

    def _drop_monitors(self) -> None:
        events = self._events
        self._forget_monitors()
        for event_id in events:
            ca.libca.ca_clear_subscription(c_void_p(event_id))

    def _forget_monitors(self) -> None:
        for key in self._keys:
            self._handoff.targets.pop(key, None)
        self._keys = self._events = ()

    def _write(self, kind: DbrType, puts: PutLine, put: LinedPut) -> int:
        """The CA status; the completion comes as an event."""
        head = c_long(kind), c_ulong(len(put.elements)), self._id, c_void_p(put.elements.ctypes.data)
        if not put.wait:
            return int(ca.libca.ca_array_put(*head))
        key = self._handoff.new_key(lambda *event: puts.completed(put, event[2]), once=True)
        status = int(ca.libca.ca_array_put_callback(*head, *self._handoff.callback_and_usr(key)))
        if status != ECA_NORMAL:
            self._handoff.targets.pop(key, None)
        return status
