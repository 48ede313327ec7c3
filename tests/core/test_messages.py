"""core/messages.py"""

import json
import math
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.messages import (
    MESSAGES,
    REQUESTS,
    AnyMessage,
    AnyRequest,
    Connect,
    Connection,
    OptionKeys,
    OptionsAnswer,
    Pong,
    Reduce,
    SetOptions,
    SubscriptionOptions,
    metadata_keys,
    number_message,
)
from pycaserver.core.values import DbrType, Limits, Metadata


def wire(message: msgspec.Struct) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(message))


def test_the_tuples_name_what_the_unions_name() -> None:
    assert set(get_args(AnyRequest)) == set(REQUESTS)
    assert set(get_args(AnyMessage)) == set(MESSAGES)


def test_every_option_can_be_asked_for_and_is_answered() -> None:
    options = set(SubscriptionOptions.__struct_fields__)
    assert options == set(OptionKeys.__struct_fields__) - {"id"}
    assert options | {"batch", "id"} == set(OptionsAnswer.__struct_fields__)


def test_a_message_leaves_out_what_it_has_not_to_say() -> None:
    assert wire(Pong()) == {"msg_type": "pong"}
    assert wire(Connection(pvname="PV", conn=True)) == {"msg_type": "connection", "pvname": "PV", "conn": True}


def test_options_are_answered_in_full() -> None:
    answer = OptionsAnswer(batch=False, **SubscriptionOptions().as_dict())
    assert wire(answer) == {
        "msg_type": "options", "batch": False, "metadata": False, "encoding": "json", "max_rate": None,
        "deadband": None, "first": None, "max_count": None, "reduce": None, "as": None, "nanos": False,
        "history": None,
    }  # fmt: skip


def decoded(keys: dict[str, Any]) -> Any:
    return msgspec.json.decode(json.dumps({"action": "connect", "pv": "PV", **keys}).encode(), type=AnyRequest)


@pytest.mark.parametrize(
    "keys",
    [{"metadata": True}, {"encoding": "base64"}, {"max_rate": 0.1}, {"max_rate": None}, {"deadband": 0},
     {"deadband": None}, {"first": 0}, {"first": None}, {"max_count": 1}, {"max_count": None},
     {"reduce": {"points": 1}}, {"reduce": None},
     {"as": "string"}, {"as": None}, {"nanos": True}, {"id": "x"}, {"id": -7}, {"id": None}, {"pv": []},
     {"pv": ["A", "B"]}],
    ids=repr,
)  # fmt: skip
def test_right_keys_are_taken(keys: dict[str, Any]) -> None:
    assert isinstance(decoded(keys), Connect)


@pytest.mark.parametrize(
    "keys",
    [{"metadata": 1}, {"metadata": None}, {"encoding": "xml"}, {"encoding": None}, {"max_rate": 0}, {"max_rate": -1},
     {"max_rate": 1e7}, {"max_rate": "5"}, {"deadband": -1}, {"first": -1}, {"first": 2**31},
     {"max_count": 0}, {"max_count": 1.5},
     {"max_count": 2**31}, {"reduce": {"points": 0}}, {"reduce": {}}, {"reduce": {"points": 1, "x": 1}}, {"reduce": 5},
     {"as": "text"}, {"as_": "string"}, {"nanos": "yes"}, {"id": True}, {"id": 1.5}, {"id": []}, {"pv": 5}, {"pv": [5]},
     {"pv": None}, {"batch": True}, {"max-rate": 5}],
    ids=repr,
)  # fmt: skip
def test_wrong_values_and_unknown_keys_are_errors(keys: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(keys)


def test_given_options_replace_and_the_others_stay() -> None:
    before = SubscriptionOptions(max_rate=5.0, encoding="base64", metadata=True)
    keys = SetOptions(max_rate=None, deadband=0.5, reduce=Reduce(10))
    after = before.replaced_by(keys)
    assert after == SubscriptionOptions(deadband=0.5, reduce=Reduce(10), encoding="base64", metadata=True)
    assert before.max_rate == 5.0


def test_no_options_given_change_nothing() -> None:
    options = SubscriptionOptions(True, "binary", 1.0, 2.0, 3, 4, Reduce(5), "string", True)
    assert options.replaced_by(Connect(pv="PV")) == options


@pytest.mark.parametrize(
    ("options", "same"),
    [
        (SubscriptionOptions(metadata=True, max_rate=5.0, deadband=1.0), True),
        (SubscriptionOptions(encoding="base64"), False),
        (SubscriptionOptions(first=5), False),
        (SubscriptionOptions(max_count=5), False),
        (SubscriptionOptions(reduce=Reduce(5)), False),
        (SubscriptionOptions(as_="string"), False),
        (SubscriptionOptions(nanos=True), False),
    ],
    ids=repr,
)
def test_subscriptions_that_look_alike_share_their_bytes(options: SubscriptionOptions, same: bool) -> None:
    assert (options.wire_form == SubscriptionOptions().wire_form) is same
    assert isinstance(hash(options.wire_form), int)


@pytest.mark.parametrize(("number", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_non_finite_numbers_are_the_strings_that_javascript_reads(number: float, text: str) -> None:
    assert number_message(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_finite_numbers_are_themselves(number: float) -> None:
    assert number_message(number) is number


def test_metadata_as_it_is_told() -> None:
    metadata = Metadata(
        DbrType.ENUM, 1, "mm", 3, ("Off", "On"), Limits(0.0, 10.0), Limits(-1.0, math.inf), None, Limits(math.nan, 9.0)
    )
    keys = msgspec.to_builtins(metadata_keys("PV", metadata))
    assert keys == {
        "pvname": "PV", "type": "enum", "count": 1, "units": "mm", "precision": 3, "enum_strs": ["Off", "On"],
        "display": {"low": 0.0, "high": 10.0}, "control": {"low": -1.0, "high": "Infinity"}, "warning": None,
        "alarm": {"low": "NaN", "high": 9.0},
    } or keys["enum_strs"] == ("Off", "On")  # fmt: skip
