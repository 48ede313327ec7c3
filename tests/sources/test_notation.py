"""sources/notation.py"""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.sources.notation import spelling_of


@pytest.mark.parametrize(
    ("text", "name", "type", "arguments"),
    [
        ("sine", "sine", "", None),
        ("sine()", "sine", "", ()),
        ("sine( )", "sine", "", ()),
        ("ramp(0, -1.5,1e-3)", "ramp", "", (0, -1.5, 0.001)),
        ("x<VLong>", "x", "VLong", None),
        ("x<VLong>(9007199254740993)", "x", "VLong", (9007199254740993,)),
        ("x(9223372036854775808)", "x", "", (9223372036854775808.0,)),
        ("x(+5, .5, 5.)", "x", "", (5, 0.5, 5.0)),
        ('x("a, b)", "\\"", "\\\\")', "x", "", ("a, b)", '"', "\\")),
        ('e<VEnum>(1, "a", "b")', "e", "VEnum", (1, "a", "b")),
        ("x(Infinity, -Infinity)", "x", "", (math.inf, -math.inf)),
        ("a.b:c/d-e", "a.b:c/d-e", "", None),
    ],
)
def test_how_names_are_spelled(text: str, name: str, type: str, arguments: Any) -> None:
    assert spelling_of(text) == (name, type, arguments)


def test_integers_stay_integers() -> None:
    (whole, other) = spelling_of("x(3, 3.0)").arguments or ()
    assert isinstance(whole, int)
    assert isinstance(other, float)


def test_nan_is_a_number() -> None:
    (number,) = spelling_of("x(NaN)").arguments or ()
    assert math.isnan(float(number))


@pytest.mark.parametrize(
    "text",
    ["", "(1)", "<VLong>", "a b", "x<>", "x<VLong", "x(", "x)", "x(1", "x(1,)", "x(,1)", "x(1 2)", "x(a)", 'x("a)',
     "x(1)(2)", "x(1)<VLong>", "x(1.2.3)", "x(.)", "x(--1)", "x(1e)", "x(0x10)", "x(1_000)"],
)  # fmt: skip
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(PycaError) as caught:
        spelling_of(text)
    assert caught.value.code == "invalid_pv_name"


PIECES = st.sampled_from([*'abVx<>()",. \\-+:/0123456789eE', "NaN", "Infinity", "<VEnum>", '"a"', "9" * 400, "1e999"])


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_spelled_right_or_refused(text: str) -> None:
    try:
        spelling = spelling_of(text)
    except PycaError as error:
        assert error.code == "invalid_pv_name"
    else:
        assert text.startswith(spelling.name)
        assert all(isinstance(each, int | float | str) for each in spelling.arguments or ())


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text("ab, ()", max_size=5)))
def test_arguments_are_read_as_they_were_written(arguments: list[Any]) -> None:
    written = ", ".join(
        f'"{each}"' if isinstance(each, str) else str(each).replace("inf", "Infinity") for each in arguments
    )
    assert spelling_of(f"x({written})").arguments == tuple(arguments)
