"""ValueEncoder: what a channel's values are made into bytes by; a protocol of its dialect."""

from typing import TYPE_CHECKING, Protocol

from pycaserver.core.piecework import Pieces
from pycaserver.core.values import PVValue

if TYPE_CHECKING:
    from pycaserver.core.channel import Channel
    from pycaserver.core.groups import Update
    from pycaserver.core.outbox import Frame


class ValueEncoder(Protocol):
    """Makes the bytes of values, finished for the wire, in one form."""

    __slots__ = ()

    def __call__(self, channel: "Channel", value: PVValue, coalesced: int) -> "Frame":
        """One value; coalesced: how many older updates it stands for."""

    def prepare(self, channel: "Channel", value: PVValue) -> Pieces | None:
        """Work by which that value is quickly encoded afterwards, until release; None: there is none to be done."""
        return None

    def release(self) -> None:
        """Forget what was prepared."""
        return

    def batch(self, updates: "list[Update]") -> "list[Frame]":
        """Many values, each by the encoder of its own group; all of one dialect, which may know a quicker way."""
        return [group.encode(group.channel, value, coalesced) for group, value, coalesced in updates]
