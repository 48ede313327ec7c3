"""Services: what sessions and HTTP requests work with, made once by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures
from pycaserver.core.pool import ChannelPool

if TYPE_CHECKING:
    from pycaserver.core.access import AccessControl
    from pycaserver.core.audit import Audit
    from pycaserver.core.events import Events
    from pycaserver.core.history import Histories
    from pycaserver.core.identity import Identity
    from pycaserver.core.puts import PendingPut


class Limits(Protocol):
    """The settings that bound a session."""

    subscriptions_per_session: int
    requests_per_second: float
    errors_per_second: float
    backlog_bytes: int


@dataclass(frozen=True)
class Services:
    """One of each, shared by all."""

    pool: ChannelPool
    clock: Clock
    figures: Figures
    limits: Limits
    access: "AccessControl"
    audit: "Audit"
    stands: "Callable[[Identity], bool]" = lambda identity: True
    """Whether an identity is still believed."""
    unrecorded: "dict[int, PendingPut]" = field(default_factory=dict)
    """The puts that the audit has no entry of yet, by number."""

    @property
    def history(self) -> "Histories":
        """Of all open channels."""
        return self.pool.histories

    @property
    def events(self) -> "Events":
        """The newest of all open channels."""
        return self.pool.events
