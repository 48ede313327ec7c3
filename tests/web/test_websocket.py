"""Frames on /monitor, down to the bytes: what a peer may send, and what it gets for what it may not."""

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pycaserver.web.websocket import PART_BYTES, Protocol
from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import fetch, totals, wait_for_totals
from tests.web.raw import BINARY, CLOSE, CONTINUATION, FINAL, PING, PONG, TEXT, RawClient, head

MESSAGE_BYTES = 1048576
PINGING = json.dumps({"action": "ping", "id": "raw"}).encode()
PONGED = {"msg_type": "pong", "id": "raw"}


@pytest.fixture
def raw(server: Server) -> Iterator[RawClient]:
    with RawClient(server.url) as raw:
        yield raw.open()


# -- what a peer may send


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_text_and_binary_messages_are_taken_alike(raw: RawClient, opcode: int) -> None:
    raw.send_frame(opcode, PINGING)
    assert raw.frame().json() == PONGED


@pytest.mark.parametrize(("size", "turns"), [(PART_BYTES, 0), (10 * PART_BYTES + 1, 11)])
def test_a_large_message_is_read_part_by_part(size: int, turns: int) -> None:
    """Even if all of it is there already, others have their turn between the parts."""
    sent = random.Random(1).randbytes(size)

    class Stream:
        place = 0

        async def read_bytes(self, count: int) -> bytes:
            self.place += count
            return sent[self.place - count : self.place]

    async def steps() -> None:
        protocol = Protocol.__new__(Protocol)
        protocol.stream, protocol._wire_bytes_in = cast(Any, Stream()), 0
        reading, others = asyncio.ensure_future(protocol._read_bytes(size)), 0
        while not reading.done():
            await asyncio.sleep(0)
            others += 1
        assert (await reading, protocol._wire_bytes_in) == (sent, size)
        assert others > turns

    asyncio.run(steps())


def test_fragments_make_one_message_and_control_frames_come_between(raw: RawClient) -> None:
    raw.send_frame(TEXT, PINGING[:5], final=False)
    raw.send_frame(PING, b"between")
    raw.send_frame(CONTINUATION, PINGING[5:9], final=False)
    raw.send_frame(CONTINUATION, PINGING[9:])
    assert raw.frame() == (PONG, b"between")
    assert raw.frame().json() == PONGED


def test_character_may_be_cut_by_a_fragment(raw: RawClient) -> None:
    request = '{"action": "ping", "id": "°"}'.encode()
    cut = request.index(b"\xb0")
    raw.send_frame(TEXT, request[:cut], final=False)
    raw.send_frame(CONTINUATION, request[cut:])
    assert raw.frame().json() == {"msg_type": "pong", "id": "°"}


@pytest.mark.parametrize("payload", [b"", b"a", b"\x00\xff", b"x" * 125])
def test_ping_is_answered_with_its_payload(raw: RawClient, payload: bytes) -> None:
    raw.send_frame(PING, payload)
    assert raw.frame() == (PONG, payload)


def test_pong_out_of_the_blue_is_no_harm(raw: RawClient) -> None:
    raw.send_frame(PONG, b"unasked")
    raw.send_frame(TEXT, PINGING)
    assert raw.frame().json() == PONGED


def test_message_of_the_largest_size_is_read(raw: RawClient) -> None:
    raw.send_frame(TEXT, b"{" + b" " * (MESSAGE_BYTES - 1))
    assert raw.frame().json()["code"] == "bad_json"


def test_connect_to_ten_thousand_pvs_fits(types: CIOC) -> None:
    names = [f"{types.prefix}nowhere:{'x' * 60}:{index}" for index in range(10_000)]
    settings = {"limits-search-seconds": 0.5, "limits-linger-seconds": 0}
    with Server(types.env(), settings) as server, server.client() as client:
        client.send(action="connect", pv=names)
        told = {client.wait(msg_type="connection", conn=False, reason="not_found", timeout=30)["pvname"] for _ in names}
        assert told == set(names)


def test_close_is_answered_with_its_code(raw: RawClient) -> None:
    raw.send_frame(CLOSE, (3000).to_bytes(2) + b"bye")
    frame = raw.frame()
    assert (frame.opcode, frame.close_code) == (CLOSE, 3000)
    assert raw.read_to_end() == b""


