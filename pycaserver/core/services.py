"""Services: what sessions and HTTP requests work with, made once by the composition root."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures
from pycaserver.core.pool import ChannelPool

if TYPE_CHECKING:
    from pycaserver.core.access import AccessControl
    from pycaserver.core.audit import Audit


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
