"""CASource: PVs by Channel Access.

THREADS: all runs on the event loop; what runs elsewhere is in chid.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from epics import ca

from pycaserver.core.channel import Channel
from pycaserver.core.elements import DTYPES
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, Array, DbrType, Metadata, PVValue
from pycaserver.sources.chid import Chid
from pycaserver.sources.circuit import Circuit
from pycaserver.sources.dbr import CONTROL_HEAD, TIME, decode_control, decode_time
from pycaserver.sources.monitor import ECA_NORMAL, Handoff, Target
from pycaserver.sources.puts import ECA_DISCONN, LinedPut, PutLine
from pycaserver.sources.reads import ReadLine
from pycaserver.sources.renewal import Renewal
from pycaserver.sources.repeater import Repeater
from pycaserver.sources.worker import CAWorker

MOST_READ_BEFORE: Final = 10_000
"""Elements that are read before each put, for its record; of a larger array the newest value has to do."""

ECA_NORDACCESS: Final = 368
_READ_ERRORS: Final = {ECA_DISCONN: "not_connected", ECA_NORDACCESS: "read_denied"}


class CASource:
    """All channels of one CA context."""

    def __init__(self, watch: Callable[..., object], later: Callable[..., object], figures: Figures) -> None:
        """watch: call whenever a file descriptor can be read; later: call after seconds. Both on the loop."""
        self.handoff = Handoff(watch, later, partial(_count_fault, figures))
        self.worker = CAWorker()
        self.renewal = Renewal(later)
        self.figures = figures
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

    def circuit(self, host: str) -> Circuit:
        """That of the IOC."""
        circuit = self._circuits.get(host) or Circuit()
        self._circuits[host] = circuit
        return circuit


class CAChannel:
    """One PV, as the loop sees it.

    Each connection and disconnection begins a new generation: whatever still comes of an older one is dropped, so a
    value can never be read under the type of another connection.
    """

    __slots__ = (
        "_access",
        "_chid",
        "_circuit",
        "_closed",
        "_metadata",
        "_puts",
        "_reads",
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
        self._chid = Chid(name, source.handoff, self)
        self._closed = False
        self._type = DbrType.DOUBLE
        self._access: Access | None = None
        self._metadata: Metadata | None = None
        self._circuit: Circuit | None = None
        self._puts: PutLine | None = None  # most channels never see one
        self._reads: ReadLine | None = None
        source.worker.submit(self._chid.create)
        source.renewal.searching(self)

    def monitor(self) -> None:
        """Start the value monitor."""
        if not self._chid.wanted:
            self._chid.wanted = True
            self._submit(self._chid.monitor)

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """Read once, with the time stamp of the IOC."""
        if self._reads is None:
            self._reads = ReadLine(self._ask, self._result)
        return self._reads.add(self._circuit, done)

    def monitor_anew(self) -> None:
        """The present monitor has missed a value: have another."""
        self._source.figures.monitors_renewed += 1
        self._submit(partial(self._chid.monitor_anew, self.generation))

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
            self._puts = None
        if self._reads is not None:
            self._reads.close()
            self._reads = None
        self._closed = True
        self.generation += 1
        self._source.renewal.settled(self)
        self._source.worker.submit(self._chid.close)

    def renew(self) -> None:
        """Search anew, unless the PV is there."""
        if self._circuit is None and not self._closed:
            self._source.worker.submit(self._chid.renew)

    # -- told by libca

    def connection_changed(self, conn: bool) -> None:
        """The PV is there, or not any more."""
        if self._closed:  # the worker clears it, or has
            return
        self.generation += 1
        if conn:
            self._access = None  # that of the last connection, which libca took back at its end
            self._source.worker.submit(partial(self._chid.describe, Connection(self, self.generation)))
        else:
            self._circuit = None
            if self._reads is not None:
                self._reads.disconnected()
            if self._puts is not None:
                self._puts.disconnected()
            self.channel.disconnected()
            self._source.renewal.lost(self.channel.host, self)

    def described(self, connection: "Connection", count: int, host: str, access: Access) -> None:
        """What is there."""
        if connection.generation != self.generation:
            return
        kind = connection.kind
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

    def access_changed(self, access: Access) -> None:
        """What may be done with it."""
        self._access = access
        self.channel.access_changed(access)

    # -- inside

    def _submit(self, job: Callable[[], None]) -> None:
        """Behind what waits for the IOC, so that libca does not block."""
        submit = partial(self._source.worker.submit, job)
        if self._circuit is None:
            submit()
        else:
            self._circuit.send(0, submit)

    def _ask(self, target: Target) -> Callable[[], None]:
        """Have libca read, and tell the target; returns what keeps it from being told."""
        targets = self._source.handoff.targets
        key = self._source.handoff.new_key(target, once=True)
        self._source.worker.submit(partial(self._chid.get, key, TIME + self._type), urgent=True)

        def drop() -> None:
            targets.pop(key, None)

        return drop

    def _result(self, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> PVValue | PycaError:
        if status == ECA_NORMAL:
            return decode_time(dbr_type, count, raw, self.count > 1)
        return PycaError(_READ_ERRORS.get(status, "not_connected"), f"Channel Access says: {ca.message(status)}.")

    def _write(self, puts: PutLine, put: LinedPut) -> None:
        """With a read before it, for the record, unless that would be a large array."""
        put.old = self.channel.latest
        old = partial(self._old_came, put) if self.count <= MOST_READ_BEFORE or put.old is None else None
        job = partial(self._chid.put, self.generation, self._type, puts, put, old)
        self._source.worker.submit(job, urgent=True)

    def _old_came(self, put: LinedPut, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> None:
        if status == ECA_NORMAL:
            put.old = decode_time(dbr_type, count, raw, self.count > 1)


class Connection:
    """Takes the events of one connection, and none that comes after it; gone through for each update."""

    __slots__ = ("_ca_channel", "generation", "kind")

    def __init__(self, ca_channel: CAChannel, generation: int) -> None:
        self._ca_channel = ca_channel
        self.generation = generation
        self.kind = DbrType.DOUBLE
        """Told by the worker before all else."""

    @property
    def is_present(self) -> bool:
        """Whether the PV is still connected by it."""
        return self.generation == self._ca_channel.generation

    def monitor_anew(self) -> None:
        """The monitor has missed a value: have another."""
        self._ca_channel.monitor_anew()

    def value(self, dbr_type: int, count: int, status: int, raw: Any, merged: int) -> None:
        """A DBR_TIME event."""
        ca_channel = self._ca_channel
        if self.generation == ca_channel.generation and status == ECA_NORMAL:
            ca_channel.channel.publish(decode_time(dbr_type, count, raw, ca_channel.count > 1), merged)

    def property(self, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> None:
        """A DBR_CTRL event."""
        if self.generation == self._ca_channel.generation and status == ECA_NORMAL:
            self._ca_channel.property_changed(dbr_type, raw)


def _gone() -> bool:
    """There is nothing to take back."""
    return False


def _count_fault(figures: Figures) -> None:
    figures.faults += 1
