"""core/patterns.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.patterns import Pattern


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
    ],
)
def test_matches(text: str, record: str, field: str, matches: bool) -> None:
    assert Pattern(text).matches(record, field) is matches


@pytest.mark.parametrize("text", ["*.PROC", "A.PROC", "?.PROC", "*.P*", "*PROC", "*.[P]ROC", r"re:A\.(PROC|DISP)"])
def test_patterns_that_name_a_field(text: str) -> None:
    assert Pattern(text).names("A", "PROC")
    assert not Pattern(text).names("A", "DESC")


@pytest.mark.parametrize(
    "text", ["A", "A*", "*", "A.*", "A.????", "*.?*", "*.[A-Z]*", "A.[!V]*", "A.[!Q]*", "re:.*", r"re:A\..+",
             r"re:A\.\w{4}", r"re:A\.(?!VAL).*", r"re:A\.[A-Z]+", "A.VAL"],
)  # fmt: skip
def test_patterns_that_name_no_field(text: str) -> None:
    assert not Pattern(text).names("A", "PROC")


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
