"""core/access.py: the first rule about PV and identity decides; what is unclear is no."""

import logging
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.access import AccessControl, Rule, Rules, problems_of, problems_of_who
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.piecework import Pieces
from tests.core import rules_model

ANNA = Identity("anna", ("operators",), "10.1.2.3", means="token")
NOBODY = Identity(address="10.2.0.1")


def rule(pv: str, allow: str = "write", *who: str) -> Rule:
    return Rule(pv, allow, who or ("anyone",))  # type: ignore[arg-type]


def decision(rules: Rules, pv: str, identity: Identity = ANNA) -> tuple[bool, bool, str]:
    decided = rules.decide(pv, identity)
    return decided.read, decided.write, decided.code


# -- without rules


def test_by_default_everything_is_read_and_nothing_is_written() -> None:
    assert decision(Rules(), "SIM:A") == (True, False, "write_disabled")
    assert Rules().decide("SIM:A", ANNA).rule == 'access.default is "read"'


@pytest.mark.parametrize(
    ("writes", "default", "expected"),
    [
        (False, "none", (False, False, "write_disabled")),
        (False, "read", (True, False, "write_disabled")),
        (False, "write", (True, False, "write_disabled")),
        (True, "none", (False, False, "write_denied")),
        (True, "read", (True, False, "write_denied")),
        (True, "write", (True, True, "")),
    ],
)
def test_default_and_master_switch(writes: bool, default: str, expected: tuple[bool, bool, str]) -> None:
    rules = Rules(writes, default)  # type: ignore[arg-type]
    assert decision(rules, "SIM:A", NOBODY) == expected
    assert f'access.default is "{default}"' in rules.decide("SIM:A", NOBODY).rule


# -- with rules


def test_the_first_rule_about_pv_and_identity_decides() -> None:
    rules = Rules(
        True,
        "none",
        (),
        [rule("SIM:SECRET*", "none"), rule("SIM:*", "write", "group:operators"), rule("SIM:*", "read")],
    )
    assert decision(rules, "SIM:SECRET1") == (False, False, "write_denied")
    assert decision(rules, "SIM:A") == (True, True, "")
    assert decision(rules, "SIM:A", NOBODY) == (True, False, "write_denied")
    assert decision(rules, "OTHER") == (False, False, "write_denied")


def test_the_sentence_names_what_decided() -> None:
    rules = [rule("A"), rule("B", "none"), rule("re:C|D", "read")]
    on, off = Rules(True, rules=rules), Rules(False, rules=rules)
    assert on.decide("A", ANNA).rule == 'access.rule 1 (pv = "A") allows write'
    assert off.decide("A", ANNA).rule == 'access.rule 1 (pv = "A") allows write, but access.writes is false'
    assert on.decide("B", ANNA).rule == 'access.rule 2 (pv = "B") allows none'
    assert on.decide("C", ANNA).rule == 'access.rule 3 (pv = "re:C|D") allows read'
    assert on.decide("E", ANNA).rule == 'access.default is "read"'


def test_writing_another_field_needs_a_rule_that_names_it() -> None:
    rules = Rules(True, "read", (), [rule("*.PROC", "write", "user:anna"), rule("SIM:*")])
    assert decision(rules, "SIM:A") == decision(rules, "SIM:A.VAL") == (True, True, "")
    assert decision(rules, "SIM:A.PROC") == (True, True, "")
    assert decision(rules, "SIM:A.PROC", NOBODY) == (True, False, "write_denied")
    assert decision(rules, "SIM:A.DISP") == (True, False, "write_denied")
    why = 'access.rule 2 (pv = "SIM:*") allows write, but does not name the field DISP'
    assert rules.decide("SIM:A.DISP", ANNA).rule == why


@pytest.mark.parametrize(
    ("pattern", "pv", "read"),
    [
        ("SR:*C", "SR:OTHER.PROC", False),
        ("SR:*C", "SR:OTHER.DESC", False),
        ("SIM:AO[0-9A-F]*[0-9A-F]", "SIM:AO1F.PROC", True),
        ("SIM:AO[0-9A-F]*[0-9A-F]", "SIM:AO1.PROC", False),
        ("re:SR:.*[A-I]", "SR:A.PROC", True),
        ("re:SR:.*[A-I]", "SR:A.INPA", True),
    ],
)
def test_a_rule_for_records_lets_nobody_write_their_fields_nor_read_other_records(
    pattern: str, pv: str, read: bool
) -> None:
    assert decision(Rules(True, "none", (), [rule(pattern)]), pv) == (read, False, "write_denied")


def test_the_default_names_no_field() -> None:
    rules = Rules(True, "write")
    assert decision(rules, "A.PROC") == (True, False, "write_denied")
    assert rules.decide("A.PROC", ANNA).rule == 'access.default is "write", but does not name the field PROC'


