"""dialects/commands.py: payloads, paths, comparisons, templates, and what is wrong with settings."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.core.values import DbrType
from pycaserver.dialects.commands import Command, MessageRule, Step, filled, look_up, parts_of, payload_of, problems_of
from tests.fakes import World, value

LOAD = Command("load", schema={"name": "string", "recipe": "array"})
RECIPE = {"name": "x", "recipe": [[30, 1, 0.5], [40, 2, 0.5]], "deep": {"er": [1, {"est": "y"}]}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("name", "x"),
        ("recipe[*][0]", [30, 40]),
        ("recipe[1]", [40, 2, 0.5]),
        ("recipe[*]", RECIPE["recipe"]),
        ("deep.er[1].est", "y"),
    ],
)
def test_path_leads_into_the_payload(path: str, found: Any) -> None:
    assert look_up(RECIPE, path) == found


@pytest.mark.parametrize("path", ["nothing", "name.x", "name[0]", "recipe[2]", "recipe[*][3]", "deep[0]", "deep[*]"])
def test_path_that_leads_nowhere_is_named(path: str) -> None:
    with pytest.raises(PycaError, match="bad_request") as caught:
        look_up(RECIPE, path)
    assert path in caught.value.message


@pytest.mark.parametrize("path", ["", "[0]", "a..b", "a[", "a[-1]", "a[*][*]", "a b", "a.0", "a[1234567]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        parts_of(path)


@pytest.mark.parametrize("given", [RECIPE, msgspec.json.encode(RECIPE).decode()])
def test_payload_may_be_an_object_or_its_json(given: Any) -> None:
    assert payload_of(LOAD, given) == RECIPE


@pytest.mark.parametrize("given", ["", "{", "[]", None, 5, "{}", {"name": 5, "recipe": []}, {"name": "x"}, "[" * 9999])
def test_payload_that_is_not_of_the_schema_is_refused(given: Any) -> None:
    with pytest.raises(PycaError, match="bad_request"):
        payload_of(LOAD, given)


@pytest.mark.parametrize("given", ["", "{", None, 5])
def test_payload_of_a_command_without_a_schema_is_ignored(given: Any) -> None:
    assert payload_of(Command("cancel"), given) is None


def test_boolean_is_no_number() -> None:
    with pytest.raises(PycaError, match="'n' of type number"):
        payload_of(Command("c", schema={"n": "number"}), {"n": True})


SCALARS = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_payload_does_harm(given: Any) -> None:
    for call in (lambda: payload_of(LOAD, given), lambda: look_up(given, "recipe[*][0]")):
        try:
            call()
        except PycaError as error:
            assert error.code == "bad_request"


@pytest.mark.parametrize(
    ("comparison", "data", "holds"),
    [
        ({"equals": 1}, 1.0, True),
        ({"equals": 1}, 2.0, False),
        ({"differs": 1}, 2.0, True),
        ({"at_least": 2}, 2.0, True),
        ({"at_least": 2}, 1.9, False),
        ({"at_most": 2}, 2.1, False),
        ({"at_most": 2}, float("nan"), False),
        ({"equals": "on"}, "on", True),
        ({"equals": "on"}, 1.0, False),
        ({"equals": 1}, "on", False),
        ({"equals": 1}, ["on"], False),
        ({"equals": 1}, None, False),
    ],
)
def test_comparisons(world: World, comparison: dict[str, Any], data: Any, holds: bool) -> None:
    assert Step(wait="PV", **comparison).holds(world.channel("PV"), value(data)) is holds


def test_string_is_compared_with_the_state_of_an_enum(world: World) -> None:
    channel = world.channel("PV")
    world.source["PV"].bring_up(1, type=DbrType.ENUM, enum_strs=("Off", "On"))
    step = Step(wait="PV", equals="On")
    assert [step.holds(channel, value(index)) for index in (0, 1, 2)] == [False, True, False]


def test_template_has_values_in_the_place_of_keys() -> None:
    template = {"state": ["{a}", {"b": "{b}"}], "version": 1, "text": "{a} and b"}
    assert filled(template, {"a": 1, "b": [2]}) == {"state": [1, {"b": [2]}], "version": 1, "text": "{a} and b"}


COMPARISON = "exactly one of equals, differs, at_least, at_most is needed with A"
VALUE = "put A needs exactly one of value and from, and no comparison"
PATH = "'a[*][*]' is no path such as recipe[*][0]"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ({"name": "get"}, "command 1: 'get' is an event already"),
        ({"name": "connect"}, "command 1: 'connect' is an event already"),
        ({"name": "c", "require": {"pv": "A"}}, "command 1: " + COMPARISON),
        ({"name": "c", "require": {"pv": "A\n", "equals": 1}}, "command 1: 'A\\n' cannot be the name of a PV"),
        ({"name": "c", "steps": [{"wait": "A"}]}, "command 1: " + COMPARISON),
        ({"name": "c", "steps": [{"put": "A"}]}, "command 1: " + VALUE),
        ({"name": "c", "steps": [{"put": "A", "value": 1, "from": "a"}]}, "command 1: " + VALUE),
        ({"name": "c", "steps": [{"wait": "A", "equals": 1, "value": 1}]}, "command 1: wait A takes no value"),
        ({"name": "c", "steps": [{"put": "A", "from": "a[*][*]"}]}, "command 1: from: " + PATH),
    ],
)  # fmt: skip
def test_problems_of_a_command(command: dict[str, Any], problem: str) -> None:
    assert problem in list(problems_of([msgspec.convert(command, Command)], []))


def test_step_is_a_put_or_a_wait() -> None:
    steps = (Step(), Step(put="A", wait="B", equals=1, value=1))
    assert list(problems_of([Command("c", steps=steps)], [])).count("command 1: a step has either put or wait") == 2


def test_names_are_unique() -> None:
    assert list(problems_of([Command("c"), Command("c")], [])) == ["command 2: has the name of command 1"]


def test_problems_of_a_message() -> None:
    rule = MessageRule("disconnect", {"a": " A"}, payload={"x": ["{b}"]})
    assert list(problems_of([], [rule])) == [
        "message 1: 'disconnect' is an event already",
        "message 1: ' A' cannot be the name of a PV",
        "message 1: payload: there is no key {b} in pvs",
    ]
