"""What a URL of the API may carry after its question mark: options of connect, and the time-out of a read."""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from pycaserver.core.errors import PycaError
from pycaserver.core.requests import OptionKeys
from pycaserver.core.terms import Seconds
from pycaserver.web.handlers import Guarded


class Query(OptionKeys, kw_only=True):
    """The options that a URL may carry; those of connect, and the time-out of a read in seconds."""

    timeout: Seconds | None = None
    """Seconds that a read may take."""


STREAM_KEYS: Final = tuple(key for key in OptionKeys.__struct_encode_fields__ if key != "id")
"""An event stream is a subscription."""
READ_KEYS: Final = ("encoding", "first", "max_count", "reduce", "as", "nanos", "timeout")
"""A read has a form, but no rate."""


def query_of(handler: Guarded, keys: Collection[str], but: Collection[str] = ()) -> Query:
    """The options of the URL; PycaError(bad_request) names one that is wrong.

    keys: the options that make sense here; but: keys that are there and no options.
    """
    present = set(handler.request.query_arguments)
    if unknown := sorted(present - {*keys, *but}):
        raise PycaError("bad_request", f"There is no option `{unknown[0]}` here.")
    given: dict[str, Any] = {key: handler.get_query_argument(key) for key in present.intersection(keys)}
    if "reduce" in given:  # a number of points: there is no nesting in a query
        given["reduce"] = {"points": given["reduce"]}
    try:
        query = msgspec.convert(given, Query, strict=False)
    except msgspec.ValidationError as error:
        raise PycaError("bad_request", f"{error}.".replace("`$.", "`")) from None
    if query.encoding == "binary":
        raise PycaError("bad_request", "`encoding` binary needs a WebSocket; base64 is possible here.")
    return query
