"""core/requests.py"""

import json
from typing import Any, get_args

import msgspec
import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.requests import MEBIBYTE, MOST_COMMAS, MOST_TEXT, REQUESTS, AnyRequest, Connect, check_text


def test_the_tuple_names_what_the_union_names() -> None:
    assert set(get_args(AnyRequest)) == set(REQUESTS)


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


NUMBERS = b"[" + b"1," * MOST_COMMAS + b"1]"


@pytest.mark.parametrize(
    "text",
    [b"[" + b"0," * (MEBIBYTE // 2 - 1) + b"0", b'"' + b"x" * (MOST_TEXT - 2) + b'"', NUMBERS + b" " * MEBIBYTE],
    ids=["a mebibyte of numbers", "one long string", "few numbers"],
)
def test_json_that_is_quickly_decoded_is_taken(text: bytes) -> None:
    check_text(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"[1," + NUMBERS + b" " * MEBIBYTE, "base64 or binary"), (b" " * (MOST_TEXT + 1), "binary frames")],
    ids=["many numbers", "much"],
)
def test_json_that_takes_long_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(PycaError, match=words) as caught:
        check_text(text)
    assert caught.value.code == "bad_request"