def test_a_rule_on_a_record_covers_all_its_fields() -> None:
    rules = Rules(True, "write", (), [rule("SECRET:X", "none")])
    for name in ("SECRET:X", "SECRET:X.VAL", "SECRET:X.DESC", "SECRET:X.DESC$", 'SECRET:X.{"dbnd":{"abs":1}}'):
        assert decision(rules, name) == (False, False, "write_denied")
    assert decision(rules, "SECRET:XX") == (True, True, "")


SPELLINGS = (
    "{}",
    "{}.",
    "{}.VAL",
    "{}.VAL$",
    "{}.[0:3]",
    '{}.{{"dbnd":{{"abs":1}}}}',
    '{}{{"dbnd":{{"abs":1}}}}',
    "{}$",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("pattern", ["SIM:A", "SIM:A.VAL", "SIM:*", "*.VAL", "re:SIM:A", r"re:SIM:.\.VAL"])
def test_spellings_of_a_name_are_one_name(pattern: str, spelling: str) -> None:
    name = spelling.format("SIM:A")
    assert decision(Rules(True, "read", (), [rule(pattern)]), name) == (True, True, "")
    assert decision(Rules(True, "write", (), [rule(pattern, "none")]), name) == (False, False, "write_denied")


@pytest.mark.parametrize("name", ["", "SIM:A ", "SIM:A\0", "x" * 1001, ".VAL"], ids=ascii)
def test_what_is_no_name_gets_no_decision(name: str) -> None:
    with pytest.raises(PycaError, match="invalid_pv_name"):
        Rules(True, "write").decide(name, ANNA)


def test_who_asks_counts_even_when_the_name_was_asked_for_before() -> None:
    rules = Rules(True, "none", (), [rule("A", "write", "user:anna"), rule("A", "read", "address:10.2.0.0/16")])
    assert decision(rules, "A") == (True, True, "")
    assert decision(rules, "A", NOBODY) == (True, False, "write_denied")
    assert decision(rules, "A", Identity()) == (False, False, "write_denied")


def test_administrators() -> None:
    rules = Rules(administrators=["group:operators", "address:10.3.0.0/16"])
    assert rules.is_administrator(ANNA)
    assert rules.is_administrator(Identity(address="10.3.0.1"))
    assert not rules.is_administrator(NOBODY)
    assert not Rules().is_administrator(ANNA)


def test_rules_that_mean_nothing_cannot_be_made() -> None:
    for bad in (rule("re:("), rule(""), rule("A", "read", "anna"), rule("A", "read", "address:10.1.2.3/8")):
        assert problems_of(bad)
        with pytest.raises(ValueError):
            Rules(rules=[bad])
    assert problems_of(rule("re:(", "read", "anna", "user:")) != problems_of(rule("re:("))
    assert len(problems_of(rule("re:(", "read", "anna", "user:"))) == 3
    assert problems_of(rule("A", "read", "user:anna")) == problems_of_who(["group:x", "anyone"]) == []


# -- rules that never decide


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (rule("A"), rule("A", "none")),
        (rule("A"), rule("A", "read", "user:anna")),
        (rule("*"), rule("re:anything.*")),
        (rule("re:.*"), rule("A?")),
        (rule("SIM:*"), rule("SIM:A")),
        (rule("SIM:*"), rule("SIM:A.PROC")),
        (rule("SIM:*"), rule("SIM:A*.PROC")),
        (rule("SIM:*"), rule("SIM:*.PROC")),
        (rule("re:SIM:."), rule("SIM:A.PROC")),
        (rule("*.VAL"), rule("A.VAL")),
        (rule("A", "read", "address:10.0.0.0/8", "user:anna"), rule("A", "write", "user:anna", "address:10.1.0.0/16")),
    ],
)
def test_a_rule_behind_one_about_all_of_it_is_named(earlier: Rule, later: Rule) -> None:
    (sentence,) = Rules(rules=[rule("else"), earlier, later]).unreachable()
    assert (
        sentence == f'access.rule 3 (pv = "{later.pv}") never decides: access.rule 2 (pv = "{earlier.pv}") comes first'
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (rule("A", "read", "user:anna"), rule("A")),
        (rule("A", "read", "user:anna"), rule("A", "write", "group:operators")),
        (rule("A", "read", "address:10.1.0.0/16"), rule("A", "write", "address:10.0.0.0/8")),
        (rule("A", "read", "address:0.0.0.0/0"), rule("A", "write", "address:::/0")),
        (rule("SIM:A"), rule("SIM:*")),
        (rule("SIM:*"), rule("SIM?A")),
        (rule("SIM:A.PROC"), rule("SIM:A")),
        (rule("*.VAL"), rule("A")),
        (rule("SIM:?"), rule("SIM:AB")),
        (rule("SIM:*"), rule("re:SIM:A")),
    ],
)
def test_a_rule_that_may_still_decide_is_not_named(earlier: Rule, later: Rule) -> None:
    assert Rules(rules=[earlier, later]).unreachable() == []


