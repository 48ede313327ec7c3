"""pycaserver watch: a camonitor through a server, for operators. Comes back when the server does."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError, websocket_connect

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
MAX_MESSAGE: Final = 1 << 30


async def watch(
    url: str, pvs: Sequence[str], show: Callable[[str], object], cafile: str | None = None, token: str | None = None
) -> None:
    """Show a line for each message about the PVs, until cancelled.

    cafile: the certificates to trust under https, those of the system if None. token: says who watches. ValueError for
    a bad URL or file, or a server's refusal.
    """
    address, pause = monitor_url(url), FIRST_PAUSE
    trusted = _trusted(cafile)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    logging.getLogger("tornado").addHandler(logging.NullHandler())  # what goes wrong is shown by ourselves
    while True:
        try:
            connection = await _open(HTTPRequest(address, headers=headers, ssl_options=trusted))
        except OSError as error:
            end = f"{address} does not answer ({error})"
        else:
            if await _watch_once(connection, pvs, show):
                pause = FIRST_PAUSE
            end = f"the server has closed the connection ({connection.close_reason or connection.close_code})"
        show(f"*** {end}; trying again in {pause:g} s")
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _trusted(cafile: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except ssl.SSLError:
        raise ValueError(f"{cafile}: has no certificates") from None
    except OSError as error:
        raise ValueError(f"{cafile}: {error.strerror}") from None


async def _open(request: HTTPRequest) -> WebSocketClientConnection:
    """OSError if there is no server for the moment, ValueError if it does not want us or is not to be trusted."""
    address = request.url
    try:
        return await websocket_connect(request, max_message_size=MAX_MESSAGE)
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate is not to be trusted: {error.verify_message}"
        raise ValueError(f"{address}: {why} (--cafile names those to trust)") from None
    except HTTPClientError as error:
        if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise OSError(str(error)) from None
        raise ValueError(f"{address} refuses: {error}") from None
    except WebSocketError as error:
        raise ValueError(f"{address} is not a WebSocket: {error}") from None


async def _watch_once(connection: WebSocketClientConnection, pvs: Sequence[str], show: Callable[[str], object]) -> bool:
    """Until the connection ends; whether any message came."""
    heard = False
    with suppress(WebSocketClosedError):
        await connection.write_message(msgspec.json.encode({"action": "connect", "pv": list(pvs)}).decode())
        while (text := await connection.read_message()) is not None:
            heard = True
            if line := line_of(msgspec.json.decode(text)):
                show(line)
    return heard


def monitor_url(url: str) -> str:
    """The WebSocket address of a server's page; ValueError if it is no URL of a web server."""
    parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url!r} is not the address of a server")
    path = parts.path if parts.path.endswith("/monitor") else urljoin(parts.path.rstrip("/") + "/", "monitor")
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def line_of(message: dict[str, Any]) -> str:
    """One message as camonitor would print it; empty for those that say nothing to a person."""
    make = _LINES.get(message["msg_type"])
    return make(message) if make else ""


def _monitor_line(message: dict[str, Any]) -> str:
    stamp = datetime.fromtimestamp(message["timestamp"]).strftime("%Y-%m-%d %H:%M:%S.%f")
    alarm = "" if message["severity"] == "NO_ALARM" else f"{message['status']} {message['severity']}"
    value = message["value"]
    if isinstance(value, list):
        value = f"{message['count']} " + " ".join(map(str, value))
    parts = (message["pvname"], stamp, str(message.get("text", value)), message.get("units", ""), alarm)
    return "  ".join(part for part in parts if part)


def _connection_line(message: dict[str, Any]) -> str:
    return "" if message["conn"] else f"{message['pvname']}  *** disconnected ({message['reason']})"


def _error_line(message: dict[str, Any]) -> str:
    return f"{message.get('pvname', '')}  *** {message['code']}: {message['message']}".strip()


_LINES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "monitor": _monitor_line,
    "connection": _connection_line,
    "error": _error_line,
}
