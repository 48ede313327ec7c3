"""HTTP requests to a server, with paths and headers as they are given."""

import json
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from tests.servers import Server
from tests.timing import scaled, wait_for

ANSWER_SECONDS = 15.0


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json"), self
        return json.loads(self.body)


def fetch(
    server: Server,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    source: str = "",
) -> Answer:
    """The answer to one request on a connection of its own, from that address if one is given."""
    netloc, timeout = urlsplit(server.url).netloc, scaled(ANSWER_SECONDS)
    with closing(HTTPConnection(netloc, timeout=timeout, source_address=(source, 0) if source else None)) as connection:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def segment(name: str) -> str:
    """A PV name as one segment of a path."""
    return quote(name, safe="")


def totals(server: Server) -> dict[str, Any]:
    """The figures of /status."""
    figures: dict[str, Any] = fetch(server, "/status?format=json").json
    return figures


def wait_for_totals(server: Server, **wanted: object) -> None:
    """Until /status shows these figures."""

    def reached() -> bool:
        return wanted.items() <= totals(server).items()

    wait_for(reached, ANSWER_SECONDS, f"{wanted} in /status")
