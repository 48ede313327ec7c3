"""Frames that no peer should send, and bytes that are no frames: only their sender suffers."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import totals, wait_for_totals
from tests.web.raw import BINARY, CONTINUATION, FINAL, PING, TEXT, RawClient, head

EXAMPLES = 60

opcodes = st.integers(0, 15)
first_bytes = st.builds(
    lambda final, reserved, opcode: final << 7 | reserved << 4 | opcode, st.booleans(), st.integers(0, 7), opcodes
)
"""Every bit of the first byte, right or wrong."""
payloads = st.binary(max_size=200) | st.sampled_from(
    [b'{"action": "ping"}', b'{"action": "connect", "pv": "X"}', b"\xff"]
)
sizes = st.none() | st.sampled_from([0, 1, 125, 126, 65535, 65536, 1 << 20, (1 << 20) + 1, 1 << 40, (1 << 64) - 1])
"""What a frame claims, None for the truth."""


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One frame, perhaps a lie."""
    payload = draw(payloads)
    claimed = draw(sizes)
    masked = draw(st.sampled_from([0x80, 0x80, 0x80, 0]))
    mask = draw(st.binary(min_size=4, max_size=4)) if masked else b""
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)) if mask else payload
    return head(draw(first_bytes), len(payload) if claimed is None else claimed, masked) + mask + body


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(frames() | st.binary(max_size=50), min_size=1, max_size=6))
def test_no_bytes_disturb_a_neighbour(server: Server, types: CIOC, sent: list[bytes]) -> None:
    before = totals(server)["faults"]
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        neighbour.send(action="connect", pv=f"{types.prefix}fast")
        first = neighbour.wait(msg_type="monitor")
        with suppress(ConnectionError):
            raw.socket.sendall(b"".join(sent))
        assert neighbour.wait(msg_type="monitor")["value"] > first["value"]
        neighbour.settle()
    assert totals(server)["faults"] == before
    assert "Traceback" not in server.output


def test_endless_fragments_are_closed_at_the_limit(server: Server) -> None:
    piece = head(CONTINUATION, 1000) + bytes(1004)
    with RawClient(server.url).open() as raw:
        raw.send_frame(TEXT, b"", final=False)
        with suppress(ConnectionError):
            for _ in range(1100):
                raw.socket.sendall(piece)
        assert raw.frames_until_close()[-1].close_code == 1009


def test_empty_fragments_without_an_end_leave_room_for_a_neighbour(server: Server) -> None:
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.send_frame(BINARY, b"", final=False)
        raw.socket.sendall((head(CONTINUATION, 0) + bytes(4)) * 20_000)
        assert neighbour.settle() == []
        raw.send_frame(CONTINUATION, b"PV ")
        assert raw.frame().json()["code"] == "invalid_pv_name"


def test_pongs_that_nobody_reads_do_not_pile_up(server: Server) -> None:
    """60,000 pings of 125 bytes: those beyond what may wait for a peer are not answered."""
    ping = head(FINAL | PING, 125) + bytes(4 + 125)
    with server.client() as neighbour, RawClient(server.url, receive_buffer=4096).open() as raw:
        for _ in range(60):
            raw.socket.sendall(ping * 1000)
        raw.send(action="ping", id="last")
        pongs = 0
        while (frame := raw.frame()).opcode != TEXT:
            pongs += 1
        assert frame.json() == {"msg_type": "pong", "id": "last"}
        assert 1000 < pongs < 60_000
        assert neighbour.settle() == []


def test_session_that_ends_in_the_middle_of_a_frame_leaves_nothing(server: Server) -> None:
    wait_for_totals(server, sessions=0)
    for data in (b"\x81", b"\x81\xfe", head(FINAL | TEXT, 1000) + b"\0\0", head(TEXT, 5) + bytes(9)):
        with RawClient(server.url).open() as raw:
            raw.socket.sendall(data)
    wait_for_totals(server, sessions=0)