def test_rules_that_allow_writes_are_noted_while_nobody_may_write() -> None:
    rules = [rule("A", "read"), rule("B"), rule("C", "none")]
    assert Rules(True, rules=rules).notes() == []
    (note,) = Rules(False, rules=rules).notes()
    assert note.startswith('access.rule 2 (pv = "B") ')


# -- against the model

RECORDS = st.sampled_from(["A", "B", "AB", "A:B", "A:B:A", "C"])
FIELDS = st.sampled_from(["VAL", "PROC", "DESC", "A"])
PATTERNS = st.builds(
    str.__add__,
    st.sampled_from(["A", "B", "*", "A*", "*B", "?", "A?B", "A:*", "A?", "??", "*A*"]),
    st.sampled_from(["", "", "", ".VAL", ".PROC", ".*", ".????", ".P*", "*.PROC", "*"]),
)
WORDS = st.sampled_from(["anyone", "user:anna", "user:bert", "group:g", "group:h", "address:10.1.0.0/16",
                         "address:10.1.0.1", "address:10.2.0.0/16"])  # fmt: skip
RIGHTS = st.sampled_from(["none", "read", "write"])
RULES = st.lists(st.builds(Rule, PATTERNS, RIGHTS, st.lists(WORDS, min_size=1, max_size=3).map(tuple)), max_size=6)
IDENTITIES = st.builds(
    Identity,
    st.sampled_from(["", "anna", "bert"]),
    st.lists(st.sampled_from(["g", "h"]), unique=True).map(tuple),
    st.sampled_from(["", "10.1.0.1", "10.1.0.2", "10.2.0.1"]),
)


@given(st.booleans(), RIGHTS, RULES, RECORDS, FIELDS, st.sampled_from(["", "$", "[0:3]", '{"dbnd":{}}']), IDENTITIES)
def test_decisions_are_those_of_the_model(
    writes: bool, default: str, rules: list[Rule], record: str, field: str, modifier: str, identity: Identity
) -> None:
    decided = Rules(writes, default, (), rules).decide(f"{record}.{field}{modifier}", identity)  # type: ignore[arg-type]
    assert (decided.read, decided.write) == rules_model.decide(writes, default, rules, record, field, identity)
    assert decided.code == ("" if decided.write else "write_denied" if writes else "write_disabled")
    assert decided.rule.startswith("access.")


@given(RULES, RECORDS, FIELDS, IDENTITIES)
def test_a_rule_that_never_decides_may_as_well_not_be_there(
    rules: list[Rule], record: str, field: str, identity: Identity
) -> None:
    named = [int(sentence.split()[1]) - 1 for sentence in Rules(rules=rules).unreachable()]
    kept = [rule for index, rule in enumerate(rules) if index not in named]
    with_all, without = (Rules(True, "none", (), some).decide(f"{record}.{field}", identity) for some in (rules, kept))
    assert (with_all.read, with_all.write, with_all.code) == (without.read, without.write, without.code)


@given(RULES, RECORDS, FIELDS, IDENTITIES)
def test_nothing_is_written_while_the_master_switch_is_off(
    rules: list[Rule], record: str, field: str, identity: Identity
) -> None:
    assert not Rules(False, "write", (), rules).decide(f"{record}.{field}", identity).write


# -- replacing


def test_watchers_look_again_when_the_rules_are_replaced() -> None:
    control = AccessControl(Rules())
    seen: list[Rules] = []

    def watcher() -> Pieces:
        return map(seen.append, [control.rules])

    control.watchers[watcher] = None
    new = Rules(True)
    control.replace(new)
    assert control.rules is new
    assert seen == [new]
    del control.watchers[watcher]
    control.replace(Rules())
    assert seen == [new]


def test_watchers_look_piece_by_piece_so_that_nobody_has_to_wait_for_all_of_them() -> None:
    work: list[Pieces] = []
    control = AccessControl(Rules(), work.append)
    called: list[str] = []
    for name in ("first", "second", "third"):
        control.watchers[partial(map, called.append, [name, name.upper()])] = None
    second = list(control.watchers)[1]
    control.replace(Rules(True))
    assert control.rules.writes and called == []
    (pieces,) = work
    next(pieces)
    assert called == ["first"]
    next(pieces)
    assert called == ["first", "FIRST"]
    next(pieces)
    assert called == ["first", "FIRST"], "what a watcher does beside its pieces is one too"
    del control.watchers[second]
    list(pieces)
    assert called == ["first", "FIRST", "third", "THIRD"]


def test_one_watcher_that_fails_or_leaves_does_not_keep_the_others_from_looking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    control = AccessControl(Rules())
    called: list[str] = []

    def leaves() -> Pieces:
        called.append("leaves")
        del control.watchers[leaves]
        yield

    def fails() -> Pieces:
        called.append("fails")
        yield
        raise RuntimeError

    control.watchers = {leaves: None, fails: None, partial(map, called.append, ["last"]): None}
    with caplog.at_level(logging.ERROR):
        control.replace(Rules())
    assert called == ["leaves", "fails", "last"]
    assert "did not take the new access rules" in caplog.text
