"""Who may speak to us: the Host and Origin lists. Each refusal names the setting that would allow it."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_AUTHORITY: Final = re.compile(r"(?:\[([^][]+)\]|([^][:@/]+))(?::(\d{1,5}))?", re.ASCII)
"""Host and port of a Host header or an origin, and nothing else."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; frame-ancestors 'self'; base-uri 'self'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer."""
PAGES_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; object-src 'none'; frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
"""The Content-Security-Policy of the operator's own pages: scripts and styles may stand in the page itself."""
HEADERS_UNDER_TLS: Final = {
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Sent with every answer over https; browsers heed them nowhere else."""


class Refused(Exception):
    """Not for this peer: the sentence that the 403 carries."""


class Policy:
    """Which Host and Origin headers are believed. A page's own origin is always allowed."""

    def __init__(self, allowed_hosts: Iterable[str], allowed_origins: Iterable[str]) -> None:
        self._hosts = {"localhost", *(host.lower() for host in allowed_hosts)}
        self._origins = {origin.lower().rstrip("/") for origin in allowed_origins}

    def learn_own_names(self) -> None:
        """Allow the machine's own names; asks the resolver, so not on the event loop."""
        name = socket.gethostname().lower()
        self._hosts |= {name, name.split(".")[0], socket.getfqdn().lower()}

    def check_host(self, host: str) -> None:
        """Refused unless the Host header is an IP literal, localhost, the machine's own name or a listed one.

        A page elsewhere whose name is rebound to our address would otherwise count as our own page.
        """
        name, _ = _split(host)
        if name not in self._hosts and not _is_address(name):
            raise Refused(f"Host {name!r} is not one of this server; server.allowed_hosts would allow it.")

    def check_origin(self, origin: str | None, host: str, port: int, *, secure: bool = False) -> None:
        """Refused if a browser says that a page of another origin asks.

        port: that on which we listen. secure: it asks over TLS, so that a page that came without is foreign.
        """
        if origin is None or self.is_listed(origin) or self.is_own(origin, host, port, secure=secure):
            return
        raise Refused(f"Origin {origin!r} is not that of this server; server.allowed_origins would allow it.")

    def is_own(self, origin: str | None, host: str, port: int, *, secure: bool = False) -> bool:
        """Whether a page of this very server asks; arguments as of check_origin."""
        return (
            origin is not None
            and _same_origin(origin, host, port)
            and (not secure or origin.lower().startswith("https:"))
        )

    def is_listed(self, origin: str | None) -> bool:
        """Whether the origin is foreign and allowed, so that the browser must be told."""
        return origin is not None and origin.lower().rstrip("/") in self._origins


def _split(authority: str) -> tuple[str, int | None]:
    """Name or address, and port if there is one; the name is empty if it is no authority."""
    match = _AUTHORITY.fullmatch(authority.lower())
    return (match[1] or match[2], int(match[3]) if match[3] else None) if match else ("", None)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(origin: str, host: str, port: int) -> bool:
    scheme, _, authority = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme.lower())
    if default is None:
        return False
    ours, theirs = _split(host), _split(authority)
    here, there = ((name, given or default) for name, given in (ours, theirs))
    return bool(there[0]) and (here == there or ({here[0], there[0]} <= LOOPBACK and here[1] == there[1] == port))
