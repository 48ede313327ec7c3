"""Mistakes in the tables are named."""

from typing import Any

import pytest

from pycaserver.dialects.rtoc.mapping import RtocAction, RtocPlugin, RtocSignal, problems_of
from tests.dialects.rtoc.peers import SIGNALS, mapping

A = RtocSignal(dname="D", sname="A", pv="A")


def test_a_mapping_without_mistakes_has_no_problems() -> None:
    assert list(problems_of(mapping())) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"signal": [A, RtocSignal(dname="D", sname="A", pv="B")]}, "rtoc.signal 2: has the same name"),
        ({"signal": [A, RtocSignal(dname="D", sname="B", pv="A")]}, "rtoc.signal 2: has the same PV"),
        ({"signal": [RtocSignal(dname="D.x", sname="A", pv="A")]}, "rtoc.signal 1: a dot"),
        ({"signal": [*SIGNALS, RtocSignal(dname="D", sname="A", pv=" A")]}, "rtoc: ' A' cannot be the name"),
        ({"action": [], "plugin": [RtocPlugin(name="P", functions=("vent",))]}, "there is no rtoc.action 'vent'"),
        ({"action": [RtocAction("a", (("A", 1),)), RtocAction("a", (("A", 2),))], "plugin": []}, "rtoc.action 2"),
        ({"plugin": [RtocPlugin("P"), RtocPlugin("P")]}, "rtoc.plugin 2: has the same name"),
        (
            {"host_whitelist": ["localhost", "10.1.2.3", "::1", "panel.example.org"]},
            "'panel.example.org' is no address",
        ),
        ({"plugin": [RtocPlugin("P", ("\0",))]}, "cannot be the name of a PV"),
    ],
)
def test_a_mistake_is_named(keys: dict[str, Any], words: str) -> None:
    (problem,) = problems_of(mapping(**keys))
    assert words in problem
