"""/socket.io/ at the level of HTTP: who is let in, what is bounded, what a slow or hostile peer gets."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.iocs import CIOC
from tests.servers import WRITABLE, Server
from tests.timing import scaled
from tests.tokens import token_section
from tests.web.http import totals, wait_for_totals
from tests.web.raw import TEXT, RawClient
from tests.web.slow_peer import closed_as_slow

ANSWER_SECONDS = 10.0
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
SEPARATOR = "\x1e"
MESSAGE_BYTES = 262144
LISTED, FOREIGN = "https://panel.example.org", "https://evil.example.org"
ADDRESS = "127.0.0.5"


@pytest.fixture(scope="module")
def server(types: CIOC) -> Iterator[Server]:
    settings = {
        "socketio-enabled": "true",
        "limits-linger-seconds": 0.1,
        "limits-search-seconds": 0.5,
        "limits-slow-after-seconds": 1,
        "limits-header-seconds": 1,
        "limits-message-bytes": MESSAGE_BYTES,
        "limits-sessions-per-address": 5,
        "allowed-origins": LISTED,
        **WRITABLE,
    }
    with Server(types.env(), settings) as server:
        yield server
        assert "Traceback" not in server.output, server.output


class Polling:
    """A client that polls, request by request."""

    def __init__(self, server: Server, headers: dict[str, str] | None = None, source: str = "127.0.0.1") -> None:
        self._netloc = urlsplit(server.url).netloc
        self._headers, self._source = headers or {}, source
        self.sid = ""
        self.packets: list[str] = []

    def request(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
        """Status and body of the answer."""
        options: dict[str, Any] = {"timeout": scaled(ANSWER_SECONDS), "source_address": (self._source, 0)}
        with closing(HTTPConnection(self._netloc, **options)) as connection:
            connection.request(method, path, body, {**self._headers, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def open(self, auth: Any = None) -> Self:
        """Engine.IO's handshake and Socket.IO's CONNECT."""
        status, body = self.request("GET", HANDSHAKE)
        assert status == 200, body
        self.sid = json.loads(body[1:])["sid"]
        assert self.post("40" + (json.dumps(auth) if auth else "")) == (200, "OK")
        return self

    @property
    def path(self) -> str:
        return f"{HANDSHAKE}&sid={self.sid}"

    def post(self, *packets: str) -> tuple[int, str]:
        return self.request("POST", self.path, SEPARATOR.join(packets))

    def emit(self, event: str, *payload: Any) -> None:
        assert self.post("42" + json.dumps([event, *payload])) == (200, "OK")

    def wait(self, wanted: str) -> Any:
        """The payload of the next such event."""
        while True:
            while self.packets:
                packet = self.packets.pop(0)
                if packet.startswith("42") and (event := json.loads(packet[2:]))[0] == wanted:
                    return event[1]
            status, body = self.request("GET", self.path)
            assert status == 200, body
            self.packets += body.split(SEPARATOR)

    def close(self) -> None:
        """Engine.IO's."""
        self.post("1")

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture
def polling(server: Server) -> Iterator[Polling]:
    with Polling(server) as polling:
        yield polling


def websocket(server: Server, path: str = WEBSOCKET, **options: Any) -> ClientConnection:
    """Engine.IO over WebSocket alone."""
    return connect(server.url.replace("http", "ws", 1) + path[1:], compression=None, proxy=None, **options)


# -- who is let in


def test_page_elsewhere_is_refused(server: Server) -> None:
    status, body = Polling(server).request("GET", HANDSHAKE, Origin=FOREIGN)
    assert (status, json.loads(body)["code"]) == (403, "forbidden")
    with pytest.raises(InvalidStatus, match="403"), websocket(server, origin=FOREIGN):
        pass


def test_page_of_a_listed_origin_and_our_own_are_let_in(server: Server) -> None:
    for origin in (LISTED, server.url.rstrip("/")):
        assert Polling(server).request("GET", HANDSHAKE, Origin=origin)[0] == 200
        with websocket(server, origin=origin) as socket:
            assert str(socket.recv()).startswith("0{")


def test_other_host_is_refused(server: Server) -> None:
    assert Polling(server).request("GET", HANDSHAKE, Host="rebound.example.org")[0] == 403


def test_script_tags_of_other_pages_get_nothing(server: Server) -> None:
    assert Polling(server).request("GET", HANDSHAKE + "&j=0")[0] == 400


