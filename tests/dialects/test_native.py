"""dialects/native.py: what it makes of bytes, and what bytes it makes."""

import json
import math
import struct
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pycaserver.core.channel import Channel
from pycaserver.core.errors import ERROR_CODES, PycaError
from pycaserver.core.groups import Group
from pycaserver.core.messages import Pong
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.requests import Connect, Disconnect, Get, Ping, Put
from pycaserver.core.terms import Reduce
from pycaserver.core.values import Data, DbrType, Metadata, PVValue
from pycaserver.dialects.native import NativeDialect
from tests.fakes import Lines, World, flat, value

DIALECT = NativeDialect()


# -- decoding


def test_requests_are_decoded() -> None:
    assert DIALECT.decode(b'{"action": "connect", "pv": "myTest:PV"}') == Connect(pv="myTest:PV")
    assert DIALECT.decode(b'{"action":"disconnect","pv":["A","B"],"id":7}') == Disconnect(pv=["A", "B"], id=7)
    assert DIALECT.decode(b' \r\n\t{"pv": "A", "timeout": 2, "action": "get"}') == Get(pv="A", timeout=2.0)


@pytest.mark.parametrize("name", ["myTest:PV", "5", "null", "true", '"quoted"', "PV {}", "x {}", "", "Köln", "a\nb"])
def test_what_begins_with_no_bracket_is_taken_whole_as_a_name(name: str) -> None:
    assert DIALECT.decode(name.encode()) == Connect(pv=name)


def error_of(data: bytes) -> PycaError:
    with pytest.raises(PycaError) as caught:
        DIALECT.decode(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "code", "named"),
    [
        (b"{", "bad_json", ""),
        (b'{"action": "ping"', "bad_json", ""),
        (b'{"action": "ping"} x', "bad_json", ""),
        (b'{"action": "fly"', "bad_json", ""),  # wrong as a request before it is wrong as JSON
        (b'{"action": "ping", "id": [', "bad_json", ""),
        (b"{'action': 'ping'}", "bad_json", ""),
        (b'{"action": "ping", "id": "\\ud800"}', "bad_json", ""),
        (b'{"action": "fly", "id": "\\ud800"}', "bad_json", ""),
        (b'{"action": "connect", "pv": "A", "deadband": NaN}', "bad_json", ""),
        (b'{"action": "ping", "id": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "bad_json", ""),
        (b'{"action": "fly", "id": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "bad_json", ""),
        (b'{"action": "fly", "pv": ' + b'{"a":' * 60_000, "bad_json", ""),
        (b"\xff", "bad_json", ""),
        (b"PV\xff", "bad_json", ""),
        (b'{"action": "ping", "id": "\xff"}', "bad_json", ""),
        (b"[]", "bad_request", ""),
        (b'[{"action": "ping"}]', "bad_request", ""),
        (b"[" * 60_000, "bad_request", ""),
        (b"{}", "bad_request", "action"),
        (b'{"action": 5}', "bad_request", "action"),
        (b'{"action": null}', "bad_request", "action"),
        (b'{"action": "connect"}', "bad_request", "pv"),
        (b'{"action": "connect", "pv": 5}', "bad_request", "pv"),
        (b'{"action": "connect", "pv": ["A", {}]}', "bad_request", "pv"),
        (b'{"action": "connect", "pv": "A", "max-rate": 5}', "bad_request", "max-rate"),
        (b'{"action": "connect", "pv": "A", "max_rate": "5"}', "bad_request", "max_rate"),
        (b'{"action": "connect", "pv": "A", "reduce": {"points": 0}}', "bad_request", "reduce.points"),
        (b'{"action": "connect", "pv": "A", "as": "text"}', "bad_request", "as"),
        (b'{"action": "connect", "pv": "A", "deadband": 1e400}', "bad_request", "deadband"),
        (b'{"action": "ping", "id": true}', "bad_request", "id"),
        (b'{"action": "ping", "id": ' + b"1" * 5000 + b"}", "bad_request", "id"),
        (b'{"action": "fly"}', "unknown_action", "fly"),
        (b'{"action": "Connect", "pv": "A"}', "unknown_action", "Connect"),
        (b'{"action": ""}', "unknown_action", "action"),
    ],
    ids=lambda part: ascii(part[:50]) if isinstance(part, bytes) else part,
)
def test_each_mistake_has_its_code_and_names_the_key(data: bytes, code: str, named: str) -> None:
    error = error_of(data)
    assert error.code == code
    assert named in error.message
    assert "$" not in error.message
    assert len(error.message) < 200


def test_an_error_echoes_what_can_be_read() -> None:
    error = error_of(b'{"action": "connect", "pv": "A", "id": "x", "max_rate": -1}')
    assert (error.action, error.pvname, error.id) == ("connect", "A", "x")
    error = error_of(b'{"action": "fly", "pv": ["A"], "id": 7}')
    assert (error.action, error.pvname, error.id) == ("fly", None, 7)
    error = error_of(b'{"action": 1, "pv": 2, "id": true}')
    assert (error.action, error.pvname, error.id) == (None, None, None)


def test_of_duplicate_keys_the_last_counts() -> None:
    assert DIALECT.decode(b'{"action": "ping", "id": 1, "id": 2}') == Ping(id=2)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["action", "pv", "id", "metadata", "encoding", "max_rate", "reduce", "as", "timeout",
                        "value", "value_b64", "dtype", "wait", "token"])  # fmt: skip
