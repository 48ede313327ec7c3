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

from epics import ca, dbr

from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.values import Access, DbrType, Metadata, PVValue
from pycaserver.sources.dbr import CONTROL_HEAD, CTRL, TIME, TIME_LAYOUTS, decode_control, decode_time
from pycaserver.sources.monitor import ECA_NORMAL, Handoff, Target
from pycaserver.sources.repeater import Repeater
from pycaserver.sources.worker import CAWorker

VALUE_MASK: Final = dbr.DBE_VALUE | dbr.DBE_ALARM
DYNAMIC: Final = 0
"""An element count of 0 asks the IOC for as many as there are now."""

ECA_DISCONN: Final = 192
ECA_NORDACCESS: Final = 368
_READ_ERRORS: Final = {ECA_DISCONN: "not_connected", ECA_NORDACCESS: "read_denied"}


class CASource:
    """All channels of one CA context."""

    def __init__(self, watch: Callable[..., object], later: Callable[..., object], figures: Figures) -> None:
        """watch: call whenever a file descriptor can be read; later: call after seconds. Both on the loop."""
        self.handoff = Handoff(watch, later, partial(_count_fault, figures))
        self.worker = CAWorker()
        self.figures = figures
        self._keys = count(1)
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

    def new_key(self, target: Target) -> int:
        """A key for a subscription or read, whose events go to the target. From any thread."""
        key = next(self._keys)
        self.handoff.targets[key] = target
        return key


class CAChannel:
    """One CA channel with its two monitors: DBR_TIME for values, DBR_CTRL on DBE_PROPERTY for metadata.

    Each connection and disconnection begins a new generation: whatever still comes of an older one is dropped, so a
    value can never be read under the type of another connection. The monitors are made anew for each connection.
    """

    __slots__ = (
        "_access",
        "_chid",
        "_control",
        "_monitored",
        "_monitored_generation",
        "_monitors",
        "_name",
        "_native",
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
        self._monitored = False
        self._type = DbrType.DOUBLE
        self._access: Access | None = None
        self._control = b""
        # of the worker:
        self._chid: Any = None
        self._native: tuple[int, DbrType] | None = None
        self._monitors: list[tuple[int, int]] = []
        self._monitored_generation = 0
        source.worker.submit(self._ca_create)

    # -- on the loop

    def monitor(self) -> None:
        """Start the value monitor."""
        if not self._monitored:
            self._monitored = True
            self._source.worker.submit(self._ca_monitor_values)

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """Read once, with the time stamp of the IOC."""
        targets = self._source.handoff.targets
        key = self._source.new_key(lambda *event: self._got(key, done, *event))
        self._source.worker.submit(partial(self._ca_get, key, self._type))

        def forget() -> None:
            targets.pop(key, None)

        return forget

    def close(self) -> None:
        """Clear the channel, on the worker."""
        self.generation += 1
        self._source.worker.submit(self._ca_clear)

    def _connection_changed(self, conn: bool) -> None:
        self.generation += 1
        if conn:
            self._access = None  # that of the last connection, which libca took back at its end
            self._source.worker.submit(partial(self._ca_describe, self.generation))
        else:
            self.channel.disconnected()

    def _described(self, generation: int, kind: DbrType, count: int, host: str, access: Access) -> None:
        if generation != self.generation:
            return
        self._type, self.count, self._control = kind, count, b""
        self.channel.connected(kind, count, host, self._access or access)  # an event of this connection is newer
        if kind is DbrType.STRING:  # DBR_CTRL_STRING has nothing to tell
            self.channel.metadata_changed(Metadata(kind, count))

    def property_changed(self, dbr_type: int, raw: bytes) -> None:
        """A DBR_CTRL event; without the alarm, as caproto's IOCs post properties with every value."""
        control = raw[CONTROL_HEAD:]
        if control != self._control:
            self._control = control
            self.channel.metadata_changed(decode_control(dbr_type, raw, self.count))

    def _access_changed(self, access: Access) -> None:
        self._access = access
        self.channel.access_changed(access)

    def _got(
        self,
        key: int,
        done: Callable[[PVValue | PycaError], None],
        dbr_type: int,
        count: int,
        status: int,
        raw: bytes,
        merged: int,
    ) -> None:
        self._source.handoff.targets.pop(key, None)
        if status == ECA_NORMAL:
            done(decode_time(dbr_type, count, raw, self.count > 1))
        else:
            done(PycaError(_READ_ERRORS.get(status, "not_connected"), f"Channel Access says: {ca.message(status)}."))

    # -- on libca's threads

    def _on_connection(self, *, conn: bool, **_: Any) -> None:
        self._source.handoff.post(partial(self._connection_changed, conn))

    def _on_access(self, read: bool, write: bool) -> None:
        self._source.handoff.post(partial(self._access_changed, Access(read, write)))

    # -- on the CA worker

    def _ca_create(self) -> None:
        self._chid = ca.create_channel(self._name, callback=self._on_connection)
        ca.replace_access_rights_event(self._chid, callback=self._on_access)

    def _ca_describe(self, generation: int) -> None:
        """Tell what connected, then subscribe: in this order, so that no value comes before."""
        kind = ca.field_type(self._chid)
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

    def _ca_get(self, key: int, kind: DbrType) -> None:
        status = ca.libca.ca_array_get_callback(
            c_long(TIME + kind), c_ulong(DYNAMIC), self._chid, *self._source.handoff.callback_and_usr(key)
        )
        if status != ECA_NORMAL:
            target = self._source.handoff.targets.get(key)
            if target is not None:
                self._source.handoff.post(partial(target, TIME + kind, 0, status, b"", 0))

    def _ca_clear(self) -> None:
        for key, _ in self._monitors:
            self._source.handoff.targets.pop(key, None)
        self._monitors.clear()  # clearing the channel clears them too
        ca.clear_channel(self._chid)


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
