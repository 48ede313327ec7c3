"""core/figures.py"""

from dataclasses import fields

from pycaserver.core.figures import Figures


def test_figures_begin_at_zero_and_apart() -> None:
    one, other = Figures(), Figures()
    one.errors["bad_json"] += 1
    one.closes[4002] += 1
    one.updates_in += 1
    assert not any(getattr(other, field.name) for field in fields(Figures))


def test_a_misspelt_figure_is_an_error_and_not_a_silence() -> None:
    assert not hasattr(Figures(), "__dict__")
