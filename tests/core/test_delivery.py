"""Outbox, Subscription, Channel and Session together against a model: whatever happens, in whatever order.

Updates of PVs of different sizes, connections, metadata, access rights, options and pauses come at random, and one of
two peers reads as it likes. Each message stands for the updates that it counts (core/model.py), so that nothing is lost
uncounted, doubled or reordered; the peer that reads notices nothing of the other; what waits for the other is bounded.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pycaserver.core import piecework, session
from pycaserver.core.fanout import BLOCK_BYTES
from pycaserver.core.hold import METADATA_SECONDS
from pycaserver.core.values import Data, DbrType, Metadata
from tests.core.model import Left, Log, Told, Update
from tests.fakes import DENIED, FRAMINGS, READ_WRITE, Peer, World, value

SIZES = {"SMALL": 20, "MIDDLE": 8_000, "LARGE": 40_000}
"""Bytes of one value of each PV."""
BACKLOG_BYTES = 800_000
VALUE_LIMIT = BACKLOG_BYTES // 4
SEARCH_SECONDS = 3.0

pvs = st.sampled_from(list(SIZES))
merges = st.sampled_from([0, 0, 0, 1, 5])


MEANWHILE: dict[str, Callable[["Delivery", str], None]] = {
    "turn": lambda machine, name: machine.world.clock.run_one(),
    "again": lambda machine, name: machine.change_framing(machine.slow.peer.session.outbox.framing is FRAMINGS[0]),
    "other": lambda machine, name: machine.healthy_subscribes(name, metadata=True),
    "values": lambda machine, name: machine.publish(name, 2, 0),
    "metadata": lambda machine, name: machine.metadata(name, "cm"),
    "access": lambda machine, name: machine.change_access(name),
    "lost": lambda machine, name: machine.lose(name),
    "there": lambda machine, name: machine.connect(name),
}
"""What may happen while a session's subscriptions change their framing."""


class PV:
    """What the model knows of one PV."""

    def __init__(self) -> None:
        self.state = "searching"  # or up, down, denied
        self.known = False
        self.described = False
        """Whether the metadata of this connection, or of this right to read, has come."""
        self.deadline = SEARCH_SECONDS
        """Of the search, or of the wait for metadata."""
        self.number = 0
        self.units = ""
        self.latest: Update | None = None
        self.held: Update | None = None


