"""The model: what a session may be told passes, and each broken invariant is found."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.stress.model import INCARNATION, Broken, Gap, Ledger, Watch

Event = tuple[str, dict[str, Any]]


def ask(id: int, **how: bool) -> Event:
    return "connect", {"id": id, **how}


def conn(state: bool, id: int | None = None) -> Event:
    return "connection", {"conn": state} | ({} if id is None else {"id": id})


def value(number: float, coalesced: int = 0) -> Event:
    return "value", {"value": number} | ({"coalesced": coalesced} if coalesced else {})


LEAVE: Event = "disconnect", {}
TAKEN_UP: Event = "disconnected", {}
BEGUN = (ask(1), conn(True, 1), value(5))

DEEDS: dict[str, Callable[[Watch, dict[str, Any]], None]] = {
    "connect": lambda watch, keys: watch.connect(**keys),
    "disconnect": lambda watch, keys: watch.disconnect(),
    "disconnected": lambda watch, keys: watch.disconnected(),
    "connection": Watch.connection,
    "value": lambda watch, keys: watch.value(keys, keys["value"]),
}


def tell(watch: Watch, events: Sequence[Event]) -> Watch:
    for what, keys in events:
        DEEDS[what](watch, keys)
    return watch


def watch(*, counts: bool = True, keeps_up: bool = True) -> Watch:
    return Watch("n0", Ledger(), counts, lambda: keeps_up)


RIGHT = {
    "one by one": [*BEGUN, value(6), value(7)],
    "connected twice": [*BEGUN, ask(2), value(6), conn(True, 2), value(6), value(7)],
    "lost and found": [*BEGUN, conn(False), conn(True), value(9), value(10)],
    "the same after a lost circuit": [*BEGUN, conn(False), conn(True), value(5), value(6)],
    "a restart": [*BEGUN, conn(False), conn(True), value(INCARNATION), value(INCARNATION + 1)],
    "a value on its way": [*BEGUN, LEAVE, value(6), TAKEN_UP],
    "left and back": [*BEGUN, LEAVE, TAKEN_UP, ask(2), conn(True, 2), value(9), value(10)],
    "back before the answer": [ask(1), LEAVE, ask(2), LEAVE, ask(3), conn(True, 2), value(5), conn(True, 3), value(8)],
    "not found": [ask(1), conn(False, 1), conn(True), value(5)],
    "a rate": [ask(1, merged=True), conn(True, 1), value(5), value(8, 2), value(9)],
    "a deadband": [ask(1, lossy=True), conn(True, 1), value(5), value(8), value(19)],
    "a deadband no longer": [ask(1, lossy=True), conn(True, 1), value(5), ask(2), value(8), conn(True, 2), value(9)],
}


@pytest.mark.parametrize("events", RIGHT.values(), ids=RIGHT.keys())
def test_what_may_come(events: Sequence[Event]) -> None:
    seen = tell(watch(), events)
    assert not seen.ledger.gaps
    assert seen.has(events[-1][1].get("value", 6), 5)


def test_merged_values_want_an_explanation_for_a_session_that_reads_all() -> None:
    assert [merge.merged for merge in tell(watch(), [*BEGUN, value(7, 1)]).ledger.merges] == [1]
    assert not tell(watch(keeps_up=False), [*BEGUN, value(7, 1)]).ledger.merges


def test_merged_values_are_counted_for_a_session_that_is_slow() -> None:
    assert tell(watch(keeps_up=False), [*BEGUN, value(9, 3), value(10)]).ledger.counted == 2


WRONG = {
    "twice": [*BEGUN, value(5)],
    "out of order": [*BEGUN, value(6), value(5)],
    "out of order over a restart": [*BEGUN, conn(False), conn(True), value(4)],
    "a count too large": [ask(1, merged=True), conn(True, 1), value(5), value(8, 4)],
    "another incarnation, and no word": [*BEGUN, value(INCARNATION)],
    "before the connection": [ask(1), value(5)],
    "without connection": [*BEGUN, conn(False), value(6)],
    "true twice": [*BEGUN, conn(True)],
    "answered twice": [*BEGUN, conn(True, 1)],
    "a value after the end": [*BEGUN, LEAVE, TAKEN_UP, value(6)],
    "a state after the end": [*BEGUN, LEAVE, TAKEN_UP, conn(False)],
    "a duplicate after a connect": [*BEGUN, ask(2), conn(True, 2), value(5), value(5)],
}


@pytest.mark.parametrize("events", WRONG.values(), ids=WRONG.keys())
def test_what_must_not_come(events: Sequence[Event]) -> None:
    seen = tell(watch(), events[:-1])
    with pytest.raises(Broken):
        tell(seen, events[-1:])


def test_what_one_session_lacks_and_another_has_is_lost() -> None:
    ledger = Ledger()
    tell(Watch("n0", ledger), [*BEGUN, value(6), value(7)])
    with pytest.raises(Broken, match="lost"):
        tell(Watch("n0", ledger), [*BEGUN, value(7)])


def test_the_other_may_have_it_later() -> None:
    ledger = Ledger()
    tell(Watch("n0", ledger), [*BEGUN, value(7)])
    with pytest.raises(Broken, match="lost"):
        tell(Watch("n0", ledger), [*BEGUN, value(6), value(7)])


def test_what_everybody_lacks_is_asked_about_once() -> None:
    ledger = Ledger()
    for _ in range(3):
        tell(Watch("n0", ledger), [*BEGUN, value(8), value(9)])
    assert ledger.gaps == [Gap("n0", 5, 8, 0)]
    assert ledger.gaps[0].missing == 2


def test_what_everybody_lacks_right_after_the_first_value_may_be_how_a_subscription_began() -> None:
    ledger = Ledger()
    for _ in range(2):
        tell(Watch("n0", ledger), [*BEGUN, value(7), value(9)])
    assert [(gap.before, ledger.is_at_first(gap)) for gap in ledger.gaps] == [(5, True), (7, False)]


def test_what_began_for_one_session_only_is_not_how_a_subscription_began() -> None:
    ledger = Ledger()
    tell(Watch("n0", ledger), [ask(1), conn(True, 1), value(4), value(5)])
    tell(Watch("n0", ledger), [*BEGUN, value(7)])
    assert not ledger.is_at_first(ledger.gaps[0])


def test_subscriptions_are_counted_once_for_all_sessions() -> None:
    ledger = Ledger()
    for _ in range(3):
        tell(Watch("n0", ledger), [*BEGUN, value(6), conn(False), conn(True), value(9)])
    tell(Watch("n0", ledger), [ask(1), conn(True, 1), value(6)])
    assert ledger.begun == 2


def test_the_newest_value_within_the_deadband_will_do() -> None:
    lossy = tell(watch(), [ask(1, lossy=True), conn(True, 1), value(5)])
    exact = tell(watch(), BEGUN)
    assert [seen.has(8, 5) for seen in (lossy, exact)] == [True, False]
    assert not lossy.has(10, 5)


def test_a_value_that_does_not_count_may_fall_with_its_ioc_only() -> None:
    seen = tell(watch(counts=False), [*BEGUN, value(50), conn(False), conn(True), value(1), value(7)])
    with pytest.raises(Broken):
        tell(seen, [value(6)])
