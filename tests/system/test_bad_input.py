"""What may be wrong with a message: a coded error for each, the session goes on, and so do the others."""

import pytest

from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import totals
from tests.web.raw import BINARY, TEXT, RawClient

DEEP = 60_000

MISTAKES = {
    "nested too deep, as a request": (b'{"action":' * DEEP, "bad_json"),
    "nested too deep, within an id": (b'{"action": "ping", "id": ' + b"[" * DEEP + b"]" * DEEP + b"}", "bad_json"),
    "nested too deep, within options": (b'{"action": "connect", "pv": "X", "reduce": ' + b'{"a":' * DEEP, "bad_json"),
    "nested too deep, as an array": (b"[" * DEEP + b"]" * DEEP, "bad_request"),
    "not a number": (b'{"action": "connect", "pv": "X", "deadband": NaN}', "bad_json"),
    "infinity": (b'{"action": "connect", "pv": "X", "max_rate": Infinity}', "bad_json"),
    "beyond a double": (b'{"action": "connect", "pv": "X", "max_rate": 1e999}', "bad_request"),
    "integer of 5000 digits, as an id": (b'{"action": "ping", "id": ' + b"9" * 5000 + b"}", "bad_request"),
    "integer of 5000 digits, as an option": (
        b'{"action": "options", "max_count": ' + b"9" * 5000 + b"}",
        "bad_request",
    ),
    "lone surrogate in an id": (b'{"action": "ping", "id": "\\ud800"}', "bad_json"),
    "lone surrogate in a name": (b'{"action": "connect", "pv": "X\\udfff"}', "bad_json"),
    "lone surrogate in an action": (b'{"action": "\\ud83d"}', "bad_json"),
    "surrogates in the wrong order": (b'{"action": "ping", "id": "\\udc00\\ud800"}', "bad_json"),
    "put nested too deep": (b'{"action": "put", "pv": "X", "value": ' + b"[" * DEEP, "bad_json"),
    "put of an integer of 5000 digits": (b'{"action": "put", "pv": "X", "value": ' + b"9" * 5000 + b"}", "bad_request"),
    "put of no number": (b'{"action": "put", "pv": "X", "value": NaN}', "bad_json"),
    "put of an object": (b'{"action": "put", "pv": "X", "value": {}}', "bad_request"),
    "put of nothing": (b'{"action": "put", "pv": "X"}', "bad_request"),
    "put of a lone surrogate": (b'{"action": "put", "pv": "X", "value": "\\ud800"}', "bad_json"),
    "put of damaged base64": (b'{"action": "put", "pv": "X", "value_b64": "A", "dtype": "<f8"}', "bad_request"),
    "put of objects": (b'{"action": "put", "pv": "X", "value_b64": "AAAA", "dtype": "O"}', "bad_request"),
    "token that is no text": (b'{"action": "authenticate", "token": 5}', "bad_request"),
    "wrong type of a name": (b'{"action": "connect", "pv": {"name": "X"}}', "bad_request"),
    "wrong type of an option": (b'{"action": "connect", "pv": "X", "metadata": "yes"}', "bad_request"),
    "wrong type of an action": (b'{"action": ["ping"]}', "bad_request"),
    "unknown key": (b'{"action": "ping", "colour": "red"}', "bad_request"),
    "unknown action": (b'{"action": "pingpong"}', "unknown_action"),
    "no action": (b'{"pv": "X"}', "bad_request"),
    "array of requests": (b'[{"action": "ping"}]', "bad_request"),
    "empty array": (b"[]", "bad_request"),
    "half a message": (b'{"action": "ping"', "bad_json"),
    "two messages": (b'{"action": "ping"}{"action": "ping"}', "bad_json"),
    "name with a NUL": (b'{"action": "connect", "pv": "X\\u0000.allowed"}', "invalid_pv_name"),
    "bare name with a NUL": (b"X\0.allowed", "invalid_pv_name"),
    "name that is too long": (b'{"action": "connect", "pv": "' + b"X" * 1001 + b'"}', "invalid_pv_name"),
}


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text frame", "binary frame"])
@pytest.mark.parametrize("case", MISTAKES)
def test_mistake_is_answered_and_the_session_kept(server: Server, types: CIOC, case: str, opcode: int) -> None:
    data, code = MISTAKES[case]
    with server.client() as neighbour, RawClient(server.url).open() as raw:
        neighbour.send(action="connect", pv=f"{types.prefix}fast")
        raw.send_frame(opcode, data)
        error = raw.frame().json()
        assert (error["msg_type"], error["code"]) == ("error", code)
        assert error["message"]
        raw.send(action="ping", id="still here")
        assert raw.frame().json() == {"msg_type": "pong", "id": "still here"}
        neighbour.wait(msg_type="monitor")
    assert totals(server)["faults"] == 0


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text frame", "binary frame"])
def test_of_duplicate_keys_the_last_counts(server: Server, opcode: int) -> None:
    with RawClient(server.url).open() as raw:
        raw.send_frame(opcode, b'{"action": "ping", "id": 1, "id": 2}')
        assert raw.frame().json() == {"msg_type": "pong", "id": 2}