class Hearer:
    """A peer with the logs of what it must hear."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.logs: dict[str, Log] = defaultdict(Log)
        self.options: dict[str, dict[str, Any]] = {}
        self.allowance = 0
        """Bytes that may wait beyond the limit: messages that are never merged, and the values before them."""

    def hear(self) -> None:
        for message in self.peer.hears():
            if "pvname" in message:
                self.logs[message["pvname"]].hear(message)
        if not self.peer.transport.unsent:
            self.allowance = 0

    def allow(self, *names: str) -> None:
        self.allowance += sum(SIZES[name] + 1000 for name in names)

    def must_hear(self, name: str, *events: Update | Told) -> None:
        """Something happened to a PV."""
        if name in self.options:
            wants = self.options[name].get("metadata", False)
            told = [event for event in events if wants or getattr(event, "what", "") not in ("metadata", "access")]
            self.logs[name].add(*told)
            if any(isinstance(event, Told) for event in events):
                self.allow(name)


class Delivery(RuleBasedStateMachine):
    """The machine: each rule does something and says what must be heard of it."""

    @initialize()
    def begin(self) -> None:
        self.world = World(search_seconds=SEARCH_SECONDS)
        self.pvs = {name: PV() for name in SIZES}
        for name in SIZES:
            self.world.channel(name)
        peers = (self.world.peer(backlog_bytes=BACKLOG_BYTES) for _ in range(2))
        self.healthy, self.slow = map(Hearer, peers)
        for name in SIZES:
            self.healthy_subscribes(name, metadata=True)
            self.slow_subscribes(name, metadata=False, max_rate=None)
            self.connect(name)
            self.metadata(name, "mm")

    def data(self, name: str, number: int) -> Data:
        """A value that begins with its number."""
        return f"{number} " + "x" * SIZES[name]

    # -- what happens to the PVs

    def tell(self, name: str, *events: Update | Told) -> None:
        for hearer in (self.healthy, self.slow):
            hearer.must_hear(name, *events)

    def become_known(self, name: str) -> None:
        pv = self.pvs[name]
        pv.known, held, pv.held = True, pv.held, None
        self.tell(name, Told("metadata", pv.units), Told("access"))
        if held is not None:
            pv.latest = Update(held.number, held.weight, pv.units)
            self.tell(name, pv.latest)

    def go_up(self, name: str) -> None:
        pv = self.pvs[name]
        pv.state, pv.deadline = "up", self.world.clock.now + METADATA_SECONDS
        self.tell(name, Told("connection", True))
        if pv.described:
            self.become_known(name)

    def go_down(self, name: str, state: str) -> None:
        pv = self.pvs[name]
        pv.state, pv.known, pv.described, pv.latest, pv.held = state, False, False, None, None
        self.tell(name, Told("connection", False))

    @rule(name=pvs, burst=st.integers(1, 30), merged=merges)
    def publish(self, name: str, burst: int, merged: int) -> None:
        pv = self.pvs[name]
        if pv.state not in ("up", "denied"):  # the news of a right to read may come after the first value
            return
        for _ in range(burst):
            pv.number += 1
            update = Update(pv.number, 1 + merged, pv.units)
            if pv.known:
                pv.latest = update
                self.tell(name, update)
            else:
                pv.held = Update(pv.number, update.weight + (pv.held.weight if pv.held else 0), "")
            self.world.source[name].channel.publish(value(self.data(name, pv.number)), merged)

    @rule(name=pvs)
    def connect(self, name: str) -> None:
        if self.pvs[name].state in ("searching", "down"):
            self.pvs[name].units = ""
            self.go_up(name)
            self.world.source[name].connect(DbrType.STRING)

    @rule(name=pvs, units=st.sampled_from(["", "mm", "m"]))
    def metadata(self, name: str, units: str) -> None:
        pv = self.pvs[name]
        if pv.state not in ("up", "denied"):
            return
        changed, pv.units, pv.described = pv.units != units, units, True
        if pv.known and changed:
            self.tell(name, Told("metadata", units))
        elif pv.state == "up" and not pv.known:
            self.become_known(name)
        self.world.source[name].channel.metadata_changed(Metadata(DbrType.STRING, 1, units=units))

    @rule(name=pvs)
    def lose(self, name: str) -> None:
        if self.pvs[name].state in ("up", "denied"):
            self.go_down(name, "down")
            self.world.source[name].channel.disconnected()

    @rule(name=pvs)
    def change_access(self, name: str) -> None:
        channel = self.world.source[name].channel
        if self.pvs[name].state == "up":
            self.go_down(name, "denied")
            channel.access_changed(DENIED)
        elif self.pvs[name].state == "denied":
            self.go_up(name)
            channel.access_changed(READ_WRITE)

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 2.0]))
    def time_passes(self, seconds: float) -> None:
        now = self.world.clock.now + seconds
        for name, pv in self.pvs.items():
            if pv.state == "searching" and pv.deadline <= now:
                self.go_down(name, "down")
            elif pv.state == "up" and not pv.known and pv.deadline <= now:
                self.become_known(name)
        self.world.clock.advance(seconds)

    # -- what the peers ask

    def subscribe(self, hearer: Hearer, name: str, **options: Any) -> None:
        pv = self.pvs[name]
        hearer.options[name] = options
        if pv.state != "searching":
            hearer.must_hear(name, Told("connection", pv.state == "up"))
            if pv.known:
                hearer.must_hear(name, Told("metadata", pv.units), Told("access"))
                if pv.latest is not None:  # as it was when it came, but it stands for nothing that was before
                    hearer.must_hear(name, Update(pv.latest.number, 1, pv.units))
        hearer.peer.session.receive(json.dumps({"action": "connect", "pv": name, **options}).encode())

    @rule(name=pvs, metadata=st.booleans())
    def healthy_subscribes(self, name: str, metadata: bool) -> None:
        self.subscribe(self.healthy, name, metadata=metadata)

    @rule(name=pvs, metadata=st.booleans(), max_rate=st.sampled_from([None, None, 2, 50]))
    def slow_subscribes(self, name: str, metadata: bool, max_rate: float | None) -> None:
        self.subscribe(self.slow, name, metadata=metadata, max_rate=max_rate)

    @rule(name=pvs)
    def slow_leaves(self, name: str) -> None:
        if self.slow.options.pop(name, None) is not None:
            self.slow.logs[name].add(Left())
        self.slow.peer.asks("disconnect", pv=name)

    @rule(action=st.sampled_from(["pause", "resume"]))
    def slow_pauses_or_resumes(self, action: str) -> None:
        self.slow.peer.asks(action)

    @rule(batch=st.booleans(), name=pvs, burst=st.integers(0, 30))
    def slow_changes_its_framing(self, batch: bool, name: str, burst: int) -> None:
        self.publish(name, burst, 0)  # in the same batch, so that something is due when the framing changes
        self.slow.allow(*SIZES)
        self.slow.peer.asks("options", batch=batch)

    @rule(batch=st.booleans(), steps=st.lists(st.tuples(st.sampled_from([*MEANWHILE]), pvs), max_size=8))
    def slow_changes_its_framing_while_much_happens(self, batch: bool, steps: list[tuple[str, str]]) -> None:
        """Of one subscription after the other; at the end of the rule comes the rest."""
        self.slow.allow(*SIZES)
        self.change_framing(batch)
        for step, name in steps:
            MEANWHILE[step](self, name)

    def change_framing(self, batch: bool) -> None:
        self.slow.peer.session.receive(b'{"action":"options","batch":%b}' % str(batch).lower().encode())

    @rule(reading=st.booleans())
    def slow_reads_or_not(self, reading: bool) -> None:
        self.slow.peer.transport.reading = reading
        if reading:
            self.slow.peer.reads_all()

    @rule(size=st.integers(1, 100_000))
    def slow_takes_some(self, size: int) -> None:
        self.slow.peer.takes(min(size, self.slow.peer.transport.unsent))

    # -- what must be true

    @rule()
    def once_the_peer_reads_and_time_passes_all_is_heard(self) -> None:
        self.slow_pauses_or_resumes("resume")
        self.slow_reads_or_not(True)
        for _ in range(3):
            self.time_passes(2.0)
        self.slow.hear()
        assert all(log.all_heard for log in self.slow.logs.values())

    @invariant()
    def the_healthy_peer_has_heard_everything(self) -> None:
        self.healthy.hear()
        assert all(log.all_heard for log in self.healthy.logs.values())

    @invariant()
    def what_the_slow_peer_has_heard_is_right(self) -> None:
        self.slow.hear()
        assert self.slow.peer.transport.closed is None

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert self.healthy.peer.transport.unsent == 0
        block = BLOCK_BYTES + max(SIZES.values())
        assert self.slow.peer.transport.unsent <= VALUE_LIMIT + block + 1000 + self.slow.allowance


def test_delivery_against_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    phases = (Phase.generate, Phase.shrink)  # explaining a failure would take minutes
    limits = settings(max_examples=400, stateful_step_count=40, phases=phases, report_multiple_bugs=False)
    monkeypatch.setattr(session, "AT_ONCE", 1)  # so that few subscriptions are many
    monkeypatch.setattr(piecework, "TURN_SECONDS", 0.0)
    run_state_machine_as_test(Delivery, settings=limits)