def test_request_before_the_close_is_carried_out(raw: RawClient) -> None:
    raw.send_frame(TEXT, PINGING)
    raw.send_frame(CLOSE, (1000).to_bytes(2))
    frames = raw.frames_until_close()
    assert frames[0].json() == PONGED
    assert frames[-1].close_code == 1000


# -- what it may not


def closes(server: Server, code: int) -> int:
    return int(totals(server)["closes"].get(str(code), 0))


@pytest.mark.parametrize(
    "fragments",
    [[b"\xff"], [b'{"id": "\xed\xa0\x80"}'], [b'{"action": ', b'"pi\xc3', b'ng"}'], [b"ok", b"\xf0\x9f\x92"]],
    ids=["byte", "lone surrogate", "second fragment", "unfinished at the end"],
)
def test_text_that_is_not_utf8_closes_with_1007(server: Server, types: CIOC, fragments: list[bytes]) -> None:
    before = closes(server, 1007)
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.send(action="connect", pv=f"{types.prefix}fast")
        raw.wait_for_frame(TEXT)
        for index, fragment in enumerate(fragments):
            raw.send_frame(CONTINUATION if index else TEXT, fragment, final=index == len(fragments) - 1)
        assert raw.frames_until_close()[-1].close_code == 1007
        raw.socket.close()
        assert neighbour.settle() == []
    assert closes(server, 1007) == before + 1


@pytest.mark.parametrize("beyond", [1, 20 * MESSAGE_BYTES], ids=["a byte", "much in flight"])
def test_peer_reads_why_its_message_was_too_large(server: Server, types: CIOC, beyond: int) -> None:
    before = closes(server, 1009)
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.send(action="connect", pv=f"{types.prefix}fast")
        raw.wait_for_frame(TEXT)
        raw.send_frame(TEXT, b"x" * (MESSAGE_BYTES + beyond))
        frame = raw.frames_until_close()[-1]
        assert frame.close_code == 1009
        assert b"limits.message_bytes" in frame.payload
        assert neighbour.settle() == []
        raw.socket.close()
    assert closes(server, 1009) == before + 1


def test_fragments_count_together(raw: RawClient) -> None:
    half = b"x" * (MESSAGE_BYTES // 2 + 1)
    raw.send_frame(TEXT, half, final=False)
    raw.send_frame(CONTINUATION, half)
    assert raw.frames_until_close()[-1].close_code == 1009


def test_nothing_follows_the_close_frame_and_its_session_is_over(server: Server, types: CIOC) -> None:
    wait_for_totals(server, sessions=0)
    fast = f"{types.prefix}fast"
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        neighbour.send(action="connect", pv=fast)
        raw.send(action="connect", pv=fast)
        raw.wait_for_frame(TEXT)
        raw.send_frame(TEXT, b"\xff")
        raw.frames_until_close()
        assert totals(server)["sessions"] == 1, "though the peer has not gone yet"
        for _ in range(3):
            neighbour.wait(msg_type="monitor")
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.read_to_end() == b""


BROKEN = {
    "reserved bit": b"\xc1\x80\0\0\0\0",
    "unknown opcode": b"\x83\x80\0\0\0\0",
    "continuation of nothing": b"\x80\x80\0\0\0\0",
    "fragmented ping": b"\x09\x80\0\0\0\0",
    "long ping": b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126,
    "new message within another": b"\x01\x80\0\0\0\0\x01\x80\0\0\0\0",
    "close with a reason that is no text": b"\x88\x84\0\0\0\0\x03\xe8\xff\xfe",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_frame_that_breaks_the_rules_ends_the_connection_and_no_other(server: Server, data: bytes) -> None:
    logged = server.output
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.socket.sendall(data)
        assert raw.read_to_end() in (b"", b"\x88\x00")
        assert neighbour.settle() == []
    assert server.output == logged


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING])
def test_frame_without_a_mask_closes_with_1002(server: Server, opcode: int) -> None:
    before = closes(server, 1002)
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.send_frame(TEXT, PINGING)
        assert raw.frame().json() == PONGED
        raw.socket.sendall(head(FINAL | opcode, 2, mask=0) + b"{}")
        assert raw.frames_until_close()[-1].close_code == 1002
        assert neighbour.settle() == []
    assert closes(server, 1002) == before + 1


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1100, 2999, 5000, 65535])
@pytest.mark.parametrize("size", [1, 2])
def test_reserved_close_code_or_half_a_code_closes_with_1002(raw: RawClient, code: int, size: int) -> None:
    raw.send_frame(CLOSE, code.to_bytes(2, "big")[:size])
    assert raw.frames_until_close()[-1].close_code == 1002


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_close_code_of_the_peer_is_echoed(raw: RawClient, code: int) -> None:
    raw.send_frame(CLOSE, code.to_bytes(2, "big"))
    assert raw.frames_until_close()[-1].close_code == code


