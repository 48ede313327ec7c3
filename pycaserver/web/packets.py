"""Packet: one of Socket.IO's, as python-socketio decodes it; strict and bounded."""

from typing import Any, Final

import msgspec
import socketio

from pycaserver.core.requests import MEBIBYTE, MOST_COMMAS
from pycaserver.dialects.commands import RESERVED

BAD: Final = "\0"
"""The event that a packet becomes which is none."""
_EVENT: Final = 2
_RESERVED: Final = RESERVED | {"", "*"}
"""Names for which the library has its own handlers; no peer may call those."""


class Json:
    """Strict, and never anything but a ValueError."""

    @staticmethod
    def loads(text: str) -> Any:
        """Decode."""
        if len(text) > MEBIBYTE and text.count(",") > MOST_COMMAS:
            raise ValueError("too many elements")
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise ValueError(str(error)) from None

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Encode."""
        return msgspec.json.encode(value).decode()


class Packet(socketio.packet.Packet):  # type: ignore[misc]
    """What is no packet that we take becomes an event without a name, which the session refuses and counts."""

    uses_binary_events = False
    json = Json
    packet_type: int

    def decode(self, encoded_packet: Any) -> int:
        """Without attachments: their number would not be bounded."""
        try:
            attachments = super().decode(encoded_packet)
            if attachments or (self.packet_type == _EVENT and not self._is_event):
                raise ValueError
            if self.packet_type not in (0, 1, _EVENT, 3):
                raise ValueError
        except (ValueError, TypeError, LookupError, AttributeError):
            raw = encoded_packet if isinstance(encoded_packet, str) else ""
            self.packet_type, self.namespace, self.id, self.data = _EVENT, None, None, [BAD, raw[:200]]
        return 0

    @property
    def _is_event(self) -> bool:
        data = self.data
        return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in _RESERVED
