"""GET /api/openapi.json and /api/asyncapi.json: the documents that describe what is served, built once."""

from collections.abc import Callable
from functools import cache

import msgspec

from pycaserver.web.asyncapi import asyncapi
from pycaserver.web.handlers import Guarded
from pycaserver.web.openapi import openapi
from pycaserver.web.schemas import Document

__all__ = ["AsyncApi", "OpenApi", "asyncapi", "openapi"]


class OpenApi(Guarded):
    """GET /api/openapi.json: the HTTP side."""

    open_to_all = True

    def get(self) -> None:
        """JSON; the same as long as the server runs."""
        self.finish_json(_encoded(openapi, self.site.version))


class AsyncApi(Guarded):
    """GET /api/asyncapi.json: the WebSocket side."""

    open_to_all = True

    def get(self) -> None:
        """JSON; the same as long as the server runs."""
        self.finish_json(_encoded(asyncapi, self.site.version))


@cache
def _encoded(document: Callable[[str], Document], version: str) -> bytes:
    return msgspec.json.encode(document(version))
