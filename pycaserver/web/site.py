"""Site: what every handler works with, handed to them by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.figures import Figures
from pycaserver.core.pool import ChannelPool
from pycaserver.core.session import Dialect
from pycaserver.core.session import Limits as SessionLimits
from pycaserver.web.hub import Hub, HubLimits
from pycaserver.web.security import Policy


class Limits(SessionLimits, HubLimits, Protocol):
    """The settings that bound peers."""

    message_bytes: int
    header_seconds: float


@dataclass
class Site:
    """The parts of the server that handlers need."""

    pool: ChannelPool
    clock: Clock
    figures: Figures
    limits: Limits
    policy: Policy
    hub: Hub
    native: Dialect
    pv_names: Sequence[str]
    version: str
    started: float
    """UNIX seconds."""
    port: int = 0
    """On which the server listens, once it does."""
