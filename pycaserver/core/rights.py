"""Rights: what an identity may do with a PV, by the access rules and by the IOC together."""

from typing import Protocol

from pycaserver.core.access import AccessControl, Decision
from pycaserver.core.channel import Channel
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import AccessRights


class Rights:
    """Those of one session or request, under the rules that are in force when it is asked."""

    __slots__ = ("control", "identity")

    def __init__(self, control: AccessControl, identity: Identity) -> None:
        self.control = control
        self.identity = identity

    def decide(self, name: str) -> Decision:
        """What the rules say; PycaError(invalid_pv_name)."""
        return self.control.rules.decide(name, self.identity)

    def check_read(self, name: str) -> None:
        """PycaError(read_denied) that names the rule; PycaError(invalid_pv_name)."""
        if denial := self.denial(name):
            raise denial

    def denial(self, name: str) -> PycaError | None:
        """The same error, not raised; None if the PV may be read."""
        decision = self.decide(name)
        return None if decision.read else PycaError("read_denied", f"{decision.rule}.")

    def on(self, channel: Channel) -> AccessRights:
        """What the rules and the IOC both allow."""
        decision, access = self.decide(channel.name), channel.access
        return AccessRights(decision.read and access.read, decision.write and access.write)


class Gate(Protocol):
    """What decides who the session is."""

    @property
    def locked(self) -> bool:
        """Whether nothing is allowed but to authenticate."""

    def authenticate(self, token: str) -> Identity:
        """Whose token it is; PycaError(unauthenticated, rate_limited)."""
