"""Identities: who a session or a request is, and sets of them, as the settings describe them."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal, TypeAlias

from msgspec import Struct

ANYONE: Final = "anyone"
KINDS: Final = ("user", "group", "address")
"""What may stand before the colon of a word that describes identities."""

Network: TypeAlias = IPv4Network | IPv6Network
Means: TypeAlias = Literal["anonymous", "token", "jwt", "proxy"]


class Identity(Struct, frozen=True):
    """Who a session or a request is."""

    user: str = ""
    """Empty for anonymous."""
    groups: tuple[str, ...] = ()
    address: str = ""
    """IP address of the peer; empty if it cannot be trusted: then no address rule matches."""
    expires: float | None = None
    """UNIX seconds."""
    means: Means = "anonymous"
    """How it was shown."""


class Who:
    """A set of identities: "anyone", "user:NAME", "group:NAME", "address:10.1.2.0/24", or several of those."""

    def __init__(self, words: Iterable[str]) -> None:
        """ValueError, with a sentence, for a word that means nothing."""
        self.words = frozenset(words)
        self.networks = tuple(network for word in sorted(self.words) if (network := _network(word)))

    def includes(self, identity: Identity) -> bool:
        """Whether it is one of them. An address that cannot be trusted is in no network."""
        if ANYONE in self.words:
            return True
        names = {f"group:{group}" for group in identity.groups} | {f"user:{identity.user}"}
        return not names.isdisjoint(self.words) or self._has_address(identity.address)

    def covers(self, other: "Who") -> bool:
        """Whether surely everyone of the other is also in this one."""
        if ANYONE in self.words:
            return True
        names = {word for word in other.words if not word.startswith("address:")}
        return names <= self.words and all(any(_within(it, ours) for ours in self.networks) for it in other.networks)

    def _has_address(self, text: str) -> bool:
        if not self.networks:
            return False
        try:
            address = plain_address(text)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 address that a socket for both kinds shows as ::ffff:10.1.2.3 as itself. ValueError."""
    address = ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _network(word: str) -> Network | None:
    if word == ANYONE:
        return None
    kind, colon, name = word.partition(":")
    if kind not in KINDS or not colon:
        raise ValueError(f'{word!r} is none of "anyone", "user:NAME", "group:NAME", "address:ADDRESS or NETWORK"')
    if not name or name != name.strip():
        raise ValueError(f"{word!r} names no {kind}")
    return ip_network(name) if kind == "address" else None


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
