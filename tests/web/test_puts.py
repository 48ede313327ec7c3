"""PUT /api/pv/NAME: its body, its statuses, and what a page elsewhere cannot do."""

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.core.requests import MEBIBYTE
from pycaserver.web.puts import _put_of
from tests.conftest import LISTED_ORIGIN
from tests.iocs import CIOC
from tests.servers import Server
from tests.web.http import fetch, segment

JSON = {"Content-Type": "application/json"}


def put(server: Server, name: str, body: Any, headers: dict[str, str] = JSON, method: str = "PUT") -> tuple[int, Any]:
    """Status and answer."""
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc)) as connection:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, f"/api/pv/{segment(name)}", data, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def read(server: Server, name: str) -> Any:
    return fetch(server, f"/api/pv/{segment(name)}").json["value"]


def test_put_writes_and_answers_when_it_is_done(server: Server, types: CIOC) -> None:
    name = f"{types.prefix}ao"
    status, answer = put(server, name, {"value": 2.75})
    assert (status, answer["msg_type"], answer["pvname"], answer["ok"]) == (200, "put", name, True)
    assert read(server, name) == 2.75
    assert put(server, name, {"value": 1.25, "wait": False, "timeout": 2})[1]["sent"] is True


def test_json_that_would_take_long_is_refused() -> None:
    with pytest.raises(PycaError, match="base64"):
        _put_of("PV", b'{"value":[' + b"1," * MEBIBYTE + b"1]}")


def test_elements_in_base64(server: Server, types: CIOC) -> None:
    name = f"{types.prefix}wf_ushort"
    status, _ = put(
        server,
        name,
        {"value_b64": "AQACAAMA", "dtype": "<u2"},
        JSON | {"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert (status, read(server, name)) == (200, [1, 2, 3])


@pytest.mark.parametrize(
    ("pv", "body", "status", "code"),
    [
        ("ao", {}, 400, "bad_request"),
        ("ao", {"value": 1, "pv": "x"}, 400, "bad_request"),
        ("ao", {"value": True}, 400, "bad_request"),
        ("ao", {"value": 1, "wait": 1}, 400, "bad_request"),
        ("ao", [1], 400, "bad_request"),
        ("ao", b"", 400, "bad_request"),
        ("ao", b"{", 400, "bad_request"),
        ("ao", b"\xff", 400, "bad_request"),
        ("ao", b'{"value":' + b"[" * 50_000, 400, "bad_request"),
        ("ao ", {"value": 1}, 400, "invalid_pv_name"),
        ("ao", {"value": "x"}, 422, "bad_value"),
        ("longout", {"value": 1 << 40}, 422, "bad_value"),
        ("readonly", {"value": 1}, 403, "no_write_access"),
        ("ao.PROC", {"value": 1}, 403, "write_denied"),
        ("nowhere", {"value": 1}, 404, "not_found"),
    ],
)
def test_what_is_refused_has_its_status(
    server: Server, types: CIOC, pv: str, body: Any, status: int, code: str
) -> None:
    got, error = put(server, types.prefix + pv, body)
    assert (got, error["code"], error["pvname"]) == (status, code, types.prefix + pv)


@pytest.mark.parametrize(
    ("body", "media_type", "code", "lines"),
    [
        ({"value": 1}, "application/json", "write_disabled", 1),
        (b"{", "application/json", "bad_request", 0),
        ({"value": 1}, "text/plain", "bad_request", 0),
    ],
)
def test_mistakes_without_end_do_not_fill_the_disk(
    types: CIOC, tmp_path: Path, body: Any, media_type: str, code: str, lines: int
) -> None:
    audit = tmp_path / "puts.jsonl"
    with Server(types.env(), {"audit-file": audit, "limits-errors-per-second": 0.01}) as server:
        answers = [put(server, "PV", body, {"Content-Type": media_type}) for _ in range(20)]
        assert [error["code"] for _, error in answers] == [code] + ["rate_limited"] * 19
        assert answers[-1][0] == 429 and "limits.errors_per_second" in answers[-1][1]["message"]
        assert len(audit.read_text().splitlines()) == lines
        assert b"pycaserver_puts_turned_away_total 19.0" in fetch(server, "/metrics").body


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_what_a_form_could_send_is_not_taken(server: Server, types: CIOC, media_type: str) -> None:
    name = f"{types.prefix}longout"
    before = read(server, name)
    headers = {"Content-Type": media_type} if media_type else {}
    status, error = put(server, name, {"value": before + 1}, headers)
    assert (status, error["code"]) == (415, "bad_request")
    assert read(server, name) == before


@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_page_of_a_foreign_origin_may_neither_ask_nor_write(
    server: Server, types: CIOC, method: str, origin: str
) -> None:
    name = f"{types.prefix}longout"
    before = read(server, name)
    status, error = put(server, name, {"value": before + 1}, JSON | {"Origin": origin}, method)
    assert (status, error["code"]) == (403, "forbidden")
    assert read(server, name) == before


def test_page_of_a_listed_origin_may_write(server: Server, types: CIOC) -> None:
    path = f"/api/pv/{types.prefix}ao"
    answer = fetch(server, path, {"Origin": LISTED_ORIGIN, "Access-Control-Request-Method": "PUT"}, "OPTIONS")
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert put(server, f"{types.prefix}ao", {"value": 1.25}, JSON | {"Origin": LISTED_ORIGIN})[0] == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_no_other_method_writes(server: Server, types: CIOC, method: str) -> None:
    assert put(server, f"{types.prefix}ao", {"value": 1}, JSON, method)[0] == 405
