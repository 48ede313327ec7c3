"""core/terms.py"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.terms import number_message


@pytest.mark.parametrize(("number", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_non_finite_numbers_are_the_strings_that_javascript_reads(number: float, text: str) -> None:
    assert number_message(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_are_themselves(number: float) -> None:
    assert number_message(number) is number
