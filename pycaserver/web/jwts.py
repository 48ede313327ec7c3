"""JSON Web Tokens of an identity provider (RFC 7519), verified by PyJWT with the keys of a JWKS file (RFC 7517)."""

import logging
import os
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import jwt
from jwt import PyJWK, PyJWKSet

from pycaserver.core.clock import Clock
from pycaserver.web.logins import check_user

log = logging.getLogger("pycaserver.identities")

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Asymmetric ones only: with a secret shared by both ends, whoever can read the keys could make tokens."""
LEEWAY: Final = 30.0
"""Seconds by which the provider's clock may be ahead of ours."""
RETRY_SECONDS: Final = 10.0
"""The file is not read again sooner for a key that it does not have."""


class JwtSettings(Protocol):
    """The settings of [auth.jwt]."""

    issuer: str
    audience: str
    jwks_file: str
    user_claim: str
    groups_claim: str


class ExpiredError(ValueError):
    """The token is genuine and too old: its bearer is late, and not guessing."""


class Subject(NamedTuple):
    """Who a token is about."""

    user: str
    groups: tuple[str, ...]
    expires: float
    """UNIX seconds."""


class JwtVerifier:
    """Tells who a token is about, or why it is refused. Keys are rotated by replacing the file."""

    def __init__(self, settings: JwtSettings, clock: Clock) -> None:
        """OSError if the file cannot be read or has no usable key."""
        self._settings = settings
        self._clock = clock
        self._file = Path(settings.jwks_file)
        self._stamp = _stamp(self._file)
        self._keys = _read(self._file)
        self._read_at = clock.monotonic()

    def subject(self, token: str) -> Subject:
        """Of a token that is verified; ValueError says in a sentence what is wrong, without quoting the token."""
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims = self._decode(token, key)
            expires = float(claims["exp"])
        except jwt.ExpiredSignatureError:
            raise ExpiredError("The token has expired.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(_WHY.get(type(error), "The token is not a valid one.")) from None
        if not expires > self._clock.wall():
            raise ExpiredError("The token has expired.")
        user, groups = claims.get(self._settings.user_claim), claims.get(self._settings.groups_claim)
        return Subject(_user(user), _groups(groups), expires)

    def _decode(self, token: str, key: PyJWK) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],  # the key's own: the token does not choose
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
        return claims

    def _key(self, kid: object) -> PyJWK:
        """The key of that id; of a file with one key that one, if the token names none."""
        self._refresh(kid)
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if not isinstance(kid, str) or kid not in self._keys:
            raise jwt.InvalidTokenError
        return self._keys[kid]

    def _refresh(self, kid: object) -> None:
        """Read the file again if it has changed, or may have without showing it; a bad file leaves the keys as is."""
        stamp, now = _stamp(self._file), self._clock.monotonic()
        unknown = kid is not None and kid not in self._keys
        if stamp == self._stamp and not (unknown and now - self._read_at > RETRY_SECONDS):
            return
        self._stamp, self._read_at = stamp, now
        try:
            self._keys = _read(self._file)
        except OSError as error:
            log.error("the JWKS file cannot be used, so the keys stay as they were: %s", error)


def _user(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError("The token lacks the claim that auth.jwt.user_claim names.")
    return check_user(name)


def _groups(groups: object) -> tuple[str, ...]:
    """Those that are names; a claim of another form is no group."""
    return tuple(group for group in groups if isinstance(group, str)) if isinstance(groups, list) else ()


def _stamp(file: Path) -> tuple[int, int, int]:
    """What changes when the file does; zeros if it is not there."""
    try:
        status = os.stat(file)
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(file: Path) -> dict[str, PyJWK]:
    """Key id to key, of those that can verify with one of ALGORITHMS; OSError if there are none."""
    try:
        keys = PyJWKSet.from_json(file.read_text(encoding="utf-8")).keys
    except (jwt.PyJWTError, AttributeError, ValueError, RecursionError):
        raise OSError(f"{file} is not a JWKS with a usable key") from None
    usable = {key.key_id or "": key for key in keys if key.algorithm_name in ALGORITHMS and key.public_key_use != "enc"}
    if not usable:
        raise OSError(f"{file} has no key for one of {', '.join(sorted(ALGORITHMS))}")
    return usable


_WHY: Final[dict[type[Exception], str]] = {
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuedAtError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is of another issuer than auth.jwt.issuer.",
    jwt.InvalidAudienceError: "The token is for another audience than auth.jwt.audience.",
    jwt.MissingRequiredClaimError: "The token lacks one of the claims exp, iss and aud.",
}
"""Other reasons are not told apart: a token that is not signed as it should be is none."""
