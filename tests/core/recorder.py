"""A recorder in the place of a subscription, and what a channel's tests begin with."""

from typing import Any

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.values import DbrType, Metadata, PVValue

CONNECTED = ("connected", None)
LOST = ("disconnected", "lost")
READ_DENIED = ("disconnected", "read_denied")
NOT_FOUND = ("disconnected", "not_found")


def units(text: str) -> Metadata:
    return Metadata(DbrType.DOUBLE, 1, units=text)


class OpenOutbox:
    """Takes each frame at once; a frame is (data, merged)."""

    open = True

    def __init__(self, heard: list[Any]) -> None:
        self._heard = heard
        self.framing = self

    def join(self, frames: list[Any]) -> list[Any]:
        return frames

    def put_block(self, frames: list[Any], size: int) -> None:
        self._heard += frames

    def owe(self, subscription: Any) -> None:
        self._heard.append(("owed", subscription.owed))

    def settle(self, subscription: Any) -> None:
        """Nothing is ever owed here."""


class Encoder(ValueEncoder):
    """Counts for its recorder what it has encoded."""

    def __init__(self, recorder: "Recorder") -> None:
        self._recorder = recorder

    def __call__(self, channel: Channel, value: PVValue, coalesced: int) -> Any:
        self._recorder.encoded += 1
        return (value.data, coalesced)


class Recorder:
    """A subscription that writes down what it is told."""

    def __init__(self, channel: Channel, key: str = "kind", *, plain: bool = True) -> None:
        self.plain = plain
        self._heard: list[Any] = []
        self.encoded = 0
        self.owed = 0
        self.outbox = OpenOutbox(self._heard)
        self._channel = channel
        channel.subscribe(self, key, Encoder(self))

    @property
    def heard(self) -> list[Any]:
        """All that it was told, values included that are on their way."""
        self._channel._fanout.flush()
        return self._heard

    def _tell(self, what: Any) -> None:
        self.heard.append(what)

    def connection_changed(self) -> None:
        self._tell((self._channel.contact.state.value, self._channel.contact.reason))

    def introduce(self) -> None:
        assert self._channel.metadata is not None
        self._tell(f"known: {self._channel.metadata.units}")

    def metadata_changed(self) -> None:
        assert self._channel.metadata is not None
        self._tell(f"changed: {self._channel.metadata.units}")

    def rights_changed(self) -> None:
        self._tell(self._channel.access)

    def settle(self) -> None:
        """Nothing is ever owed here."""

    def count_owed(self, merged: int) -> None:
        self.owed += 1 + merged

    def owe(self, value: PVValue, merged: int) -> None:
        self._tell(("owed", value.data, merged))