@pytest.mark.parametrize("size", [MESSAGE_BYTES + 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1])
def test_size_that_is_only_claimed_closes_with_1009(raw: RawClient, size: int) -> None:
    raw.socket.sendall(head(FINAL | TEXT, size))
    assert raw.frames_until_close()[-1].close_code == 1009


# -- the handshake


def test_handshake_without_its_headers_is_refused(server: Server) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert fetch(server, "/monitor").status == 426
    assert fetch(server, "/monitor", upgrade).status == 426
    assert fetch(server, "/monitor", {**upgrade, "Sec-WebSocket-Version": "8"}).headers["Sec-WebSocket-Version"] == "13"
    assert fetch(server, "/monitor", {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}).status == 400


# -- large messages


def test_control_frames_keep_out_of_a_large_message(server: Server, types: CIOC) -> None:
    """100,000 numbers as JSON, read a little at a time while pings go the other way."""
    with RawClient(server.url, receive_buffer=4096).open() as raw:
        raw.send(action="connect", pv=f"{types.prefix}large")
        pieces = [raw.read(1)]
        for number in range(30):
            raw.send_frame(PING, number.to_bytes(2))
            pieces.append(raw.read(20_000))
        raw.unread(b"".join(pieces))
        frames = [raw.frame()]
        while frames[-1] != (PONG, (29).to_bytes(2)):
            frames.append(raw.frame())
    messages = [frame.json() for frame in frames if frame.opcode == TEXT]
    assert [message["msg_type"] for message in messages] == ["connection", "monitor"]
    assert messages[1]["value"] == [index * 0.5 for index in range(100_000)]
    pongs = [frame.payload for frame in frames if frame.opcode == PONG]
    assert pongs == sorted(pongs), "answers in the order of the questions"


# -- batches and binary frames


def test_batched_frames_are_arrays(server: Server, types: CIOC) -> None:
    names = [types.prefix + name for name in ("ai", "ao", "mbbi")]
    with server.client() as client:
        client.send(action="options", batch=True)
        assert [message["msg_type"] for message in client.receive()] == ["options"]
        client.send(action="connect", pv=names)
        for _ in names:
            client.wait(msg_type="monitor")
        client.send(action="options", batch=False)
        client.wait(msg_type="options", batch=False)
        client.send(action="ping")
        assert client.receive() == {"msg_type": "pong"}


def test_all_that_is_due_is_one_batch(server: Server, types: CIOC) -> None:
    names = [types.prefix + name for name in ("ai", "ao", "mbbi")]
    with server.client() as client:
        client.send(action="connect", pv=names)
        for _ in names:
            client.wait(msg_type="monitor")
        client.send(action="options", batch=True)
        client.wait(msg_type="options")
        client.send(action="connect", pv=names)
        frame = client.receive()
    assert [message["msg_type"] for message in frame] == ["connection", "monitor"] * 3
    assert [message["pvname"] for message in frame[::2]] == names


def test_binary_frame_has_its_place_among_batches(server: Server, types: CIOC) -> None:
    names = [types.prefix + name for name in ("ai", "wf_double", "ao")]
    with server.client() as client:
        client.send(action="options", batch=True, encoding="binary")
        client.wait(msg_type="options")
        client.send(action="connect", pv=names[1])
        while not isinstance(client.receive(), bytes):
            pass
        for name in (names[0], names[2]):
            client.send(action="connect", pv=name)
            client.wait(msg_type="monitor", pvname=name)
        client.send(action="connect", pv=names)  # the state and value of each again, at once
        before, binary, after = client.receive(), client.receive(), client.receive()
    assert [message["pvname"] for message in before] == [names[0], names[0], names[1]]
    header, elements = client.unpack(binary)
    assert (header["pvname"], header["dtype"], len(elements)) == (names[1], "<f8", 4 * 8)
    assert [message["pvname"] for message in after] == [names[2], names[2]]
