"""What all HTTP handlers have in common: Host and Origin check, identity, security headers, errors as JSON."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, Final, cast
from urllib.parse import unquote

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Error
from pycaserver.web import security
from pycaserver.web.identities import IN_URLS
from pycaserver.web.logins import Proven
from pycaserver.web.site import Site
from pycaserver.web.tcp import reset

log = logging.getLogger("pycaserver.http")

STATUS_OF: Final = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "invalid_pv_name": HTTPStatus.BAD_REQUEST,
    "unauthenticated": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "read_denied": HTTPStatus.FORBIDDEN,
    "write_disabled": HTTPStatus.FORBIDDEN,
    "write_denied": HTTPStatus.FORBIDDEN,
    "no_write_access": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_subscriptions": HTTPStatus.TOO_MANY_REQUESTS,
    "bad_value": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not_connected": HTTPStatus.BAD_GATEWAY,
    "put_failed": HTTPStatus.BAD_GATEWAY,
    "server_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "get_timeout": HTTPStatus.GATEWAY_TIMEOUT,
    "put_timeout": HTTPStatus.GATEWAY_TIMEOUT,
}
"""HTTP status of the error codes that an HTTP request can meet; internal for the others."""


SLOWEST: Final = 65536
"""Bytes of an answer that a peer has to take per second, beside limits.slow_after_seconds."""
LONG_BYTES: Final = 1 << 20
"""Of an answer in parts; a shorter one is joined."""


class Guarded(RequestHandler):
    """Checks Host and Origin before anything else, then who asks; every answer carries the security headers."""

    site: Site
    open_to_all = False
    """Whether it answers the anonymous even where an identity is required."""
    identity = Proven()
    """Who asks; known from prepare on."""

    def initialize(self, site: Site) -> None:
        """Tornado hands the site over."""
        self.site = site

    def set_default_headers(self) -> None:
        """Also on errors."""
        secure = self.request.protocol == "https"
        for name, value in (security.HEADERS | (security.HEADERS_UNDER_TLS if secure else {})).items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        """403 for a Host or Origin that is not listed, 400 for a path with a NUL or a token in the URL, 401, 429."""
        if "\0" in unquote(self.request.path):
            raise HTTPError(HTTPStatus.BAD_REQUEST, reason="The path has a NUL.")
        origin = self.request.headers.get("Origin")
        host = self.request.headers.get("Host", "")
        try:
            self.site.policy.check_host(host)
            secure = self.site.identities.proxies.is_secure(self.request)
            self.site.policy.check_origin(origin, host, self.site.port, secure=secure)
        except security.Refused as refused:
            raise PycaError("forbidden", str(refused)) from None
        self._allow_origin()
        self._check_cookies()
        self._check_query()
        self.identity = self.site.identities.of_request(self.request)
        preflight = self.request.method == "OPTIONS"  # a browser asks it without credentials
        open_to_all = self.open_to_all or preflight or not self.site.identities.required
        if self.identity.means == "anonymous" and not open_to_all:
            raise PycaError("unauthenticated", "auth.required is true: an identity is needed.")

    def flush(self, include_footers: bool = False) -> "asyncio.Future[None]":
        """Send what has been written; a peer that does not take it is not waited for without end."""
        size = sum(map(len, self._write_buffer))
        sent = super().flush(include_footers)
        stream = cast(HTTP1Connection, self.request.connection).stream
        if not sent.done():
            patience = self.site.limits.slow_after_seconds + size / SLOWEST
            timer = self.site.clock.call_later(patience, reset, stream)
            sent.add_done_callback(lambda _: timer.cancel())
        return sent

    @property
    def counted_address(self) -> str:
        """The address for which limits count: the peer's, or, if that is not known, the connection's."""
        return self.identity.address or self.request.remote_ip or ""

    def finish_json(self, body: bytes, status: int = HTTPStatus.OK) -> None:
        """Answer with JSON that must not be cached."""
        self._begin_json(status)
        self.finish(body)

    async def finish_parts(self, parts: Sequence[bytes | memoryview]) -> None:
        """The same with a body in parts, which are given to the stream one by one if they are large."""
        size = sum(map(len, parts))
        if size <= LONG_BYTES:
            self.finish_json(b"".join(parts))
            return
        self._begin_json(HTTPStatus.OK)
        self.set_header("Content-Length", str(size))
        with suppress(StreamClosedError):
            for part in parts:
                self.write(bytes(part))
                await self.flush()
            self.finish()

    def _begin_json(self, status: int) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """A coded error is an answer, not a fault."""
        if isinstance(error, HTTPError):
            super().log_exception(kind, error, trace)
        elif not isinstance(error, PycaError):  # Tornado would log the whole request, with its query
            log.error("uncaught exception: %s", self._request_summary(), exc_info=(kind, error, trace))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Any exception as an error message without a trace: coded errors with their status, others with Tornado's."""
        self._allow_origin()
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, PycaError):
            self.finish_error(error, STATUS_OF.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR))
        else:
            code = "internal" if status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
            self.finish_error(PycaError(code, f"{status_code} {self._reason}"), status_code)

    def finish_error(self, error: PycaError, status: int) -> None:
        """Answer with an error message."""
        self.site.figures.errors[error.code] += 1
        if status == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        self.finish_json(msgspec.json.encode(Error.of(error)), status)

    def _request_summary(self) -> str:
        """For Tornado's log lines: without the query, in which somebody may have put a token."""
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def _check_cookies(self) -> None:
        """A browser sends cookies for whatever page asks, and names the page in Origin if that could do harm."""
        headers = self.request.headers
        harmless = self.request.method in ("GET", "HEAD", "OPTIONS") and "Upgrade" not in headers
        if "Cookie" in headers and "Origin" not in headers and not harmless:
            raise PycaError("forbidden", "A request with a cookie needs an Origin header here.")

    def _check_query(self) -> None:
        """URLs end up in logs and histories."""
        if found := IN_URLS.intersection(map(str.lower, self.request.query_arguments)):
            instead = "send the token in the Authorization header, or to /monitor with the action authenticate"
            raise PycaError("bad_request", f"`{min(found)}` does not belong in a URL: {instead}.")

    def _allow_origin(self) -> None:
        """Tell the browser that a page of a listed origin may read the answer."""
        origin = self.request.headers.get("Origin")
        if self.site.policy.is_listed(origin):
            self.set_header("Access-Control-Allow-Origin", origin or "")
            self.set_header("Vary", "Origin")


