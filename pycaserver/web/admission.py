"""Admission: what lets one session stay. An identity until it expires or is withdrawn; without one, a while."""

from pycaserver.core.clock import Clock
from pycaserver.web.identities import Identities
from pycaserver.web.logins import Proven


class Admission:
    """One session's; the hub asks once a second whether it is over, and the handler at every message."""

    __slots__ = ("_clock", "_counted", "_identities", "_since", "identity")

    def __init__(self, identities: Identities, identity: Proven, counted: str, clock: Clock) -> None:
        """counted: the address for which failed attempts count."""
        self.identity = identity
        self._identities = identities
        self._counted = counted
        self._clock = clock
        self._since = clock.monotonic()

    @property
    def locked(self) -> bool:
        """Whether the session may do nothing but show who it is."""
        return self._identities.required and self.identity.means == "anonymous"

    @property
    def is_over(self) -> bool:
        """Whether the session must go, with close code 4003."""
        if self.locked:
            return self._clock.monotonic() - self._since >= self._identities.login_timeout
        return not self._identities.stands(self.identity)

    def authenticate(self, token: str) -> Proven:
        """Who the session is from now on; PycaError(unauthenticated, rate_limited) leaves it as it is."""
        self.identity = self._identities.authenticate(token, self.identity.address, self._counted)
        return self.identity
