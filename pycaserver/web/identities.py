"""Identities: who a request or a session is, by token, JSON Web Token, cookie, or the word of a trusted proxy."""

import logging
from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Protocol

from msgspec.structs import replace
from tornado.httputil import HTTPServerRequest

from pycaserver.core.clock import Clock
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.web.attempts import Attempts
from pycaserver.web.jwts import ExpiredError, JwtSettings, JwtVerifier
from pycaserver.web.logins import COOKIE, Logins, Proven, check_user
from pycaserver.web.proxies import Proxies

log = logging.getLogger(__name__)

IN_URLS: Final = frozenset({"access_token", "authorization", "bearer", "id_token", "jwt", "token"})
"""Keys of a query under which tokens are sent by mistake."""
MAX_TOKEN_CHARACTERS: Final = 16384


class TokenSettings(Protocol):
    """The settings of one [[auth.token]]."""

    @property
    def user(self) -> str:
        """Whose it is."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Those that the user is in."""

    @property
    def sha256(self) -> str:
        """Hash of the token, 64 lower-case hex digits."""


class AuthSettings(Protocol):
    """The settings of [auth]."""

    required: bool
    login_timeout: float
    user_header: str

    @property
    def token(self) -> Sequence[TokenSettings]:
        """Bearer tokens."""

    @property
    def jwt(self) -> JwtSettings:
        """The identity provider."""


class Identities:
    """Believes what is proven, anonymous otherwise; what is presented and wrong is refused, never ignored."""

    def __init__(self, settings: AuthSettings, trusted_proxies: Sequence[str], clock: Clock) -> None:
        """OSError if the JWKS file cannot be used; ValueError if a proxy is no network."""
        self.logins = Logins(clock)
        self._trusted_proxies = trusted_proxies
        self._attempts = Attempts(clock)
        self._clock = clock
        self.on_withdrawal: Callable[[], object] = lambda: None
        """Called when identities may stand no longer."""
        self.replace(settings)

    def replace(self, settings: AuthSettings) -> None:
        """Other settings from now on; if they cannot be used the old ones stay, and it raises as the constructor."""
        proxies = Proxies(self._trusted_proxies, settings.user_header)
        jwts = JwtVerifier(settings.jwt, self._clock) if settings.jwt.jwks_file else None
        self.proxies, self._jwts, self._settings = proxies, jwts, settings
        self._proofs = {"", *map(_proof_of, settings.token), _provider(settings), settings.user_header}
        self.on_withdrawal()

    def log_out(self, id: str) -> None:
        """End the log-in of that cookie, and what has come with it."""
        self.logins.close(id)
        self.on_withdrawal()

    @property
    def required(self) -> bool:
        """Whether there is nothing for the anonymous."""
        return self._settings.required

    @property
    def login_timeout(self) -> float:
        """Seconds that an anonymous session may live where an identity is required."""
        return self._settings.login_timeout

    @property
    def has_login(self) -> bool:
        """Whether there is a token that could be given on the log-in page."""
        return bool(self._settings.token or self._jwts)

    def of_request(self, request: HTTPServerRequest) -> Proven:
        """Who asks. A proxy's word comes first, then the Authorization header, then the cookie.

        PycaError(unauthenticated, rate_limited) if a token is presented and wrong; a cookie of old is no identity.
        """
        address = self.proxies.address_of(request)
        if identity := self._of_proxy(request):
            return replace(identity, address=address)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.authenticate(token.strip(), address, address or request.remote_ip or "")
        cookie = request.cookies.get(COOKIE)
        identity = self.logins.get(cookie.value) if cookie else None
        return replace(identity, address=address) if identity and self.stands(identity) else Proven(address=address)

    def authenticate(self, token: str, address: str, counted: str) -> Proven:
        """Whose token it is; counted: the address for which failures are. PycaError(unauthenticated, rate_limited)."""
        digest = sha256(token.encode(errors="replace")).hexdigest()
        self._attempts.check(counted, digest)
        try:
            identity = self._of_token(digest) or self._of_jwt(token)
        except ValueError as error:
            if not isinstance(error, ExpiredError):
                self._attempts.failed(counted, digest)
            log.warning("a log-in from %s failed: %s", counted or "an unknown address", error)
            raise PycaError("unauthenticated", str(error)) from None
        self._attempts.succeeded(counted, digest)
        return replace(identity, address=address)

    def stands(self, identity: Identity) -> bool:
        """Whether it is still believed: not withdrawn by a reload or a log-out, and not expired."""
        return (
            isinstance(identity, Proven)
            and identity.proof in self._proofs
            and (not identity.login or identity.login in self.logins)
            and (identity.expires is None or identity.expires > self._clock.wall())
        )

    def _of_proxy(self, request: HTTPServerRequest) -> Proven | None:
        try:
            user = self.proxies.user_of(request)
            return Proven(check_user(user), means="proxy", proof=self.proxies.user_header) if user else None
        except ValueError as error:
            raise PycaError("unauthenticated", str(error)) from None

    def _of_token(self, digest: str) -> Proven | None:
        """All are compared, so that the time tells nothing."""
        found = None
        for token in self._settings.token:
            if compare_digest(token.sha256, digest):
                found = token
        if found is None:
            return None
        return Proven(found.user, found.groups, means="token", proof=_proof_of(found))

    def _of_jwt(self, token: str) -> Proven:
        if self._jwts is None or token.count(".") != 2 or len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError("The token is not known.")
        user, groups, expires = self._jwts.subject(token)
        return Proven(user, groups, expires=expires, means="jwt", proof=_provider(self._settings))


def _proof_of(token: TokenSettings) -> str:
    """Changes if the token is another's, or of other groups."""
    return "\n".join((token.sha256, token.user, *token.groups))


def _provider(settings: AuthSettings) -> str:
    jwt = settings.jwt
    parts = (jwt.issuer, jwt.audience, jwt.jwks_file, jwt.user_claim, jwt.groups_claim)
    return "\n".join(parts) if jwt.jwks_file else ""
