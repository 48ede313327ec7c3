"""Dialect: what is said on the wire."""

from typing import Protocol

from pycaserver.core.channel import Channel, ValueEncoder
from pycaserver.core.messages import Message
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Frame, Framing
from pycaserver.core.requests import Request
from pycaserver.core.terms import Id
from pycaserver.core.values import PVValue


class Dialect(Protocol):
    """Pure translation between a peer's bytes and the core's vocabulary."""

    name: str

    def decode(self, data: bytes) -> Request:
        """One message from the peer; PycaError if it is none."""

    def encode(self, message: Message) -> bytes:
        """One message to the peer, not yet framed."""

    def value_encoder(self, options: SubscriptionOptions, framing: Framing) -> ValueEncoder:
        """What makes finished monitor messages in this form."""

    def answer(
        self, channel: Channel, value: PVValue, options: SubscriptionOptions, id: Id | None, framing: Framing
    ) -> Frame:
        """A finished answer to get."""
