"""What a peer may ask for and how long it may take: sessions, requests, errors, pings, slow reading."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import pairwise

import pytest

from pycaserver.web.hub import MOST_LINGERING
from tests.iocs import CIOC
from tests.servers import Client, Server
from tests.timing import scaled, wait_for
from tests.tokens import token_section
from tests.web.conftest import REQUESTS_PER_SECOND
from tests.web.http import fetch, totals, wait_for_totals
from tests.web.raw import CLOSE, PING, RawClient
from tests.web.slow_peer import SLOW_READER, closed_as_slow, open_sockets

RESET_SECONDS = 10.0


# -- sessions


@pytest.fixture(scope="module")
def small(types: CIOC) -> Iterator[Server]:
    settings = {"limits-sessions": 3, "limits-sessions-per-address": 2, "limits-subscriptions-per-session": 2}
    with Server(types.env(), settings) as server:
        yield server


def test_session_too_many_is_told_to_try_later(small: Server) -> None:
    def from_address(number: int) -> RawClient:
        return stack.enter_context(RawClient(small.url, source=f"127.0.0.{number}").open())

    refusals = totals(small)["closes"].get("1013", 0)
    with ExitStack() as stack:
        first, second = from_address(1), from_address(1)
        refused = from_address(1).frame()
        assert (refused.opcode, refused.close_code) == (CLOSE, 1013)
        third = from_address(2)
        refused = from_address(3).frame()
        assert (refused.opcode, refused.close_code) == (CLOSE, 1013)
        for raw in (first, second, third):
            raw.send(action="ping")
            assert raw.frame().json() == {"msg_type": "pong"}
        assert fetch(small, "/api/pv/X/stream").status == 503
        second.close()
        wait_for_totals(small, sessions=2)
        fourth = from_address(1)
        fourth.send(action="ping")
        assert fourth.frame().json() == {"msg_type": "pong"}
        assert totals(small)["closes"] == {"1013": refusals + 2}


def test_only_so_many_are_told_and_all_are_gone_soon(small: Server) -> None:
    """Those for whom there is no room, and who do not go when they are told, take no descriptors from the others."""
    wait_for_totals(small, sessions=0)
    before = open_sockets(small)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(RawClient(small.url).open())
        told = []
        for _ in range(MOST_LINGERING + 20):
            raw = stack.enter_context(RawClient(small.url).open())
            with suppress(ConnectionError):
                told.append(raw.frame().close_code)
        assert set(told) == {1013}
        assert open_sockets(small) <= before + 2 + MOST_LINGERING
        wait_for(
            lambda: open_sockets(small) <= before + 2, seconds=10, what="those for whom there is no room to be gone"
        )
    wait_for_totals(small, sessions=0)


@pytest.fixture(scope="module")
def personal(types: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Knows two users, who may have two sessions each."""
    file = tmp_path_factory.mktemp("users") / "settings.toml"
    file.write_text(token_section("anna", "anna-s") + token_section("ben", "ben-s"))
    with Server(types.env(), {"config": file, "limits-sessions-per-user": 2}) as server:
        yield server


def of_user(server: Server, name: str) -> Client:
    return server.client(additional_headers={"Authorization": f"Bearer {name}-s"})


def test_user_has_so_many_sessions_and_no_more(personal: Server) -> None:
    with of_user(personal, "anna") as first, of_user(personal, "anna") as second:
        with of_user(personal, "anna") as third:
            assert third.close_code() == 1013
        with of_user(personal, "ben") as other, personal.client() as nobody:
            for client in (first, second, other, nobody):
                assert client.settle() == []
    wait_for_totals(personal, sessions=0)
    with of_user(personal, "anna") as again:
        assert again.settle() == []


def test_session_that_becomes_a_users_counts_as_one(personal: Server) -> None:
    with of_user(personal, "anna") as first, of_user(personal, "anna") as second, personal.client() as late:
        late.send(action="authenticate", token="anna-s")
        late.wait(msg_type="authenticate", user="anna")
        assert late.close_code() == 1013
        for client in (first, second):
            assert client.settle() == []


def test_one_request_reads_no_more_pvs_than_a_session_may_have(small: Server, types: CIOC) -> None:
    query = f"/api/pv?name={types.prefix}ai&name={types.prefix}ao"
    assert fetch(small, query).status == 200
    answer = fetch(small, f"{query}&name={types.prefix}mbbi")
    assert (answer.status, answer.json["code"]) == (429, "too_many_subscriptions")
    assert "limits.subscriptions_per_session" in answer.json["message"]


# -- requests and errors


