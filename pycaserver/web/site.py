"""Site: what every handler works with, handed to them by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.dialect import Dialect
from pycaserver.core.figures import Figures
from pycaserver.core.pool import ChannelPool
from pycaserver.core.services import Limits as SessionLimits
from pycaserver.core.services import Services
from pycaserver.sections import Dialects
from pycaserver.web.hub import Hub, HubLimits
from pycaserver.web.identities import Identities
from pycaserver.web.security import Policy
from pycaserver.web.writers import Writers

if TYPE_CHECKING:
    from pycaserver.core.access import AccessControl
    from pycaserver.core.audit import Audit


class Limits(SessionLimits, HubLimits, Protocol):
    """The settings that bound peers."""

    message_bytes: int
    header_seconds: float


@dataclass
class Site:
    """The parts of the server that handlers need."""

    services: Services
    limits: Limits
    policy: Policy
    identities: Identities
    hub: Hub
    native: Dialect
    pv_names: Sequence[str]
    version: str
    started: float
    """UNIX seconds."""
    dialects: Dialects = field(default_factory=Dialects)
    """The settings of the foreign dialects."""
    port: int = 0
    """On which the server listens, once it does."""
    writers: Writers = field(init=False)
    begun: float = field(init=False)
    """On the monotonic clock."""

    def __post_init__(self) -> None:
        """The server starts now."""
        self.begun = self.clock.monotonic()
        self.writers = Writers(self.services)

    @property
    def pool(self) -> ChannelPool:
        """All open channels."""
        return self.services.pool

    @property
    def clock(self) -> Clock:
        """The event loop's."""
        return self.services.clock

    @property
    def figures(self) -> Figures:
        """The server's own."""
        return self.services.figures

    @property
    def access(self) -> "AccessControl":
        """Who may do what."""
        return self.services.access

    @property
    def audit(self) -> "Audit":
        """Where puts are recorded."""
        return self.services.audit
