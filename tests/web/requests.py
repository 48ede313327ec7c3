"""Requests as Tornado hands them over, without a connection."""

from collections.abc import Mapping

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

_START = RequestStartLine("GET", "/", "HTTP/1.1")


def request(peer: str, headers: Mapping[str, str] | None = None, protocol: str = "http") -> HTTPServerRequest:
    """A request whose connection is from that address."""
    asked = HTTPServerRequest(start_line=_START, headers=HTTPHeaders({"Host": "localhost", **(headers or {})}))
    asked.remote_ip, asked.protocol = peer, protocol
    return asked
