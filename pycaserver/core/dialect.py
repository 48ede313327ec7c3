"""Dialect: what is said on the wire."""

from typing import Protocol

from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.messages import Message
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.outbox import Framing
from pycaserver.core.requests import Request
from pycaserver.core.terms import Id


class Dialect(Protocol):
    """Pure translation between a peer's bytes and the core's vocabulary."""

    name: str

    def decode(self, data: bytes) -> Request:
        """One message from the peer; PycaError if it is none."""

    def encode(self, message: Message) -> bytes:
        """One message to the peer, not yet framed."""

    def value_encoder(self, options: SubscriptionOptions, framing: Framing) -> ValueEncoder:
        """What makes finished monitor messages in this form."""

    def answer_encoder(self, options: SubscriptionOptions, id: Id | None, framing: Framing) -> ValueEncoder:
        """What makes a finished answer to get."""
