"""POST /api/login and /api/logout, GET /api/whoami: the cookie of the log-in page, and who has it."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from pycaserver.core.errors import PycaError
from pycaserver.web.handlers import Guarded
from pycaserver.web.logins import COOKIE, Proven

_SHOWN: Final = ("user", "groups", "means", "expires")


class LoginBody(Struct, forbid_unknown_fields=True):
    """What the log-in page sends."""

    token: str


class IdentityHandler(Guarded):
    """What the three have in common."""

    open_to_all = True

    def finish_identity(self, identity: Proven) -> None:
        """Answer with who somebody is."""
        shown: dict[str, Any] = {key: getattr(identity, key) for key in _SHOWN}
        identities = self.site.identities
        self.finish_json(msgspec.json.encode({**shown, "login": identities.has_login, "required": identities.required}))

    def check_own_page(self) -> None:
        """A listed origin may read; to log somebody in or out takes a page of our own."""
        headers, secure = self.request.headers, self.site.identities.proxies.is_secure(self.request)
        if not self.site.policy.is_own(headers.get("Origin"), headers.get("Host", ""), self.site.port, secure=secure):
            raise PycaError("forbidden", "Only a page of this server may do this; programs send the token itself.")

    def end_login(self) -> None:
        """Take back what the cookie stands for, and send its sessions away."""
        if cookie := self.get_cookie(COOKIE):
            self.site.identities.log_out(cookie)


class WhoAmI(IdentityHandler):
    """GET /api/whoami: who the server takes the request to be of."""

    def get(self) -> None:
        """The identity, with an empty user for anonymous, and whether one can be had by a token, and is needed."""
        self.finish_identity(self.identity)


class Login(IdentityHandler):
    """POST /api/login: exchange a token for a cookie; for pages of this server."""

    def post(self) -> None:
        """The identity, and the cookie with it."""
        self.check_own_page()
        identities = self.site.identities
        identity = identities.authenticate(self._token(), self.identity.address, self.counted_address)
        self.end_login()
        secure = identities.proxies.is_secure(self.request)
        self.set_cookie(COOKIE, identities.logins.open(identity), httponly=True, samesite="Strict", secure=secure)
        self.finish_identity(identity)

    def _token(self) -> str:
        if self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
            raise PycaError("bad_request", "The body must be application/json.")
        try:
            return msgspec.json.decode(self.request.body, type=LoginBody).token
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise PycaError("bad_request", 'The body must be {"token": "..."}.') from None


class Logout(IdentityHandler):
    """POST /api/logout: end the log-in of the cookie and the sessions that came with it; for pages of this server."""

    def post(self) -> None:
        """The identity without the cookie."""
        self.check_own_page()
        self.end_login()
        self.clear_cookie(COOKIE)
        self.finish_identity(Proven())
