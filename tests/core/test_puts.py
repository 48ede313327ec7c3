"""Puts: checked, bounded, answered once, recorded once; and once more when an outcome comes late."""

import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from weakref import ReferenceType, ref

import pytest

from pycaserver.core.access import AccessControl, Rule, Rules
from pycaserver.core.audit import AuditEntry
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import PutAnswer
from pycaserver.core.puts import DEFAULT_TIMEOUT, MOST_BYTES, MOST_PUTS, Puts, stop_puts
from pycaserver.core.requests import Put
from pycaserver.core.source import PutEvents
from pycaserver.core.values import Access, Array, DbrType
from tests.fakes import FakeLimits, FakeSourceChannel, World, value

ANNA = Identity(user="anna", address="10.0.0.1")


class Putter:
    """Puts, and what is heard of them."""

    def __init__(self, world: World) -> None:
        self.services = world.services(FakeLimits())
        self.puts = Puts(self.services)
        self.world = world
        self.answers: list[PutAnswer | PycaError] = []

    def put(self, value: Any = 5, pv: str = "PV", over_budget: bool = False, **keys: Any) -> None:
        request = Put(pv=pv, value=value, **keys)
        self.puts.begin(request, ANNA, self.answers.append, over_budget=over_budget)
        self.world.clock.run()

    def gist(self) -> list[str]:
        """What was answered since the last time: ok, sent, or a code."""
        answers = self.answers.copy()
        self.answers.clear()
        return [it.code if isinstance(it, PycaError) else "sent" if it.sent else "ok" for it in answers]


@pytest.fixture
def putter(world: World) -> Putter:
    return Putter(world)


@pytest.fixture
def ioc(world: World) -> FakeSourceChannel:
    """That of the PV, which is up, and is kept."""
    world.channel("PV")
    world.source["PV"].bring_up(1.5)
    return world.source["PV"]


def outcomes(world: World) -> list[tuple[int, str, bool]]:
    return [(entry.put, entry.outcome, entry.late) for entry in world.audit.entries]


