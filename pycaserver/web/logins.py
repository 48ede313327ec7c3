"""Logins: who is logged in by cookie. The cookie holds an opaque id; who it stands for is kept here."""

import secrets
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from pycaserver.core.clock import Clock
from pycaserver.core.identity import Identity

COOKIE: Final = "pycaserver-login"
LOGIN_SECONDS: Final = 12 * 3600.0
"""A log-in ends after so long, or with the token if that comes first."""
LOGINS: Final = 10_000
"""So many are kept; then the oldest of the user with the most ends."""
LOGINS_PER_USER: Final = 50
"""So many of one user; then the oldest of that user ends."""

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
        self._identities: dict[str, Proven] = {}
        self._of_user: dict[str, list[str]] = {}
        """The keys of each user's, oldest first."""

    def __contains__(self, login: str) -> bool:
        return login in self._identities

    def open(self, identity: Proven) -> str:
        """Log in; the id for the cookie."""
        id, end = secrets.token_urlsafe(32), self._clock.wall() + LOGIN_SECONDS
        expires = end if identity.expires is None else min(end, identity.expires)
        self._make_room(identity.user)
        self._identities[_key(id)] = replace(identity, login=_key(id), expires=expires)
        self._of_user.setdefault(identity.user, []).append(_key(id))
        return id

    def get(self, id: str) -> Proven | None:
        """Who the cookie stands for; None if the log-in has ended."""
        identity = self._identities.get(_key(id))
        if identity is not None and self._is_over(identity):
            self._end(identity.login)
            return None
        return identity

    def close(self, id: str) -> None:
        """Log out; harmless if it has ended."""
        if _key(id) in self._identities:
            self._end(_key(id))

    def _make_room(self, user: str) -> None:
        """For one more of that user: nobody's log-ins end another's while there is anything else to end."""
        if len(self._of_user.get(user, ())) >= LOGINS_PER_USER:
            self._end(self._of_user[user][0])
        if len(self._identities) < LOGINS:
            return
        for identity in [each for each in self._identities.values() if self._is_over(each)]:
            self._end(identity.login)
        if len(self._identities) >= LOGINS:
            self._end(max(self._of_user.values(), key=len)[0])

    def _is_over(self, identity: Proven) -> bool:
        return identity.expires is not None and identity.expires <= self._clock.wall()

    def _end(self, login: str) -> None:
        user = self._identities.pop(login).user
        self._of_user[user].remove(login)
        if not self._of_user[user]:
            del self._of_user[user]


def _key(id: str) -> str:
    return sha256(id.encode()).hexdigest()
