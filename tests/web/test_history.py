"""history.py: GET /api/pv/NAME/history, of a real server."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.servers import Server


@pytest.fixture(scope="module")
def server() -> Any:
    with Server({"EPICS_CA_ADDR_LIST": "", "EPICS_CA_AUTO_ADDR_LIST": "NO"}, {"history-keep": "sim://ramp"}) as server:
        yield server


def ask(server: Server, query: str = "", name: str = "sim://ramp") -> dict[str, Any]:
    """The message of the answer, an error too."""
    try:
        with urlopen(f"{server.url}api/pv/{quote(name, safe='')}/history{query}") as answer:
            return dict(json.load(answer))
    except HTTPError as error:
        with error:
            return {"status": error.code, **json.load(error)}


def test_it_is_the_history_message(server: Server) -> None:
    answer = ask(server)
    assert answer.keys() == {"msg_type", "pvname", "time", "value", "severity"}
    assert answer["pvname"] == "sim://ramp"
    assert len(answer["time"]) == len(answer["value"]) == len(answer["severity"])


def test_a_pv_that_is_not_in_use_has_none(server: Server) -> None:
    assert ask(server, "?seconds=60&points=100", "NOT:IN:USE")["value"] == []


@pytest.mark.parametrize(
    ("query", "name", "status", "code"),
    [
        ("?since=1&seconds=1", "A", 400, "bad_request"),
        ("?seconds=x", "A", 400, "bad_request"),
        ("?points=0", "A", 400, "bad_request"),
        ("?other=1", "A", 400, "bad_request"),
        ("", "A\0B", 400, "bad_request"),
        ("", " A", 400, "invalid_pv_name"),
    ],
)
def test_what_cannot_be_asked(server: Server, query: str, name: str, status: int, code: str) -> None:
    answer = ask(server, query, name)
    assert (answer["status"], answer["code"]) == (status, code)


def test_no_right_to_read_no_history() -> None:
    with Server({"EPICS_CA_ADDR_LIST": ""}, {"access-default": "none"}) as server:
        answer = ask(server)
        assert (answer["status"], answer["code"]) == (403, "read_denied")
