"""Bytes on the wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.outbox import Frame, Framing
from pycaserver.web.framing import BATCH_BYTES, BATCHED, BINARY, EVENTS, PLAIN, SINGLE, SOCKETIO, TEXT, frame
from tests.fakes import flat


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "81 00"),
        (125, "81 7d"),
        (126, "81 7e 00 7e"),
        (65535, "81 7e ff ff"),
        (65536, "81 7f 00 00 00 00 00 01 00 00"),
    ],
)
def test_frame_has_the_shortest_length_and_no_mask(size: int, head: str) -> None:
    payload = b"x" * size
    assert frame(TEXT, payload) == bytes.fromhex(head) + payload


def test_single_frames_are_finished_at_once() -> None:
    frames = [SINGLE.text(b"{}"), SINGLE.binary(b"\0", memoryview(b"\1"))]
    assert [flat(each) for each in frames] == [frame(TEXT, b"{}"), frame(BINARY, b"\0\1")]
    assert SINGLE.pack(frames) == frames


def test_batch_is_one_array() -> None:
    assert BATCHED.pack([BATCHED.text(b'{"a":1}'), BATCHED.text(b'{"b":2}')]) == [frame(TEXT, b'[{"a":1},{"b":2}]')]


def test_batch_of_nothing_is_no_frame() -> None:
    assert BATCHED.pack([]) == []


def test_binary_frame_keeps_its_place_in_a_batch() -> None:
    items = [
        BATCHED.text(b"1"),
        BATCHED.text(b"2"),
        BATCHED.binary(b"r", memoryview(b"aw")),
        BATCHED.binary(b"again", memoryview(b"")),
        BATCHED.text(b"3"),
    ]
    expected = [frame(TEXT, b"[1,2]"), frame(BINARY, b"raw"), frame(BINARY, b"again"), frame(TEXT, b"[3]")]
    assert [flat(piece) for piece in BATCHED.pack(items)] == expected


def test_large_batch_is_cut_into_several_arrays_in_order() -> None:
    messages = [json.dumps({"n": n, "pad": "x" * 10_000}).encode() for n in range(100)]
    pieces = BATCHED.pack([BATCHED.text(message) for message in messages])
    assert len(pieces) == 4
    assert all(len(piece) < BATCH_BYTES + 2 * len(messages[0]) for piece in pieces)
    arrays = [json.loads(piece[10:]) if piece[1] == 127 else json.loads(piece[4:]) for piece in pieces]
    assert [message["n"] for array in arrays for message in array] == list(range(100))


def test_event_is_a_line_of_data_and_an_empty_one() -> None:
    assert EVENTS.pack([EVENTS.text(b"{}"), EVENTS.text(b"[]")]) == [b"data: {}\n\n", b"data: []\n\n"]


def test_event_stream_has_no_binary_messages() -> None:
    with pytest.raises(TypeError):
        EVENTS.binary(b"", memoryview(b""))


def test_message_is_an_event_of_its_type_and_an_array_is_one_already() -> None:
    message, event = b'{"msg_type":"pong","id":1}', b'["state",{"a":1}]'
    assert SOCKETIO.text(message) == b'2["pong",%b]\x1e' % message
    assert SOCKETIO.text(event) == b"2%b\x1e" % event
    assert flat(SOCKETIO.long([event[:3], event[3:]])) == SOCKETIO.text(event)


def test_events_of_socketio_are_text() -> None:
    with pytest.raises(TypeError):
        SOCKETIO.binary(b"", memoryview(b""))


def test_plain_json_stays_as_it_is() -> None:
    assert PLAIN.pack([PLAIN.text(b"{}")]) == [b"{}"]
    with pytest.raises(TypeError):
        PLAIN.binary(b"", memoryview(b""))


@pytest.mark.parametrize(
    "framing", [SINGLE, BATCHED, EVENTS, SOCKETIO, PLAIN], ids=lambda framing: type(framing).__name__
)
@pytest.mark.parametrize("size", [1, 100, 1000, 100_000])
def test_a_message_in_parts_is_the_same(framing: Framing, size: int) -> None:
    parts = [b'{"msg_type":"monitor","value":[', b"1," * size, b"1", b"]}"]
    (in_parts,) = framing.pack(framing.join([framing.long(parts)]))
    (whole,) = framing.pack(framing.join([framing.text(b"".join(parts))]))
    assert flat(in_parts) == whole
    assert len(in_parts) == len(whole)


@pytest.mark.parametrize("framing", [SINGLE, BATCHED, EVENTS, PLAIN], ids=lambda framing: type(framing).__name__)
@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=9)), max_size=12), st.integers(0, 12))
def test_what_is_joined_is_packed_as_if_it_were_not(framing: Any, payloads: list[tuple[bool, bytes]], cut: int) -> None:
    """Sessions that are owed the same share joined pieces; the peer sees no difference."""

    def finished(is_binary: bool, payload: bytes) -> Frame:
        if is_binary and framing in (SINGLE, BATCHED):
            return framing.binary(payload[:3], memoryview(payload[3:]))
        return framing.text(payload)

    frames = [finished(*payload) for payload in payloads]
    joined = [*framing.join(frames[:cut]), *framing.join(frames[cut:])]
    assert b"".join(map(flat, framing.pack(joined))) == b"".join(map(flat, framing.pack(frames)))