def test_session_is_of_whom_began_it(server: Server, polling: Polling) -> None:
    other = Polling(server, source="127.0.0.2")
    assert other.request("GET", polling.path)[0] == 403
    assert other.request("POST", polling.path, '42["ping"]')[0] == 403
    with pytest.raises(InvalidStatus, match="403"):
        websocket(server, f"{WEBSOCKET}&sid={polling.sid}", source_address=("127.0.0.2", 0))


@pytest.mark.parametrize(
    "query", ["", "?EIO=3&transport=polling", "?EIO=4&transport=pigeon", "?EIO=4&transport=polling&sid=x"]
)
def test_what_is_no_engine_io_is_a_bad_request(server: Server, query: str) -> None:
    assert Polling(server).request("GET", "/socket.io/" + query)[0] == 400


def test_websocket_of_no_session_is_refused_before_it_opens(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="400"):
        websocket(server, f"{WEBSOCKET}&sid=nobody")


@pytest.fixture(scope="module")
def guarded(types: CIOC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An identity is required."""
    file = tmp_path_factory.mktemp("socketio") / "pycaserver.toml"
    file.write_text("[auth]\nrequired = true\nlogin_timeout = 1\n" + token_section("anna", "secret"))
    with Server(types.env(), {"socketio-enabled": "true", "config": file}) as server:
        yield server


def test_token_comes_with_the_request_the_connect_or_an_event(guarded: Server, types: CIOC) -> None:
    header = Polling(guarded, {"Authorization": "Bearer secret"}).open()
    auth = Polling(guarded).open({"token": "secret"})
    event = Polling(guarded).open()
    event.emit("get", {"pv": types.prefix + "ai"})
    assert event.wait("error")["code"] == "unauthenticated"
    event.emit("authenticate", {"token": "secret"})
    assert event.wait("authenticate")["user"] == "anna"
    for client in (header, auth, event):
        client.emit("get", {"pv": types.prefix + "ai"})
        client.wait("get")


def test_wrong_token_is_refused(guarded: Server) -> None:
    assert Polling(guarded, {"Authorization": "Bearer wrong"}).request("GET", HANDSHAKE)[0] == 401
    client = Polling(guarded).open({"token": "wrong"})
    assert '"code":"unauthenticated"' in client.request("GET", client.path)[1]


def test_anonymous_session_ends_where_an_identity_is_required(guarded: Server) -> None:
    assert Polling(guarded).open().wait("close")["code"] == 4003


# -- what is bounded


def test_sessions_of_an_address_are_counted_from_the_handshake_on(server: Server) -> None:
    clients = [Polling(server, source=ADDRESS).open() for _ in range(5)]
    status, body = Polling(server, source=ADDRESS).request("GET", HANDSHAKE)
    assert (status, json.loads(body)["code"]) == (503, "server_full")
    with pytest.raises(InvalidStatus, match="503"), websocket(server, source_address=(ADDRESS, 0)):
        pass
    assert totals(server)["sessions"] >= 5
    for client in clients:
        client.close()
    with Polling(server, source=ADDRESS):
        pass


def test_handshake_without_connect_does_not_last(server: Server) -> None:
    client = Polling(server)
    client.sid = json.loads(client.request("GET", HANDSHAKE)[1][1:])["sid"]
    while client.request("GET", client.path)[0] == 200:
        pass
    assert client.request("POST", client.path, "40")[0] == 400


def test_too_large_a_message_is_not_read(server: Server, polling: Polling) -> None:
    with pytest.raises((ConnectionError, AssertionError)):
        polling.emit("x" * MESSAGE_BYTES)
    with websocket(server) as socket:
        socket.send("40" + "x" * MESSAGE_BYTES)
        with pytest.raises(ConnectionClosed, match="1009"):
            while True:
                socket.recv(timeout=scaled(ANSWER_SECONDS))


BAD = [
    "42{",
    "42[]",
    "42[5]",
    '42{"a":1}',
    '42["connect",{}]',
    '42["disconnect","x"]',
    '42["*","x"]',
    '42["x",NaN]',
    "42" + "[" * 60_000,
    "4" + "[" * 60_000,
    '451-["x",{"_placeholder":true,"num":0}]',
    '459999999-["x",{"_placeholder":true,"num":0}]',
    "44",
    "49",
    "4x",
]


@pytest.mark.parametrize("packet", BAD, ids=lambda packet: packet[:24])
def test_packet_that_is_none_is_an_error(server: Server, packet: str, polling: Polling) -> None:
    polling.post(packet)
    assert polling.wait("error")["code"] in ("bad_json", "bad_request")
    polling.emit("ping", {"id": 1})
    assert polling.wait("pong") == {"msg_type": "pong", "id": 1}


@pytest.mark.parametrize("packet", ["", "x", "9", "44", b"\0\xff", "bXX", "42" + "\0"], ids=repr)
def test_hostile_packets_over_websocket_harm_nobody(server: Server, packet: str | bytes) -> None:
    with websocket(server) as socket:
        socket.send("40")
        socket.send(packet)
        socket.send(packet)
    with websocket(server) as socket:
        socket.send("40")
        socket.send('42["ping",{"id":1}]')
        while "pong" not in str(socket.recv(timeout=scaled(ANSWER_SECONDS))):
            pass
    wait_for_totals(server, sessions=0, faults=0)


def test_second_connect_is_refused(polling: Polling) -> None:
    polling.post("40")
    while not any(packet.startswith("44") for packet in polling.packets):
        polling.packets += polling.request("GET", polling.path)[1].split(SEPARATOR)
    polling.emit("ping")
    polling.wait("pong")


def test_flood_of_bad_packets_is_disconnected(server: Server) -> None:
    with websocket(server) as socket:
        socket.send("40")
        with pytest.raises(ConnectionClosed, match="4002"):
            while True:
                socket.send("42[5]")
                _drain(socket)


def _drain(socket: ClientConnection) -> None:
    try:
        while True:
            socket.recv(timeout=0)
    except TimeoutError:
        pass


# -- slow readers


def by_websocket(server: Server, raw: RawClient, name: str) -> None:
    """Subscribes, and never reads."""
    head = raw.http(WEBSOCKET, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")  # fmt: skip
    assert head.startswith(b"HTTP/1.1 101 "), head
    raw.send_frame(TEXT, b"40")
    raw.send_frame(TEXT, b'42["connect_pv","%b"]' % name.encode())


def by_polling(server: Server, raw: RawClient, name: str) -> None:
    """Subscribes, polls once, and never reads the answer."""
    client = Polling(server).open()
    client.emit("connect_pv", name)
    client.wait("connection")
    raw.socket.sendall(f"GET {client.path} HTTP/1.1\r\nHost: {raw.host}\r\n\r\n".encode())


@pytest.mark.parametrize("begin", [by_websocket, by_polling])
def test_peer_that_never_reads_is_closed_and_harms_nobody(
    server: Server, types: CIOC, begin: Callable[[Server, RawClient, str], None]
) -> None:
    with closed_as_slow(server, types, partial(begin, server)):
        pass  # it need not be told more


def test_poller_that_comes_again_gets_the_newest(server: Server, types: CIOC, polling: Polling) -> None:
    polling.emit("connect_pv", types.prefix + "fast")
    polling.wait("monitor")
    with server.client() as healthy:
        healthy.send(action="connect", pv=types.prefix + "fast")
        newest = [healthy.wait(msg_type="monitor")["value"] for _ in range(5)][-1]
    while polling.wait("monitor")["value"] < newest:
        pass


# -- its end


def test_shutdown_says_so(types: CIOC) -> None:
    with Server(types.env(), {"socketio-enabled": "true"}) as server, websocket(server) as socket:
        socket.send("40")
        socket.send('42["ping"]')
        while "pong" not in str(socket.recv(timeout=scaled(ANSWER_SECONDS))):
            pass
        assert server.stop() == 0
        heard = []
        with pytest.raises(ConnectionClosed, match="1001"):
            while True:
                heard.append(str(socket.recv(timeout=scaled(ANSWER_SECONDS))))
        assert any(event.startswith('42["close",{"code":1001') for event in heard)


@pytest.mark.parametrize("talks", [False, True], ids=["silent", "talks"])
def test_a_client_that_answers_no_ping_is_told_so(types: CIOC, talks: bool) -> None:
    settings = {"socketio-enabled": "true", "limits-ping-seconds": 1}
    with Server(types.env(), settings) as server, websocket(server) as socket:
        socket.send("40")
        socket.send(f'42["connect_pv","{types.prefix}fast"]')
        with pytest.raises(ConnectionClosed, match="4004"):
            while True:
                if '"monitor"' in str(socket.recv(timeout=scaled(ANSWER_SECONDS))) and talks:
                    socket.send('42["ping"]')
        wait_for_totals(server, closes={"4004": 1}, sessions=0)


def test_a_poller_that_answers_no_ping_is_counted(types: CIOC) -> None:
    settings = {"socketio-enabled": "true", "limits-ping-seconds": 1}
    with Server(types.env(), settings) as server:
        Polling(server).open()
        wait_for_totals(server, closes={"4004": 1}, sessions=0)


def test_it_is_off_unless_asked_for(types: CIOC) -> None:
    with Server(types.env()) as server:
        assert Polling(server).request("GET", HANDSHAKE)[0] == 404
