"""Logins: who is logged in by cookie. The cookie holds an opaque id; who it stands for is kept here."""

import secrets
from collections import OrderedDict
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from pycaserver.core.clock import Clock
from pycaserver.core.identity import Identity

COOKIE: Final = "pycaserver-login"
LOGIN_SECONDS: Final = 12 * 3600.0
"""A log-in ends after so long, or with the token if that comes first."""
LOGINS: Final = 10_000
"""So many are kept; then the oldest ends."""

MAX_USER_CHARACTERS: Final = 256


class Proven(Identity, frozen=True):
    """An identity with what it rests on, so that it can be taken back."""

    proof: str = ""
    """Of Identities: the token's hash, the provider, the header; empty for anonymous."""
    login: str = ""
    """The key among Logins, if it came by cookie."""


def check_user(name: str) -> str:
    """The name itself; ValueError if it is not fit for a log: empty, long, or with characters that do not print."""
    if not name or len(name) > MAX_USER_CHARACTERS or not name.isprintable():
        raise ValueError(f"A user's name has 1 to {MAX_USER_CHARACTERS} printable characters.")
    return name


class Logins:
    """Identities by the hash of the id that the cookie holds; they are lost on a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._identities: OrderedDict[str, Proven] = OrderedDict()

    def __contains__(self, login: str) -> bool:
        return login in self._identities

    def open(self, identity: Proven) -> str:
        """Log in; the id for the cookie."""
        id, end = secrets.token_urlsafe(32), self._clock.wall() + LOGIN_SECONDS
        expires = end if identity.expires is None else min(end, identity.expires)
        self._identities[_key(id)] = replace(identity, login=_key(id), expires=expires)
        if len(self._identities) > LOGINS:
            self._identities.popitem(last=False)
        return id

    def get(self, id: str) -> Proven | None:
        """Who the cookie stands for; None if the log-in has ended."""
        identity = self._identities.get(_key(id))
        if identity is not None and identity.expires is not None and identity.expires <= self._clock.wall():
            del self._identities[_key(id)]
            return None
        return identity

    def close(self, id: str) -> None:
        """Log out; harmless if it has ended."""
        self._identities.pop(_key(id), None)


def _key(id: str) -> str:
    return sha256(id.encode()).hexdigest()
