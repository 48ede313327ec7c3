"""Proxies: what a reverse proxy says of the peer behind it, believed from trusted ones only."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final, TypeAlias

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from pycaserver.core.identity import plain_address

Address: TypeAlias = IPv4Address | IPv6Address

_FORWARDING: Final = ("Forwarded", "Via", "X-Real-Ip")
_FORWARDING_PREFIX: Final = "X-Forwarded-"
"""By these a request has come through a proxy, so that the connection's own address is not the peer's."""


class Proxies:
    """Where requests come from, and who a trusted proxy says that they are of."""

    def __init__(self, trusted: Iterable[str], user_header: str = "") -> None:
        """trusted: addresses or networks; user_header: empty if no proxy knows users. ValueError for no network."""
        self.user_header = user_header
        self._forwarding = (*_FORWARDING, user_header) if user_header else _FORWARDING
        self._trusted = [ip_network(network) for network in trusted]

    def is_trusted(self, address: str) -> bool:
        """Whether that is a proxy whose word counts."""
        return self._trusts(parsed(address))

    def address_of(self, request: HTTPServerRequest) -> str:
        """The peer's address as rules may take it; empty if all that is known is that of some proxy."""
        peer = parsed(request.remote_ip or "")
        if not self._trusts(peer):
            return "" if self._is_forwarded(request.headers) else str(peer or "")
        hops = (parsed(hop) for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")))
        return str(next((hop for hop in hops if not self._trusts(hop)), None) or "")

    def is_direct(self, request: HTTPServerRequest) -> bool:
        """Whether the connection is the peer's own, as far as can be told: no proxy is between."""
        return not self._trusts(parsed(request.remote_ip or "")) and not self._is_forwarded(request.headers)

    def user_of(self, request: HTTPServerRequest) -> str | None:
        """The user that a trusted proxy names; None if none does. ValueError if it names several."""
        if not self.user_header or not self._trusts(parsed(request.remote_ip or "")):
            return None
        users = request.headers.get_list(self.user_header)
        if len(users) > 1:  # a proxy that adds its header to the peer's own instead of replacing it
            raise ValueError(f"The header {self.user_header} came more than once.")
        return users[0] if users and users[0] else None

    def is_secure(self, request: HTTPServerRequest) -> bool:
        """Whether the peer speaks TLS, with us or with a trusted proxy."""
        forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"
        return request.protocol == "https" or (forwarded and self._trusts(parsed(request.remote_ip or "")))

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def _is_forwarded(self, headers: HTTPHeaders) -> bool:
        return any(name in headers for name in self._forwarding) or any(
            name.startswith(_FORWARDING_PREFIX) for name in headers
        )


def parsed(text: str) -> Address | None:
    """The address, or None if it is none."""
    try:
        return plain_address(text.strip())
    except ValueError:
        return None


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 a /64, since one host has a whole one to choose from."""
    ip = parsed(address)
    return f"{int(ip) >> 64:x}::/64" if ip is not None and ip.version == 6 else address
