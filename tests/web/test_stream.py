"""Server-sent events: the messages of a session, by HTTP."""

import json
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from tests.conftest import OFFERED_ONLY
from tests.iocs import CIOC
from tests.servers import Server
from tests.timing import scaled
from tests.web.http import fetch, segment, wait_for_totals

ANSWER_SECONDS = 10.0


class EventStream:
    """GET /api/pv/NAME/stream, as EventSource reads it."""

    def __init__(self, server: Server, name: str, query: str = "") -> None:
        self._connection = HTTPConnection(urlsplit(server.url).netloc, timeout=scaled(ANSWER_SECONDS))
        self._connection.request("GET", f"/api/pv/{segment(name)}/stream{query}")
        self.response = self._connection.getresponse()

    def block(self) -> list[str]:
        """The lines up to the next empty one; nothing at the end of the stream."""
        lines = []
        while line := self.response.readline().decode().rstrip("\n"):
            lines.append(line)
        return lines

    def message(self) -> Any:
        """The next event's data; comments are passed over."""
        while (lines := self.block()) and lines[0].startswith(":"):
            pass
        (line,) = lines
        field, _, data = line.partition(": ")
        assert field == "data"
        return json.loads(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.response.close()
        self._connection.close()


def test_events_are_the_messages_of_a_session(server: Server, types: CIOC) -> None:
    name = f"{types.prefix}fast"
    with EventStream(server, name) as stream:
        assert stream.response.status == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert stream.block() == [":"], "something at once, so that the peer knows that it is connected"
        assert stream.message() == {"msg_type": "connection", "pvname": name, "conn": True}
        values = [stream.message()["value"] for _ in range(4)]
        assert values == [values[0] + index for index in range(4)]


def test_pv_that_is_not_there_is_told(server: Server, types: CIOC) -> None:
    with EventStream(server, f"{types.prefix}nowhere/at%all") as stream:
        message = stream.message()
    assert message == {"msg_type": "connection", "pvname": f"{types.prefix}nowhere/at%all", "conn": False,
                       "reason": "not_found"}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"value": [-1.5, 0.0, 0.1, 1e300], "count": 4}),
        ("?max_count=2", {"value": [-1.5, 0.0], "count": 2}),
        ("?first=3", {"value": [1e300], "count": 1, "first": 3}),
        ("?reduce=1", {"value": [-1.5, 1e300], "count": 4, "reduced": 1}),
        ("?encoding=base64&max_count=1", {"value_b64": "AAAAAAAA+L8=", "dtype": "<f8"}),
    ],
)
def test_options_are_taken_from_the_query(server: Server, types: CIOC, query: str, expected: dict[str, Any]) -> None:
    with EventStream(server, f"{types.prefix}wf_double", query) as stream:
        assert stream.message()["msg_type"] == "connection"
        message = stream.message()
    assert expected.items() <= message.items()


def test_more_options(server: Server, types: CIOC) -> None:
    with EventStream(server, f"{types.prefix}mbbi", "?metadata=true&nanos=1&as=string&deadband=null") as stream:
        messages = [stream.message() for _ in range(4)]
    assert [message["msg_type"] for message in messages] == ["connection", "metadata", "access", "monitor"]
    assert messages[3]["value"] == "Fault"
    assert {"seconds", "nanos"} <= messages[3].keys()


BAD_QUERIES = {
    "nonsense=1": "nonsense",
    "max_rate=fast": "max_rate",
    "max_rate=0": "max_rate",
    "metadata=perhaps": "metadata",
    "first=-1": "first",
    "max_count=1.5": "max_count",
    "reduce=0": "reduce",
    "reduce=many": "reduce",
    "as=number": "as",
    "encoding=xml": "encoding",
    "encoding=binary": "encoding",
    "batch=true": "batch",
    "pv=other": "pv",
}


@pytest.mark.parametrize("path", ["/api/pv/X/stream", "/api/pv/X"])
@pytest.mark.parametrize(("query", "key"), BAD_QUERIES.items())
def test_bad_option_is_named(server: Server, path: str, query: str, key: str) -> None:
    answer = fetch(server, f"{path}?{query}")
    assert answer.status == 400
    assert answer.json["code"] == "bad_request"
    assert key in answer.json["message"]


def test_invalid_name_is_refused(server: Server) -> None:
    answer = fetch(server, f"/api/pv/{segment(' spaces ')}/stream")
    assert (answer.status, answer.json["code"]) == (400, "invalid_pv_name")


def test_going_away_frees_session_and_channel(server: Server, types: CIOC) -> None:
    wait_for_totals(server, sessions=0, channels=OFFERED_ONLY)
    with EventStream(server, f"{types.prefix}slow") as stream:
        stream.message()
        wait_for_totals(server, sessions=1, channels={**OFFERED_ONLY, "connected": OFFERED_ONLY["connected"] + 1})
    wait_for_totals(server, sessions=0, channels=OFFERED_ONLY)


def test_quiet_stream_is_kept_alive_and_not_closed(impatient: Server, types: CIOC) -> None:
    with EventStream(impatient, f"{types.prefix}ai") as stream:
        assert [message["msg_type"] for message in (stream.message(), stream.message())] == ["connection", "monitor"]
        assert [stream.block() for _ in range(2)] == [[":"]] * 2


def test_full_server_says_so(types: CIOC) -> None:
    with Server(types.env(), {"limits-sessions": 1}) as server:
        with EventStream(server, f"{types.prefix}ai") as stream:
            stream.message()
            answer = fetch(server, f"/api/pv/{types.prefix}ai/stream")
            assert (answer.status, answer.json["code"]) == (503, "server_full")
        wait_for_totals(server, sessions=0)


def test_stream_ends_with_the_server(types: CIOC) -> None:
    with Server(types.env()) as server, EventStream(server, f"{types.prefix}ai") as stream:
        assert stream.message()["conn"]
        assert stream.message()["msg_type"] == "monitor"
        assert server.stop() == 0
        assert stream.block() == []
