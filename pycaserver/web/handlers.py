"""What all HTTP handlers have in common: the Host and Origin check, the security headers, errors as JSON."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from pycaserver.core.errors import PycaError
from pycaserver.core.messages import Error
from pycaserver.web import security
from pycaserver.web.site import Site

STATUS_OF: Final = {
    "bad_request": HTTPStatus.BAD_REQUEST,
    "invalid_pv_name": HTTPStatus.BAD_REQUEST,
    "forbidden": HTTPStatus.FORBIDDEN,
    "read_denied": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "too_many_subscriptions": HTTPStatus.TOO_MANY_REQUESTS,
    "not_connected": HTTPStatus.BAD_GATEWAY,
    "server_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "get_timeout": HTTPStatus.GATEWAY_TIMEOUT,
}
"""HTTP status of the error codes that an HTTP request can meet; internal for the others."""


class Guarded(RequestHandler):
    """Checks Host and Origin before anything else; every answer carries the security headers."""

    site: Site

    def initialize(self, site: Site) -> None:
        """Tornado hands the site over."""
        self.site = site

    def set_default_headers(self) -> None:
        """Also on errors."""
        for name, value in security.HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def prepare(self) -> None:
        """403 for a Host or Origin that is not listed, 400 for a path with a NUL."""
        if "\0" in unquote(self.request.path):
            raise HTTPError(HTTPStatus.BAD_REQUEST, reason="The path has a NUL.")
        origin = self.request.headers.get("Origin")
        host = self.request.headers.get("Host", "")
        try:
            self.site.policy.check_host(host)
            self.site.policy.check_origin(origin, host, self.site.port)
        except security.Refused as refused:
            raise PycaError("forbidden", str(refused)) from None
        self._allow_origin()

    def finish_json(self, body: bytes, status: int = HTTPStatus.OK) -> None:
        """Answer with JSON that must not be cached."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(body)

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """A coded error is an answer, not a fault."""
        if not isinstance(error, PycaError):
            super().log_exception(kind, error, trace)

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
        self.finish_json(msgspec.json.encode(Error.of(error)), status)

    def _allow_origin(self) -> None:
        """Tell the browser that a page of a listed origin may read the answer."""
        origin = self.request.headers.get("Origin")
        if self.site.policy.is_listed(origin):
            self.set_header("Access-Control-Allow-Origin", origin or "")
            self.set_header("Vary", "Origin")


class NotFound(Guarded):
    """Any path that is not served."""

    def get(self) -> None:
        """404."""
        raise HTTPError(HTTPStatus.NOT_FOUND)


class GuardedStatic(Guarded, StaticFileHandler):
    """The files of static/; checked again on every use, so that a new release shows at once."""

    def initialize(self, site: Site, path: str, default_filename: str | None = None) -> None:  # type: ignore[override]
        """Tornado hands over the site and the folder."""
        Guarded.initialize(self, site)
        StaticFileHandler.initialize(self, path, default_filename)

    def set_extra_headers(self, path: str) -> None:
        """May be kept, must be asked about."""
        self.set_header("Cache-Control", "no-cache")
