"""core/audit.py: one entry, one bounded line."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pycaserver.core.audit import MAX_BYTES, MAX_ELEMENTS, MAX_TEXT, AuditEntry, line, shortened
from pycaserver.core.identity import Identity
from pycaserver.core.values import Texts

NOON = 1_795_262_400.25
ANNA = Identity("anna", ("operators",), "10.1.2.3", means="token")
ENTRY = AuditEntry(
    put=7, time=NOON, identity=ANNA, pv="SIM:A", old=1.5, new=2, decision="allowed",
    rule='access.rule 1 (pv = "SIM:*") allows write', outcome="ok", duration=0.0123456789,
)  # fmt: skip


def test_of_large_texts_the_first_are_recorded() -> None:
    texts = Texts(np.array([f"text {number}" for number in range(1000)], "S40"))
    first = [f"text {number}" for number in range(MAX_ELEMENTS)]
    assert shortened(texts) == {"first": first, "count": 1000}
    assert shortened(texts[:2]) == first[:2]


def test_an_entry_is_one_line_of_json() -> None:
    text = line(ENTRY)
    assert b"\n" not in text
    assert json.loads(text) == {
        "time": "2026-11-21T12:00:00.250000Z",
        "put": 7,
        "user": "anna",
        "groups": ["operators"],
        "means": "token",
        "address": "10.1.2.3",
        "pv": "SIM:A",
        "old": 1.5,
        "new": 2,
        "decision": "allowed",
        "rule": 'access.rule 1 (pv = "SIM:*") allows write',
        "outcome": "ok",
        "message": "",
        "duration": 0.012346,
    }


def test_a_refused_put_has_its_reason() -> None:
    refused = replace(ENTRY, decision="refused", outcome="write_denied", message="No.", identity=Identity(), old=None)
    keys = json.loads(line(refused))
    assert (keys["decision"], keys["outcome"], keys["message"]) == ("refused", "write_denied", "No.")
    assert (keys["user"], keys["means"], keys["old"]) == ("", "anonymous", None)


def test_a_late_outcome_has_the_number_of_its_put() -> None:
    keys = json.loads(line(replace(ENTRY, late=True, outcome="put_failed", duration=12.0)))
    assert (keys["put"], keys["late"], keys["outcome"]) == (7, True, "put_failed")
    assert "late" not in json.loads(line(ENTRY))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (True, True),
        (-0.0, -0.0),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (np.float64("-inf"), "-Infinity"),
        (np.float32(0.5), 0.5),
        (np.int16(-3), -3),
        (2**63 - 1, 2**63 - 1),
        (2**64, "(int)"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * (MAX_TEXT + 1), "x" * MAX_TEXT + "... (201 characters)"),
        ([1, "a", None], [1, "a", None]),
        ([[[[1]]], {"a": 1}], ["(list)", "(dict)"]),
        ({"a": [1] * 1000}, "(dict)"),
        (list(range(11)), {"first": list(range(10)), "count": 11}),
        (b"\x01\x02", [1, 2]),
        (np.zeros(0), []),
        (np.arange(3, dtype="<i4"), [0, 1, 2]),
        (np.arange(1_000_000.0), {"first": [float(n) for n in range(10)], "count": 1_000_000}),
        (np.array([np.nan, 1]), ["NaN", 1.0]),
        (np.array(["a", "b"]), ["a", "b"]),
        (object, "(type)"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_values_are_kept_as_far_as_they_are_short(value: Any, kept: Any) -> None:
    assert shortened(value) == kept
    assert json.loads(line(replace(ENTRY, old=value)))["old"] == kept


def test_what_is_escaped_is_bounded_too() -> None:
    text, name = "\x01" * MAX_TEXT, "\x01" * 1000
    written = line(replace(ENTRY, new=[text] * 10, old=["\N{GRINNING FACE}" * MAX_TEXT] * 10, pv=name))
    keys = json.loads(written)
    assert keys["new"] == {"first": [text] * 3, "count": 10}
    assert keys["old"]["count"] == 10
    assert name.startswith(keys["pv"].removesuffix("... (1000 characters)"))
    assert len(written) < 3 * (MAX_BYTES + 100) + 500


def test_a_long_name_is_kept_whole_unless_it_is_mostly_escapes() -> None:
    assert json.loads(line(replace(ENTRY, pv="X" * 1000)))["pv"] == "X" * 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON, st.text(st.characters(codec="utf-8"), max_size=2000), st.text(st.characters(codec="utf-8")))
def test_whatever_was_asked_for_the_line_is_valid_and_bounded(value: Any, name: str, message: str) -> None:
    many = Identity(name, (name,) * 1000, "10.1.2.3")
    text = line(replace(ENTRY, new=value, old=[name] * 1000, pv=name, message=message, identity=many))
    assert b"\n" not in text
    assert json.loads(text)["put"] == 7
    assert len(text) < 3 * (MAX_BYTES + 100) + 6 * (MAX_ELEMENTS + 2) * (MAX_TEXT + 30) + 500