class NotFound(Guarded):
    """Any path that is not served."""

    open_to_all = True

    def get(self) -> None:
        """404."""
        raise HTTPError(HTTPStatus.NOT_FOUND)


_SCRIPTS: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".ts": "application/typescript"}
"""Types of files by their endings, where a machine's own table may have other ideas; a browser runs no other module."""


class GuardedStatic(Guarded, StaticFileHandler):
    """The files of static/; checked again on every use, so that a new release shows at once."""

    open_to_all = True
    absolute_path: str | None = None
    """Of the file; none if the answer is not a file."""

    def initialize(self, site: Site, path: str, default_filename: str | None = None) -> None:  # type: ignore[override]
        """Tornado hands over the site and the folder."""
        Guarded.initialize(self, site)
        StaticFileHandler.initialize(self, path, default_filename)

    def set_extra_headers(self, path: str) -> None:
        """May be kept, must be asked about; pages of listed origins may use it, modules and style sheets alike."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Origin")
        if self.site.policy.is_listed(self.request.headers.get("Origin")):
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")

    def get_content_type(self) -> str:
        """By the file's ending."""
        return _SCRIPTS.get(PurePath(self.absolute_path or "").suffix) or super().get_content_type()

    def compute_etag(self) -> str | None:
        """By time and size: Tornado's own would be that of the file when it was first asked for."""
        return self.absolute_path and f'"{self._stat().st_mtime_ns:x}-{self.get_content_size():x}"'


class Icon(GuardedStatic):
    """GET /favicon.ico: what browsers ask for when a page names no icon."""

    def parse_url_path(self, url_path: str) -> str:
        """Ours."""
        return "favicon.svg"
