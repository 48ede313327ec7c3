"""CASource: PVs by Channel Access. pyepics gives context, channels, connection and access-rights callbacks.

THREADS: methods run on the event loop unless their name begins with `_ca_`: those run on the CA worker. pyepics'
callbacks run on libca's threads and only post.
"""

import os
from collections.abc import Callable
from ctypes import byref, c_long, c_ulong, c_void_p
from functools import partial
from itertools import count
from sys import intern
from typing import Any, Final
from weakref import WeakValueDictionary

from epics import ca, dbr

from pycaserver.core.channel import Channel
from pycaserver.core.elements import DTYPES
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, Array, DbrType, Metadata, PVValue
from pycaserver.sources.circuit import Circuit
from pycaserver.sources.dbr import CONTROL_HEAD, CTRL, STS, TIME, TIME_LAYOUTS, decode_control, decode_time
from pycaserver.sources.monitor import ECA_NORMAL, Handoff, Target
from pycaserver.sources.puts import ECA_DISCONN, LinedPut, PutLine
from pycaserver.sources.renewal import Renewal
from pycaserver.sources.repeater import Repeater
from pycaserver.sources.worker import CAWorker

VALUE_MASK: Final = dbr.DBE_VALUE | dbr.DBE_ALARM
DYNAMIC: Final = 0
"""An element count of 0 asks the IOC for as many as there are now."""
MOST_READ_BEFORE: Final = 10_000
"""Elements that are read before each put, for its record; of a larger array the newest value has to do."""

ECA_NORDACCESS: Final = 368
_NO_CIRCUIT: Final = "<disconnected>"
"""What libca calls the host of a channel without a circuit. A circuit to an IOC that hangs is still one."""
_READ_ERRORS: Final = {ECA_DISCONN: "not_connected", ECA_NORDACCESS: "read_denied"}


class CASource:
    """All channels of one CA context."""

    def __init__(self, watch: Callable[..., object], later: Callable[..., object], figures: Figures) -> None:
        """watch: call whenever a file descriptor can be read; later: call after seconds. Both on the loop."""
        self.handoff = Handoff(watch, later, partial(_count_fault, figures))
        self.worker = CAWorker()
        self.renewal = Renewal(later)
        self.figures = figures
        self._keys = count(1)
        self._circuits: WeakValueDictionary[str, Circuit] = WeakValueDictionary()
        self._repeater = Repeater()

    def start(self) -> None:
        """Bring Channel Access up; RuntimeError if that is impossible."""
        # As root libca would take real-time priority and starve the loop.
        os.environ.setdefault("EPICS_ALLOW_POSIX_THREAD_PRIORITY_SCHEDULING", "NO")
        self._repeater.start()
        try:
            self.worker.start()
        except RuntimeError:
            self._repeater.stop()
            raise

    def stop(self) -> None:
        """End what is ours. The CA context stays: clearing it can hang, and the process is about to end."""
        self._repeater.stop()

    def open(self, name: str, channel: Channel) -> "CAChannel":
        """Search for the PV."""
        return CAChannel(self, name, channel)

    def new_key(self, target: Target, *, once: bool = False) -> int:
        """A key for what has events, or only one, all of which go to the target. From any thread."""
        key = next(self._keys)
        targets = self.handoff.targets

        def only(*event: Any) -> None:
            targets.pop(key, None)
            target(*event)

        targets[key] = only if once else target
        return key

    def circuit(self, host: str) -> Circuit:
        """That of the IOC."""
        circuit = self._circuits.get(host) or Circuit()
        self._circuits[host] = circuit
        return circuit


