"""Source: what makes channels live, and what is asked of it; Channel Access, above all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pycaserver.core.errors import PycaError
from pycaserver.core.values import Array, PVValue

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel


class PutEvents(Protocol):
    """Who is told how a put fares, on the loop."""

    def refusal(self) -> PycaError | None:
        """Asked right before a put is sent that may have waited: why it may not be after all."""

    def sent(self) -> None:
        """It is on its way."""

    def done(self, old: PVValue | None, error: PycaError | None) -> None:
        """Its outcome, once; without wait: the IOC has read it. old: the value before, None if unknown."""


class SourceChannel(Protocol):
    """The source's end of a channel."""

    def monitor(self) -> None:
        """Start the value monitor, now or as soon as the PV connects; idempotent."""

    def get(self, done: Callable[[PVValue | PycaError], None]) -> Callable[[], None]:
        """Read once from the IOC and call done on the loop; returns what forgets the read."""

    def put(self, elements: Array, events: PutEvents, *, wait: bool) -> Callable[[], bool]:
        """Write after all puts before it, elements of the PV's own type; returns what takes an unsent put back.

        wait: until the IOC has completed all processing. events may be told before this returns.
        """

    def close(self) -> None:
        """End it; the channel hears nothing more."""


class Source(Protocol):
    """Where channels come from."""

    def open(self, name: str, channel: "Channel") -> SourceChannel:
        """Search for the PV and keep the channel informed, from the next turn of the loop on.

        PycaError(invalid_pv_name, too_many_subscriptions): there is no such PV, or no room for it.
        """
