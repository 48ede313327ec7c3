"""PreparingEncoder: what makes a large array text before it is asked for the message."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import partial

from pycaserver.core.channel import Channel
from pycaserver.core.encoder import ValueEncoder
from pycaserver.core.piecework import gathered
from pycaserver.core.values import PVValue


class PreparingEncoder(ValueEncoder):
    """Keeps the text of one large array, if it has seen one: most never do."""

    __slots__ = ("_prepared",)

    def __init__(self) -> None:
        self._prepared: tuple[PVValue, list[bytes]] | None = None

    @abstractmethod
    def pieces(self, channel: Channel, value: PVValue) -> Iterator[bytes] | None:
        """The elements, or all of the message, as text in pieces; None if the message is quickly made without."""

    def prepared(self, value: PVValue) -> list[bytes] | None:
        """The pieces, if they are there."""
        return self._prepared[1] if self._prepared is not None and self._prepared[0] is value else None

    def prepare(self, channel: Channel, value: PVValue) -> Iterator[None] | None:
        """Make the pieces, in as many steps, unless they are there or not needed."""
        if self.prepared(value) is not None:
            return None
        self.release()
        pieces = self.pieces(channel, value)
        return None if pieces is None else gathered(pieces, partial(self._keep, value))

    def release(self) -> None:
        """Give the memory back."""
        self._prepared = None

    def _keep(self, value: PVValue, pieces: list[bytes]) -> None:
        self._prepared = value, pieces