def test_answer_comes_with_the_completion(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put(5, id="i")
    assert putter.gist() == []
    world.clock.advance(2)
    put = ioc.complete(old=value(3.0))
    assert (put.elements.tolist(), put.wait) == ([5.0], True)
    assert putter.answers == [PutAnswer(pvname="PV", ok=True, elapsed=2.0, id="i")]
    assert world.audit.entries == [
        AuditEntry(
            put=1, time=world.clock.wall() - 2, identity=ANNA, pv="PV", new=5, old=3.0, decision="allowed",
            rule='access.default is "write"', outcome="ok", duration=2.0,
        )
    ]  # fmt: skip
    assert world.clock.pending == 0


def test_without_wait_it_is_sent_and_nothing_more(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put(wait=False)
    assert putter.gist() == ["sent"]
    ioc.complete()
    assert outcomes(world) == [(1, "sent", False)]
    assert putter.gist() == []


def test_unanswered_put_without_wait_is_recorded_in_time(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put(wait=False)
    world.clock.advance(DEFAULT_TIMEOUT)
    assert outcomes(world) == [(1, "sent", False)]
    ioc.complete(PycaError("put_failed"))
    assert outcomes(world) == [(1, "sent", False), (1, "put_failed", True)]
    assert putter.gist() == ["sent"]


def test_time_out_says_that_the_outcome_is_unknown_and_the_late_one_is_recorded(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    putter.put(timeout=1)
    world.clock.advance(1)
    assert putter.gist() == ["put_timeout"]
    world.clock.advance(100)
    ioc.complete()
    assert putter.gist() == []
    assert outcomes(world) == [(1, "put_timeout", False), (1, "ok", True)]
    assert world.audit.entries[1].duration == 101


def test_a_put_without_wait_that_was_held_up_on_its_way_has_its_outcome_on_record(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    """It is with Channel Access, and cannot be taken back; nobody knows whether it was sent."""
    ioc.sends = False
    putter.put(timeout=1, wait=False)
    (put,) = ioc.puts
    put.events.refusal()
    ioc.sends = True  # from now on it cannot be taken back
    world.clock.advance(1)
    assert putter.gist() == ["put_timeout"]
    put.events.sent()
    ioc.complete()
    assert outcomes(world) == [(1, "put_timeout", False), (1, "sent", True)]
    assert putter.gist() == []


def test_put_that_was_not_sent_is_taken_back(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    ioc.sends = False
    putter.put(timeout=1)
    world.clock.advance(1)
    (error,) = putter.answers
    assert isinstance(error, PycaError) and (error.code, "not sent" in error.message) == ("put_timeout", True)
    assert outcomes(world) == [(1, "put_timeout", False)]


def test_refusal_by_the_ioc_is_passed_on(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put()
    ioc.complete(PycaError("put_failed", "Channel Access says: no."))
    assert putter.gist() == ["put_failed"]
    assert world.audit.entries[0].message == "Channel Access says: no."


def test_latest_value_stands_for_an_old_one_that_was_not_read(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    putter.put()
    ioc.complete()
    assert world.audit.entries[0].old == 1.5


@pytest.mark.parametrize(
    ("rules", "code", "sentence"),
    [
        (Rules(), "write_disabled", 'access.default is "read"'),
        (Rules(writes=True), "write_denied", 'access.default is "read"'),
        (Rules(default="write"), "write_disabled", "access.writes is false"),
        (Rules(writes=True, default="write", rules=[Rule("P*", "read")]), "write_denied", 'pv = "P*"'),
    ],
)
def test_rules_come_first_and_nothing_is_searched(
    world: World, putter: Putter, rules: Rules, code: str, sentence: str
) -> None:
    world.access.replace(rules)
    putter.put()
    (error,) = putter.answers
    assert isinstance(error, PycaError) and error.code == code and sentence in error.message
    assert world.source.opened == []
    (entry,) = world.audit.entries
    assert (entry.decision, entry.outcome, sentence in entry.rule) == ("refused", code, True)


def test_rules_that_change_while_the_pv_is_searched_count(world: World, putter: Putter) -> None:
    putter.put()
    world.access.replace(Rules())
    world.source["PV"].bring_up(1)
    assert putter.gist() == ["write_disabled"]
    assert world.source["PV"].puts == []


def test_rules_that_change_while_the_put_waits_for_others_count(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    ioc.sends = False
    putter.put()
    (put,) = ioc.puts
    assert put.events.refusal() is None
    world.access.replace(Rules())
    ioc.complete(put.events.refusal())
    assert putter.gist() == ["write_disabled"]
    (entry,) = world.audit.entries
    assert (entry.decision, entry.outcome, entry.rule) == (
        "refused", "write_disabled", 'access.default is "read"',
    )  # fmt: skip


def test_identity_that_is_withdrawn_while_the_put_waits_counts(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    believed = [ANNA]
    putter.puts = Puts(replace(putter.services, stands=lambda identity: identity in believed))
    ioc.sends = False
    putter.put()
    believed.clear()
    ioc.complete(ioc.puts[0].events.refusal())
    putter.put()
    assert putter.gist() == ["unauthenticated"] * 2
    assert (ioc.puts, outcomes(world)) == ([], [(1, "unauthenticated", False), (2, "unauthenticated", False)])


def test_when_the_server_stops_each_put_is_on_record(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put(timeout=100)
    putter.put(timeout=100, wait=False)
    putter.put(pv="SEARCHED")
    stop_puts(putter.services)
    assert putter.gist() == ["sent", "put_timeout", "put_timeout"]
    assert sorted(outcomes(world)) == [(1, "put_timeout", False), (2, "sent", False), (3, "put_timeout", False)]
    unsent, _, unknown = world.audit.entries
    assert "was not sent" in unsent.message
    assert unknown.message == "The server stopped; the outcome is unknown."
    stop_puts(putter.services)
    world.source["SEARCHED"].bring_up(1)
    assert world.source["SEARCHED"].puts == []
    ioc.complete()
    assert outcomes(world)[3:] == [(1, "ok", True)]


def test_put_that_is_over_is_not_recorded_again_when_the_server_stops(
    world: World, putter: Putter, ioc: FakeSourceChannel
) -> None:
    putter.put()
    ioc.complete()
    putter.put(timeout=1)
    world.clock.advance(1)
    stop_puts(putter.services)
    assert outcomes(world) == [(1, "ok", False), (2, "put_timeout", False)]


@pytest.mark.parametrize("at_once", [True, False])
def test_memory_of_a_put_that_is_over_is_free_at_once(
    putter: Putter, ioc: FakeSourceChannel, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    puts = list[ReferenceType[PutEvents]]()

    def refuse(elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        puts.append(ref(events))
        if at_once:
            events.done(None, PycaError("put_failed"))
        return lambda: events is None

    monkeypatch.setattr(ioc, "put", refuse)
    gc.disable()
    try:
        putter.put([0.5])
        if not at_once and (events := puts[0]()):
            events.done(None, None)
            del events
        assert putter.gist() == ["put_failed" if at_once else "ok"]
        assert puts[0]() is None
    finally:
        gc.enable()


def test_no_put_without_a_record(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    world.audit.trouble = "The disk is full."
    putter.put()
    (error,) = putter.answers
    assert isinstance(error, PycaError) and (error.code, error.message) == ("write_disabled", "The disk is full.")
    assert ioc.puts == []


def test_iocs_rights_count_too(world: World, putter: Putter) -> None:
    world.channel("PV")
    world.source["PV"].bring_up(1, access=Access(read=True, write=False))
    putter.put()
    assert putter.gist() == ["no_write_access"]
    assert (world.source["PV"].puts, outcomes(world)) == ([], [(1, "no_write_access", False)])


def test_bad_value_is_refused_before_channel_access(world: World, putter: Putter) -> None:
    world.channel("PV")
    world.source["PV"].bring_up(1, type=DbrType.LONG)
    putter.put(2**40)
    assert putter.gist() == ["bad_value"]
    assert (world.source["PV"].puts, outcomes(world)) == ([], [(1, "bad_value", False)])


def test_name_that_is_none_is_recorded_too(world: World, putter: Putter) -> None:
    putter.put(pv="PV ")
    assert putter.gist() == ["invalid_pv_name"]
    (entry,) = world.audit.entries
    assert (entry.decision, entry.outcome, entry.pv) == ("refused", "invalid_pv_name", "PV ")


def test_pv_that_is_not_there(world: World, putter: Putter) -> None:
    putter.put()
    world.clock.advance(3)
    assert putter.gist() == ["not_found"]
    world.source["PV"].bring_up(1)
    assert world.source["PV"].puts == []


def test_pv_that_is_not_described_in_time(world: World, putter: Putter) -> None:
    putter.put(timeout=0.5)
    world.source["PV"].connect()
    world.clock.advance(0.5)
    assert putter.gist() == ["put_failed"]


def test_over_the_budget_it_is_refused_and_recorded(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    putter.put(over_budget=True)
    assert putter.gist() == ["rate_limited"]
    assert (ioc.puts, outcomes(world)) == ([], [(1, "rate_limited", False)])


def test_puts_without_outcome_are_bounded(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    for _ in range(MOST_PUTS + 1):
        putter.put(timeout=0.1)
    assert putter.gist() == ["rate_limited"]
    world.clock.advance(0.1)
    assert putter.gist() == ["put_timeout"] * MOST_PUTS
    putter.put()
    assert putter.gist() == ["rate_limited"]  # those before have no outcome yet
    ioc.complete()
    putter.put()
    assert putter.gist() == []


def test_their_bytes_are_bounded(world: World, putter: Putter) -> None:
    world.channel("PV")
    world.source["PV"].bring_up(type=DbrType.DOUBLE, count=10_000_000)
    putter.put([0.0] * (MOST_BYTES // 8 + 1))
    assert putter.gist() == []  # one alone may be larger
    putter.put()
    assert putter.gist() == ["rate_limited"]


def test_put_is_carried_out_though_the_peer_goes(world: World, putter: Putter) -> None:
    putter.put()
    putter.puts.close()
    world.source["PV"].bring_up(1)
    world.source["PV"].complete()
    assert putter.gist() == []
    assert outcomes(world) == [(1, "ok", False)]


def test_channel_is_kept_until_the_outcome(world: World, putter: Putter) -> None:
    putter.put()
    world.source["PV"].bring_up(1)
    world.clock.advance(60)
    assert not world.source["PV"].closed
    world.source["PV"].complete()
    world.clock.advance(world.linger_seconds)
    assert world.source["PV"].closed
    assert world.clock.pending == 0


def test_rules_are_those_of_the_one_who_asks(world: World, putter: Putter, ioc: FakeSourceChannel) -> None:
    world.access = AccessControl(Rules(writes=True, rules=[Rule("PV", "write", ("user:anna",))]))
    Putter(world).put()
    assert len(ioc.puts) == 1