actions = st.fixed_dictionaries(
    {"action": st.sampled_from(["connect", "get", "options", "ping", "put", "authenticate", "fly"])}
)
objects = st.tuples(actions, st.dictionaries(keys, json_values, max_size=4)).map(lambda pair: {**pair[0], **pair[1]})


def frames(headers: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Binary frames with such headers, and whatever elements."""
    padded = headers.map(lambda header: header + b" " * (-(4 + len(header)) % 8))
    return st.builds(lambda header, tail: len(header).to_bytes(4, "little") + header + tail, padded, st.binary())


put_keys = st.fixed_dictionaries(
    {"action": st.sampled_from(["put", "get"]), "pv": st.text(max_size=3)},
    optional={
        "value": json_values,
        "value_b64": st.text("AB=+/!", max_size=9),
        "dtype": st.sampled_from(["<f8", "|u1", "<i2", ">f8", "O", ""]),
        "wait": st.booleans() | st.integers(),
        "timeout": st.floats(allow_nan=False) | st.none(),
    },
)
puts = put_keys.map(lambda keys: json.dumps(keys).encode())


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.binary().map(lambda tail: b"{" + tail)
    | puts
    | frames(puts | st.binary())
)
@example(b'{"action":"fly","id":')
@example(b"\x80")
def test_no_bytes_raise_anything_but_a_coded_error(data: bytes) -> None:
    try:
        DIALECT.decode(data)
    except PycaError as error:
        assert error.code in ERROR_CODES


@given(objects, st.integers(0, 80))
def test_no_json_raises_anything_but_a_coded_error(message: dict[str, Any], cut: int) -> None:
    data = json.dumps(message).encode()
    for each in (data, data[: max(1, len(data) - cut)]):
        try:
            DIALECT.decode(each)
        except PycaError as error:
            assert error.code in ("bad_json", "bad_request", "unknown_action")
            json.loads(DIALECT.encode(Pong(id=error.id)))  # the id can be echoed


puts = st.fixed_dictionaries(
    {"action": st.just("put"), "pv": st.just("A")},
    optional={"dtype": st.sampled_from(["<f8", "<i4", "|u1", "<U3", "O", ""]), "value": json_values, "id": json_values},
)


@given(puts | objects | json_values, st.binary(max_size=40), st.integers(-9, 9), st.sampled_from([b" ", b"\0", b"}"]))
def test_no_binary_frame_raises_anything_but_a_coded_error(
    message: Any, elements: bytes, lie: int, padding: bytes
) -> None:
    header = json.dumps(message).encode()
    header += padding * (-(4 + len(header)) % 8)
    for size in (len(header), max(0, len(header) + lie)):
        try:
            request = DIALECT.decode(size.to_bytes(4, "little") + header + elements)
        except PycaError as error:
            assert error.code in ERROR_CODES
            json.loads(DIALECT.encode(Pong(id=error.id)))
        else:
            assert isinstance(request, Connect | Put)


# -- encoding


@pytest.fixture
def channel() -> Channel:
    return World().channel("PV")


def told(reading: PVValue, channel: Channel | None = None, **options: Any) -> dict[str, Any]:
    """The monitor message of a reading, as JSON."""
    encode = DIALECT.value_encoder(SubscriptionOptions(**options), Lines())
    frame = encode(channel or World().channel("PV"), reading, 0)
    assert frame[:1] == b"T"
    return json.loads(frame[1:], parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@given(st.floats() | st.floats(width=32))
def test_floats_make_the_round_trip_bit_by_bit(number: float) -> None:
    told_value = told(value(number))["value"]
    if math.isfinite(number):
        assert struct.pack("d", told_value) == struct.pack("d", number)
    else:
        assert told_value == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(number)]


ALARMS = st.tuples(st.integers(0, 5), st.integers(0, 25))
SCALARS = st.floats() | st.integers(-(2**31), 2**31) | st.none() | st.text(max_size=5)
READINGS = st.lists(
    st.tuples(SCALARS, ALARMS, st.integers(0, 2**33), st.integers(0, 999_999_999), st.sampled_from([0, 0, 0, 2])),
    min_size=1,
    max_size=8,
)


@given(READINGS, st.text(st.characters(codec="utf-8")))
def test_a_batch_says_what_reads_say(readings: list[Any], units: str) -> None:
    """The monitor messages of a batch are put together in a quick way, the answer to get is not."""
    world, options, framing = World(), SubscriptionOptions(), Lines()
    channels = [world.pool.acquire(name) for name in ('"value":1,"count":1,"timestamp":2.5', "B")]
    groups = []
    for channel in channels:
        channel.metadata = Metadata(DbrType.DOUBLE, 1, units=units)
        groups.append(Group(channel, world.pool.fanout, "kind", DIALECT.value_encoder(options, framing)))
    updates = [
        (groups[place % 2], PVValue(data, 1, seconds, nanos, severity, status), merged)
        for place, (data, (severity, status), seconds, nanos, merged) in enumerate(readings)
    ]
    frames = groups[0].encode.batch(updates)
    assert len(frames) == len(updates)
    for (group, reading, merged), frame in zip(updates, frames, strict=True):
        answer = json.loads(DIALECT.answer_encoder(options, None, framing)(group.channel, reading, 0)[1:])
        message = json.loads(frame[1:])
        assert message.pop("coalesced", 0) == merged
        assert message | {"msg_type": "get"} == answer


def test_a_batch_keeps_up_with_metadata() -> None:
    world = World()
    channel = world.pool.acquire("PV")
    group = Group(channel, world.pool.fanout, "kind", DIALECT.value_encoder(SubscriptionOptions(), Lines()))
    for metadata in (Metadata(DbrType.LONG, 1, units="mm"), Metadata(DbrType.ENUM, 1, enum_strs=("off", "on"))):
        channel.metadata = metadata
        (frame,) = group.encode.batch([(group, value(1), 0)])
        assert json.loads(frame[1:]) | {"units": metadata.units} == told(value(1), channel) | {"units": metadata.units}


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_make_the_round_trip(number: int) -> None:
    assert told(value(number))["value"] == number
    assert isinstance(told(value(number))["value"], int)


@given(st.text(st.characters(codec="utf-8")), st.lists(st.text(st.characters(codec="utf-8")), max_size=5))
def test_strings_make_the_round_trip(text: str, texts: list[str]) -> None:
    assert told(value(text))["value"] == text
    assert told(value(texts))["value"] == texts


float_arrays = st.lists(st.floats(), max_size=30).map(np.array)


@given(float_arrays)
def test_arrays_make_the_round_trip_in_every_encoding(array: np.ndarray[Any, Any]) -> None:
    array = array.astype("f8")
    words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    listed = np.array([words.get(x, x) for x in told(value(array))["value"]], "f8")
    np.testing.assert_array_equal(np.isnan(listed), np.isnan(array))
    assert listed[~np.isnan(array)].tobytes() == array[~np.isnan(array)].tobytes()
    message = told(value(array), encoding="base64")
    assert message["dtype"] == "<f8"
    assert b64decode(message["value_b64"]) == array.tobytes()
    assert "value" not in message


@given(float_arrays, st.text(st.characters(codec="utf-8"), max_size=10))
def test_a_binary_frame_is_read_without_a_copy(array: np.ndarray[Any, Any], units: str) -> None:
    channel = World().channel("PV")
    channel.metadata = Metadata(DbrType.DOUBLE, 30, units=units)
    array = array.astype("f8")
    encode = DIALECT.value_encoder(SubscriptionOptions(encoding="binary"), Lines())
    frame = flat(encode(channel, value(array), 3))
    assert frame[:1] == b"B"
    payload = frame[1:]
    length = int.from_bytes(payload[:4], "little")
    header = json.loads(payload[4 : 4 + length])
    assert (4 + length) % 8 == 0
    assert np.frombuffer(payload, header["dtype"], offset=4 + length).tobytes() == array.tobytes()
    assert (header["pvname"], header["count"], header["coalesced"]) == ("PV", len(array), 3)
    assert header.get("units", "") == units
    assert not {"value", "value_b64"} & set(header)


def test_only_numeric_arrays_have_other_encodings() -> None:
    for data in (1.5, 3, "text", ["a", "b"], None):
        for encoding in ("base64", "binary"):
            assert told(value(data), encoding=encoding)["value"] == data


def test_an_enum_with_no_such_state_has_no_text(channel: Channel) -> None:
    channel.metadata = Metadata(DbrType.ENUM, 1, enum_strs=("Off", "On"))
    assert told(value(1), channel)["text"] == "On"
    assert "text" not in told(value(2), channel)
    assert told(value(2), channel, as_="string")["value"] == 2


def test_reduce_leaves_short_waveforms_alone() -> None:
    array = np.arange(10.0)
    assert "reduced" not in told(value(array), reduce=Reduce(5))
    message = told(value(array), reduce=Reduce(4))
    assert (message["reduced"], message["count"], len(message["value"])) == (4, 10, 8)


@pytest.mark.parametrize("data", [np.zeros(0), None, "", []], ids=repr)
def test_nothing_can_be_told_too(data: Data) -> None:
    message = told(value(data, count=0))
    assert message["count"] == 0
    assert message["value"] == (data.tolist() if isinstance(data, np.ndarray) else data)
