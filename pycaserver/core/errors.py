"""Coded errors and WebSocket close codes: each one table, which the documentation repeats (a test compares).

PycaError        raised anywhere between a request's arrival and its answer; caught in one place, sent as an `error`
"""

from typing import Final, NamedTuple

ERROR_CODES: Final[dict[str, str]] = {
    "bad_json": "The message is not JSON.",
    "bad_request": "A key is missing, unknown or of the wrong type; the message names it.",
    "unknown_action": "There is no such action.",
    "invalid_pv_name": "The name cannot be that of a PV; nothing was searched for.",
    "too_many_subscriptions": "This session has as many subscriptions as it may have.",
    "not_connected": "The PV was there and is now disconnected.",
    "not_found": "No IOC has answered for this PV yet; the search goes on.",
    "read_denied": "The IOC does not let this server read the PV.",
    "write_disabled": "This server writes nothing now: its settings or its audit forbid it; the message says which.",
    "write_denied": "The access rules do not let this session write the PV; the message names the rule.",
    "no_write_access": "The IOC does not let this server write the PV.",
    "bad_value": "The PV cannot take this value; the message says why. Nothing was sent.",
    "put_failed": "The put was not completed; the message has the status of Channel Access.",
    "put_timeout": "The IOC did not answer the put in time: whether the value was written is not known.",
    "get_timeout": "The IOC did not answer the read in time.",
    "forbidden": "The Host or Origin header is not one of this server; the message names the setting that allows it.",
    "server_full": "The server has as many sessions as it may have, or is shutting down.",
    "unauthenticated": "Who asks is not known, and has to be, or what was given to show it is not valid.",
    "rate_limited": "Too many requests at once.",
    "internal": "A fault of the server; its log says more.",
}


class CloseCode(NamedTuple):
    """A WebSocket close code of RFC 6455, or of its private range, and whether a client should come back."""

    code: int
    sentence: str
    reconnect: bool


GOING_AWAY: Final = CloseCode(1001, "The server is shutting down.", True)
PROTOCOL_ERROR: Final = CloseCode(1002, "A frame was not masked, or closed with a reserved code.", False)
INVALID_UTF8: Final = CloseCode(1007, "A text frame was not UTF-8.", False)
TOO_BIG: Final = CloseCode(1009, "A message was larger than limits.message_bytes.", False)
INTERNAL: Final = CloseCode(1011, "A fault of the server; its log says more.", True)
TRY_LATER: Final = CloseCode(1013, "The server has as many sessions as it may have.", True)
TOO_SLOW: Final = CloseCode(4001, "The peer did not read what it was sent.", True)
TOO_MANY_ERRORS: Final = CloseCode(4002, "The peer sent one bad message after another.", False)
CREDENTIALS_EXPIRED: Final = CloseCode(4003, "The session's identity has expired, was withdrawn or never given.", False)
NO_PONG: Final = CloseCode(4004, "The peer did not answer a ping.", True)

CLOSE_CODES: Final = (
    GOING_AWAY,
    PROTOCOL_ERROR,
    INVALID_UTF8,
    TOO_BIG,
    INTERNAL,
    TRY_LATER,
    TOO_SLOW,
    TOO_MANY_ERRORS,
    CREDENTIALS_EXPIRED,
    NO_PONG,
)


class PycaError(Exception):
    """What went wrong with one request: a code of ERROR_CODES, a sentence, and what it was about."""

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        action: str | None = None,
        pvname: str | None = None,
        id: str | int | None = None,
    ) -> None:
        self.code = code
        self.message = message or ERROR_CODES[code]
        self.action = action
        self.pvname = pvname
        self.id = id
        super().__init__(f"{code}: {self.message}")
