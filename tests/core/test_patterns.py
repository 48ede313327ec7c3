"""core/patterns.py"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.patterns import Pattern
from tests.core import rules_model


@pytest.mark.parametrize(
    ("text", "record", "field", "matches"),
    [
        ("SIM:A", "SIM:A", "VAL", True),
        ("SIM:A", "SIM:A", "DESC", True),
        ("SIM:A.DESC", "SIM:A", "DESC", True),
        ("SIM:A.DESC", "SIM:A", "VAL", False),
        ("SIM:A.VAL", "SIM:A", "VAL", True),
        ("SIM:?", "SIM:A", "VAL", True),
        ("SIM:?", "SIM:AB", "VAL", False),
        ("sim:*", "SIM:A", "VAL", False),
        ("SIM:[AB]", "SIM:B", "VAL", True),
        ("SIM:[!AB]", "SIM:B", "VAL", False),
        ("SR:C01{BPM:*}*", "SR:C01{BPM:1}Pos-I", "VAL", True),
        ("A", "AA", "VAL", False),
        ("re:SIM:A", "SIM:A", "VAL", True),
        ("re:SIM:A", "XSIM:AX", "VAL", False),
        ("re:A|B", "BA", "VAL", False),
        ("re:^A$", "A", "VAL", True),
        (r"re:A\.(PROC|DISP)", "A", "DISP", True),
        (r"re:A\.(PROC|DISP)", "A", "VAL", False),
        ("re:(?i)sim:.*", "SIM:A", "VAL", True),
        ("*", "", "VAL", True),
        ("SR:*C", "SR:OTHER", "PROC", False),
        ("SR:*C", "SR:OTHER", "DESC", False),
        ("SR:*C", "SR:ABC", "PROC", True),
        ("SIM:AO[0-9A-F]*[0-9A-F]", "SIM:AO1", "PROC", False),
        ("SIM:AO[0-9A-F]*[0-9A-F]", "SIM:AO1F", "PROC", True),
        ("SIM:?????", "SIM:A", "DESC", False),
        ("SIM:A[.]DESC", "SIM:A", "DESC", False),
        ("SIM:[.A].DESC", "SIM:A", "DESC", True),
        ("SIM:[]A.DESC", "SIM:[]A", "DESC", True),
        ("SIM:[]A.].DESC", "SIM:]", "DESC", True),
        ("*.*", "SIM:A", "VAL", True),
        ("foo.bar.baz", "foo", "bar.baz", True),
        ("*.baz", "foo", "bar.baz", False),
        ("sim://ramp(0,1.5,*", "sim://ramp(0,1.5,0.1)", "VAL", True),
        ("*,1.5,*", "sim://ramp(0,1.5,0.1)", "VAL", True),
        ("loc://a.b", "loc://a.b", "VAL", True),
        ("loc://a.b", "loc://a", "VAL", False),
        ("loc://a.VAL", "loc://a", "VAL", False),
        ("*.VAL", "loc://a", "VAL", False),
        ("*.VAL", "loc://a.VAL", "VAL", True),
        ("*", "loc://a.b", "VAL", True),
        (r"re:loc://a\.VAL", "loc://a", "VAL", False),
        (r"re:loc://a\.b", "loc://a.b", "VAL", True),
    ],
)
def test_matches(text: str, record: str, field: str, matches: bool) -> None:
    assert Pattern(text).matches(record, field) is matches


@pytest.mark.parametrize(
    "text",
    ["*.PROC", "A.PROC", "?.PROC", "*.P*", "*.*OC", "*.[P]ROC", r"re:A\.(PROC|DISP)", r"re:A(\.PROC)?", r"re:.*\.PROC"],
)
def test_patterns_that_name_a_field(text: str) -> None:
    assert Pattern(text).names("A", "PROC")
    assert not Pattern(text).names("A", "DESC")


@pytest.mark.parametrize(
    "text", ["A", "A*", "*", "A.*", "A.????", "*.?*", "*.[A-Z]*", "A.[!V]*", "A.[!Q]*", "re:.*", r"re:A\..+",
             r"re:A\.\w{4}", r"re:A\.(?!VAL).*", r"re:A\.[A-Z]+", "A.VAL", "*C", "*PROC", "*[A-I]", "A?PROC",
             "A[.]PROC", "re:.*[A-I]", "re:.*PROC", "re:A.PROC", r"re:[\w:.]*[A-I]", r"re:[A-Z.]*[A-I]"],
)  # fmt: skip
def test_patterns_that_name_no_field(text: str) -> None:
    assert not Pattern(text).names("A", "PROC")


@pytest.mark.parametrize(
    ("text", "record", "field"),
    [
        ("SR:*C", "SR:OTHER", "PROC"),
        ("SR:*C", "SR:OTHER", "DESC"),
        ("SR:*C", "SR:ABC", "PROC"),
        ("SIM:AO[0-9A-F]*[0-9A-F]", "SIM:AO1F", "PROC"),
        ("re:SR:.*[A-I]", "SR:A", "PROC"),
        ("re:SR:.*[A-I]", "SR:A", "INPA"),
        ("re:SR:.*[A-I]", "SR:X", "INPA"),
        (r"re:SR:[\w:.]*[A-I]", "SR:X", "INPA"),
        ("*.VAL", "loc://a", "PROC"),
        ("*.b", "loc://a.b", "b"),
    ],
)
def test_a_pattern_for_records_names_no_field_of_any(text: str, record: str, field: str) -> None:
    assert not Pattern(text).names(record, field)


def test_fields_of_the_letters_that_other_fields_lack_can_be_named() -> None:
    assert Pattern("A.Q").names("A", "Q")
    assert Pattern("A.QZXJ").names("A", "QZXJ")
    assert not Pattern("A.[A-Z]").names("A", "Q")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("re:(", "no regular expression"),
        ("re:*", "no regular expression"),
        ("re:a{99999999999}", "no regular expression"),
        (" A", "' '"),
        ("A ", "' '"),
        ("A\n", r"'\\n'"),
        ("Köln", r"'\\xf6'"),
        ("A.DESC$", r"'\$'"),
        ("*.VAL$", r"'\$'"),
        ("A.", "RECORD.FIELD"),
        ('A.{"dbnd":{"abs":1}}', "RECORD.FIELD"),
        ('A{"dbnd":{"abs":1}}', "RECORD.FIELD"),
    ],
    ids=ascii,
)
def test_patterns_that_match_nothing_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Pattern(text)


GLOBS = st.text("AB*?", min_size=1, max_size=6) | st.from_regex(r"[AB*?]{1,4}\.[AB*?]{1,4}", fullmatch=True)
NAMES = st.text("AB", min_size=1, max_size=4)


@given(GLOBS, NAMES, NAMES)
def test_globs_are_about_and_name_what_the_model_says(text: str, record: str, field: str) -> None:
    pattern = Pattern(text)
    assert pattern.matches(record, field) is rules_model.is_about(text, record, field)
    assert pattern.names(record, field) is rules_model.names(text, record, field)


@given(GLOBS, NAMES, NAMES)
def test_regular_expressions_are_about_and_name_what_such_globs_do(text: str, record: str, field: str) -> None:
    within = text.translate({ord("*"): "[^.]*", ord("?"): "[^.]", ord("."): r"\."})
    regular = Pattern(f"re:{within}")
    assert regular.matches(record, field) is rules_model.is_about(text, record, field)
    assert regular.names(record, field) is rules_model.names(text, record, field)


@given(st.text("AB.*?+|~", max_size=8), NAMES, NAMES)
def test_a_regular_expression_that_takes_anything_for_the_dot_names_no_field(
    text: str, record: str, field: str
) -> None:
    pattern = pattern_or_none(f"re:{text}")
    if pattern and re.fullmatch(text, f"{record}~{field}"):
        assert not pattern.names(record, field)


@given(GLOBS, st.text("AB.", min_size=1, max_size=4), NAMES)
def test_names_with_schemes_are_matched_as_wholes(text: str, rest: str, field: str) -> None:
    pattern = Pattern(f"loc://{text}")
    assert pattern.matches(f"loc://{rest}", field) is rules_model.glob(text, rest)
    assert not pattern.names(f"loc://{rest}", field)


TEXTS = st.text("AB.*?", min_size=1, max_size=6) | st.sampled_from(["*", "re:.*", "re:A.*", r"re:.*\.VAL", "re:A|B"])


def pattern_or_none(text: str) -> Pattern | None:
    try:
        return Pattern(text)
    except ValueError:
        return None


@given(TEXTS, TEXTS, st.text("AB", min_size=1, max_size=4), st.text("AB", min_size=1, max_size=2) | st.just("VAL"))
def test_what_covers_another_matches_all_that_the_other_matches(
    first: str, second: str, record: str, field: str
) -> None:
    wide, narrow = pattern_or_none(first), pattern_or_none(second)
    if wide and narrow and wide.covers(narrow) and narrow.matches(record, field):
        assert wide.matches(record, field)
    assert wide is None or wide.covers(wide)