def test_peer_that_asks_too_often_is_read_more_slowly(impatient: Server) -> None:
    """It is not dropped either, though its pongs wait behind its requests."""
    asked = 5 * REQUESTS_PER_SECOND
    with impatient.client() as busy, impatient.client() as neighbour:
        began = time.monotonic()
        for number in range(asked):
            busy.send(action="ping", id=number)
        assert neighbour.settle() == []
        assert len(busy.messages) < asked
        assert [busy.wait(msg_type="pong")["id"] for _ in range(asked)] == list(range(asked))
    assert time.monotonic() - began > 3.5  # a second's worth is allowed at once


def test_flood_of_malformed_messages_closes_with_4002(server: Server) -> None:
    frames = b"".join([b"\x81\x82\0\0\0\0{]"] * 2000)
    wait_for_totals(server, sessions=0)
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        raw.socket.sendall(frames)
        raw.send(action="ping", id="after the close")
        received = raw.frames_until_close()
        assert received[-1].close_code == 4002
        codes = {frame.json()["code"] for frame in received[:-1]}
        assert codes == {"bad_json"}
        assert 100 <= len(received) < 500
        assert totals(server)["sessions"] == 1, "its session is over, though the peer has not gone yet"
        raw.send_frame(CLOSE, b"")
        assert raw.read_to_end() == b""
        assert neighbour.settle() == []
    assert totals(server)["closes"]["4002"] >= 1


def test_single_mistakes_close_nothing(server: Server) -> None:
    with server.client() as client:
        for _ in range(50):
            client.socket.send("{]")
        errors = client.settle()
    assert [message["code"] for message in errors] == ["bad_json"] * 50


# -- pings


def test_peer_without_pongs_is_closed_and_a_quiet_one_is_not(impatient: Server) -> None:
    with impatient.client() as quiet, RawClient(impatient.url).open() as deaf:
        frames = deaf.frames_until_close()
        assert [frame.opcode for frame in frames] == [PING, CLOSE]
        assert frames[-1].close_code == 4004
        assert quiet.settle() == []


# -- slow readers


def subscribe(raw: RawClient, name: str) -> None:
    """A session."""
    raw.open().send(action="connect", pv=name)


def stream(raw: RawClient, name: str) -> None:
    """An event stream."""
    raw.socket.sendall(f"GET /api/pv/{name}/stream HTTP/1.1\r\nHost: {raw.host}\r\n\r\n".encode())


@pytest.mark.parametrize("begin", [subscribe, stream])
def test_peer_that_never_reads_is_closed_and_harms_nobody(
    impatient: Server, types: CIOC, begin: Callable[[RawClient, str], None]
) -> None:
    with closed_as_slow(impatient, types, begin) as slow, pytest.raises(ConnectionResetError):
        wait_for_reset(slow)


def wait_for_reset(raw: RawClient) -> None:
    """Without reading, until the connection is reset; then ConnectionResetError."""
    poll = select.poll()
    poll.register(raw.socket, 0)  # errors are always told
    assert poll.poll(scaled(RESET_SECONDS) * 1000), "the server has not reset the connection"
    raw.read_to_end()


def test_peer_that_takes_no_answer_is_reset(impatient: Server) -> None:
    """It asks again and again on one connection, until neither side's kernel has room for more."""
    question = "GET /api/asyncapi.json HTTP/1.1\r\nHost: {}\r\n\r\n"
    with RawClient(impatient.url, receive_buffer=SLOW_READER) as deaf:
        deaf.socket.sendall(question.format(deaf.host).encode() * 1000)
        with pytest.raises(ConnectionResetError):
            wait_for_reset(deaf)
    wait_for_totals(impatient, connections=1)
    assert totals(impatient)["faults"] == 0


def test_peer_that_reads_again_gets_the_newest_and_how_many_it_missed(server: Server, types: CIOC) -> None:
    fast, large = f"{types.prefix}fast", f"{types.prefix}large"
    with server.client() as healthy, RawClient(server.url, receive_buffer=SLOW_READER).open() as sleepy:
        healthy.send(action="connect", pv=fast)
        sleepy.send(action="connect", pv=fast)
        read = [sleepy.wait_for_message(pvname=fast, msg_type="monitor")]
        sleepy.send(action="connect", pv=large)
        missed = [healthy.wait(msg_type="monitor")["value"] for _ in range(8)]
        while not read[-1]["value"] > missed[-1]:
            read.append(sleepy.wait_for_message(pvname=fast, msg_type="monitor"))
    gaps = [later["value"] - earlier["value"] for earlier, later in pairwise(read)]
    assert gaps == [1 + message.get("coalesced", 0) for message in read[1:]]
    assert max(gaps) > 3
    assert read[-1]["value"] <= missed[-1] + 10
