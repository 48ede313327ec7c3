"""PUT /api/pv/NAME: one put over HTTP."""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import msgspec

from pycaserver.core.errors import PycaError
from pycaserver.core.messages import PutAnswer
from pycaserver.core.requests import Put, check_text
from pycaserver.dialects.native import complete
from pycaserver.web.rest import ReadPV

BODY_KEYS: Final = ("value", "value_b64", "dtype", "wait", "timeout")
"""What the body may hold, of the keys of put."""
MEDIA_TYPE: Final = "application/json"
_CORS: Final = {
    "Access-Control-Allow-Methods": "GET, PUT",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}


class PV(ReadPV):
    """GET and PUT /api/pv/NAME."""

    async def put(self, name: str) -> None:
        """The put message once the value is written and all processing completed, or an error with its status."""
        writer = self.site.writers.of(self.identity, self.counted_address)
        writer.check()
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            writer.count_error()
            # No form of a page elsewhere can send this type without asking first.
            error = PycaError("bad_request", f"The Content-Type must be {MEDIA_TYPE}.", pvname=name)
            self.finish_error(error, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            return
        try:
            request = _put_of(name, self.request.body)
        except PycaError:
            writer.count_error()
            raise
        result: asyncio.Future[PutAnswer | PycaError] = asyncio.get_running_loop().create_future()
        writer.begin(request, self.identity, result.set_result)
        answer = await result
        if isinstance(answer, PycaError):
            answer.pvname = name
            raise answer
        self.finish_json(msgspec.json.encode(answer))

    def options(self, name: str) -> None:
        """What a browser asks before a page of another origin may write: prepare has refused those not listed."""
        self.set_status(HTTPStatus.NO_CONTENT)
        for header, value in _CORS.items():
            self.set_header(header, value)


def _put_of(name: str, body: bytes) -> Put:
    """The request; PycaError(bad_request) names the key that is wrong."""
    check_text(body)
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
        if unknown := sorted(given.keys() - set(BODY_KEYS)):
            raise PycaError("bad_request", f"There is no key `{unknown[0]}` here.", pvname=name)
        return complete(msgspec.convert(given | {"pv": name}, Put))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PycaError("bad_request", f"{error}.".replace("`$.", "`"), pvname=name) from None