class CAChannel:
    """One CA channel with its two monitors: DBR_TIME for values, DBR_CTRL on DBE_PROPERTY for metadata.

    Each connection and disconnection begins a new generation: whatever still comes of an older one is dropped, so a
    value can never be read under the type of another connection. The monitors are made anew for each connection, the
    CA channel itself after each loss of a circuit.
    """

    __slots__ = (
        "_access",
        "_chid",
        "_circuit",
        "_closed",
        "_metadata",
        "_monitored",
        "_monitored_generation",
        "_monitors",
        "_name",
        "_native",
        "_puts",
        "_source",
        "_type",
        "channel",
        "count",
        "generation",
    )

    def __init__(self, source: CASource, name: str, channel: Channel) -> None:
        self.channel = channel
        self.generation = 0
        self.count = 1
        self._source = source
        self._name = name
        self._closed = False
        self._monitored = False
        self._type = DbrType.DOUBLE
        self._access: Access | None = None
        self._metadata: Metadata | None = None
        self._circuit: Circuit | None = None
        self._puts: PutLine | None = None  # most channels never see one
        # of the worker:
        self._chid: Any = None
        self._native: tuple[int, DbrType] | None = None
        self._monitors: list[tuple[int, int]] = []
        self._monitored_generation = 0
        source.worker.submit(self._ca_create)
        source.renewal.searching(self)

    # -- on the loop

    def monitor(self) -> None:
        """Start the value monitor."""
        if not self._monitored:
            self._monitored = True
            self._submit(self._ca_monitor_values)

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """Read once, with the time stamp of the IOC."""
        targets = self._source.handoff.targets
        key = self._source.new_key(partial(self._got, done), once=True)
        self._submit(partial(self._ca_get, key, TIME + self._type, DYNAMIC))

        def forget() -> None:
            targets.pop(key, None)

        return forget

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        """Write in turn; see PutLine."""
        if elements.dtype != DTYPES[self._type]:  # made for the PV before the IOC's restart, of which nobody knows yet
            events.done(None, PycaError("not_connected", "The PV is of another type now: nothing was written."))
            return _gone
        if self._puts is None:
            self._puts = PutLine(self._write, ca.message, self._circuit)
        return self._puts.add(LinedPut(elements, events, wait))

    def close(self) -> None:
        """Clear the channel, on the worker."""
        if self._puts is not None:
            self._puts.close()
        self._closed = True
        self.generation += 1
        self._source.renewal.settled(self)
        self._source.worker.submit(self._ca_clear)

    def renew(self) -> None:
        """Search anew, unless the PV is there."""
        if self._circuit is None:
            self._source.worker.submit(self._ca_renew)

    def _submit(self, job: Callable[[], None]) -> None:
        """Behind what waits for the IOC, so that libca does not block."""
        if self._circuit is None:
            self._source.worker.submit(job)
        else:
            self._circuit.send(0, partial(self._source.worker.submit, job))

    def _connection_changed(self, conn: bool) -> None:
        if self._closed:  # the worker clears it, or has
            return
        self.generation += 1
        if conn:
            self._access = None  # that of the last connection, which libca took back at its end
            self._source.worker.submit(partial(self._ca_describe, self.generation))
        else:
            self._circuit = None
            if self._puts is not None:
                self._puts.disconnected()
            self.channel.disconnected()
            self._source.renewal.lost(self.channel.host, self)

    def _described(self, generation: int, kind: DbrType, count: int, host: str, access: Access) -> None:
        if generation != self.generation:
            return
        self._type, self.count, self._metadata = kind, count, None
        self._circuit = self._source.circuit(host)
        self._source.renewal.settled(self)
        if self._puts is not None:
            self._puts.connected(self._circuit)
        if self.channel.contact.reason == "lost":
            self._source.renewal.regained(host)
        self.channel.connected(kind, count, host, self._access or access)  # an event of this connection is newer
        if kind is DbrType.STRING:  # DBR_CTRL_STRING has nothing to tell
            self.channel.metadata_changed(Metadata(kind, count))

    def property_changed(self, dbr_type: int, raw: bytes) -> None:
        """A DBR_CTRL event; its head is the alarm, which is no property."""
        metadata = decode_control(dbr_type, raw[CONTROL_HEAD:], self.count)
        if metadata is not self._metadata:
            self._metadata = metadata
            self.channel.metadata_changed(metadata)

    def _access_changed(self, access: Access) -> None:
        self._access = access
        self.channel.access_changed(access)

    def _got(
        self,
        done: Callable[[PVValue | PycaError], None],
        dbr_type: int,
        count: int,
        status: int,
        raw: bytes,
        merged: int,
    ) -> None:
        if status == ECA_NORMAL:
            done(decode_time(dbr_type, count, raw, self.count > 1))
        else:
            done(PycaError(_READ_ERRORS.get(status, "not_connected"), f"Channel Access says: {ca.message(status)}."))

    def _write(self, puts: PutLine, put: LinedPut) -> None:
        """With a read before it, for the record, unless that would be a large array."""
        put.old = self.channel.latest
        read_old = self.count <= MOST_READ_BEFORE or put.old is None
        self._source.worker.submit(partial(self._ca_put, self.generation, self._type, puts, put, read_old))

    def _old_came(self, put: LinedPut, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> None:
        if status == ECA_NORMAL:
            put.old = decode_time(dbr_type, count, raw, self.count > 1)

    # -- on libca's threads

    def _on_connection(self, *, conn: bool, **_: Any) -> None:
        self._source.handoff.post(partial(self._connection_changed, conn))

    def _on_access(self, read: bool, write: bool) -> None:
        self._source.handoff.post(partial(self._access_changed, Access(read, write)))

    # -- on the CA worker

    def _ca_create(self) -> None:
        self._chid = ca.create_channel(self._name, callback=self._on_connection)
        ca.replace_access_rights_event(self._chid, callback=self._on_access)
        # X and ca://X may both be open: pyepics would give both the same CA channel, and clear it with either.
        ca._cache[ca.current_context()].pop(self._name, None)

    def _ca_renew(self) -> None:
        if self._chid is not None and ca.host_name(self._chid) == _NO_CIRCUIT:
            self._ca_clear()
            self._ca_create()

    def _ca_describe(self, generation: int) -> None:
        """Tell what connected, then subscribe: in this order, so that no value comes before."""
        kind = ca.field_type(self._chid) if self._chid is not None else None
        if kind not in TIME_LAYOUTS:  # disconnected again in the meantime
            return
        access = Access(bool(ca.read_access(self._chid)), bool(ca.write_access(self._chid)))
        described = partial(self._described, generation, DbrType(kind), ca.element_count(self._chid))
        self._source.handoff.post(partial(described, intern(ca.host_name(self._chid)), access))
        self._ca_drop_monitors()
        self._native = (generation, DbrType(kind))
        if kind != DbrType.STRING:
            self._ca_subscribe(CTRL + kind, 1, dbr.DBE_PROPERTY, _Connection(self, generation).property)
        if self._monitored:
            self._ca_monitor_values()

    def _ca_monitor_values(self) -> None:
        if self._native is None or self._native[0] == self._monitored_generation:
            return
        generation, kind = self._native
        self._monitored_generation = generation
        self._ca_subscribe(TIME + kind, DYNAMIC, VALUE_MASK, _Connection(self, generation).value)

    def _ca_subscribe(self, dbr_type: int, elements: int, mask: int, target: Target) -> None:
        key = self._source.new_key(target)
        event_id = c_void_p()
        status = ca.libca.ca_create_subscription(
            c_long(dbr_type), c_ulong(elements), self._chid, c_long(mask),
            *self._source.handoff.callback_and_usr(key), byref(event_id),
        )  # fmt: skip
        ca.PySEVCHK("create_subscription", status)
        self._monitors.append((key, event_id.value or 0))

    def _ca_drop_monitors(self) -> None:
        for key, event_id in self._monitors:
            self._source.handoff.targets.pop(key, None)
            ca.libca.ca_clear_subscription(c_void_p(event_id))
        self._monitors.clear()

    def _ca_get(self, key: int, dbr_type: int, elements: int) -> None:
        status = ECA_DISCONN
        if self._chid is not None:
            status = ca.libca.ca_array_get_callback(
                c_long(dbr_type), c_ulong(elements), self._chid, *self._source.handoff.callback_and_usr(key)
            )
        if status != ECA_NORMAL:
            target = self._source.handoff.targets.get(key)
            if target is not None:
                self._source.handoff.post(partial(target, dbr_type, 0, status, b"", 0))

    def _ca_put(self, generation: int, kind: DbrType, puts: PutLine, put: LinedPut, read_old: bool) -> None:
        """Perhaps a read for the value before, the put, and a read whose answer says that the IOC has taken it."""
        source = self._source
        connected = self._native is not None and self._native[0] == generation
        if connected and read_old:
            self._ca_get(source.new_key(partial(self._old_came, put), once=True), TIME + kind, DYNAMIC)
        status = self._ca_write(kind, puts, put) if connected else ECA_DISCONN
        source.handoff.post(partial(puts.handed, put, status))
        if status == ECA_NORMAL:
            read = source.new_key(lambda *event: puts.read(put, event[2]), once=True)
            self._ca_get(read, STS + kind, 1)

    def _ca_write(self, kind: DbrType, puts: PutLine, put: LinedPut) -> int:
        """The CA status; the completion comes as an event."""
        head = c_long(kind), c_ulong(len(put.elements)), self._chid, put.elements.ctypes.data_as(c_void_p)
        if not put.wait:
            return int(ca.libca.ca_array_put(*head))
        handoff = self._source.handoff
        key = self._source.new_key(lambda *event: puts.completed(put, event[2]), once=True)
        status = int(ca.libca.ca_array_put_callback(*head, *handoff.callback_and_usr(key)))
        if status != ECA_NORMAL:
            handoff.targets.pop(key, None)
        return status

    def _ca_clear(self) -> None:
        for key, _ in self._monitors:
            self._source.handoff.targets.pop(key, None)
        self._monitors.clear()  # clearing the channel clears them too
        self._native = None
        ca.clear_channel(self._chid)
        self._chid = None


def _gone() -> bool:
    """There is nothing to take back."""
    return False


class _Connection:
    """Takes the events of one connection, and none that comes after it; gone through for each update."""

    __slots__ = ("_ca_channel", "_generation")

    def __init__(self, ca_channel: CAChannel, generation: int) -> None:
        self._ca_channel = ca_channel
        self._generation = generation

    def value(self, dbr_type: int, count: int, status: int, raw: Any, merged: int) -> None:
        """A DBR_TIME event."""
        ca_channel = self._ca_channel
        if self._generation == ca_channel.generation and status == ECA_NORMAL:
            ca_channel.channel.publish(decode_time(dbr_type, count, raw, ca_channel.count > 1), merged)

    def property(self, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> None:
        """A DBR_CTRL event."""
        if self._generation == self._ca_channel.generation and status == ECA_NORMAL:
            self._ca_channel.property_changed(dbr_type, raw)


def _count_fault(figures: Figures) -> None:
    figures.faults += 1
