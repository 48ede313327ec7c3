"""Payload: one message, encoded once and encrypted once for all who get it."""

from collections.abc import Iterator
from operator import methodcaller
from typing import Any

from pycaserver.dialects.encoding import Document
from pycaserver.dialects.rtoc.cipher import Cipher


class Payload:
    """Arrays in the body become lists, in which null stands for what is not finite, as msgspec has it."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._document = Document(body, methodcaller("tolist"))
        self._texts: dict[Cipher | None, bytes] = {}

    @property
    def large(self) -> bool:
        """Whether it is better made piece by piece."""
        return self._document.large

    def text(self, cipher: Cipher | None) -> bytes:
        """As it is sent."""
        if cipher not in self._texts:
            self._texts[cipher] = b"".join(self.pieces(cipher))
        return self._texts[cipher]

    def pieces(self, cipher: Cipher | None) -> Iterator[bytes]:
        """The same, piece by piece."""
        plain = self._document.pieces()
        return plain if cipher is None else cipher.encrypted(plain)
