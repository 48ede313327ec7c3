"""The password's hash, and AES-CBC as RTOC uses it: no authentication of messages, no salt, and half of the key known.

It keeps an honest mistake out and no attacker; docs/reference/rtoc.md says so.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from secrets import compare_digest, token_bytes
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from pycaserver.core.errors import PycaError

BLOCK: Final = 16
"""Bytes."""
_TRIPLE: Final = 3
"""Bytes that are four characters of base64; fewer are padded, at the end only."""


class Cipher:
    """That of one password."""

    def __init__(self, password: str) -> None:
        self._hash = b64encode(sha256(password.encode()).digest())
        self._aes = AES(self._hash[:BLOCK])

    def opens(self, given: object) -> bool:
        """Whether that is the hash of the password, 44 characters of base64."""
        return isinstance(given, str) and compare_digest(given.encode(errors="replace"), self._hash)

    def encrypt(self, plain: bytes) -> bytes:
        """The text of a message: base64 of IV and blocks."""
        return b"".join(self.encrypted([plain]))

    def encrypted(self, plain: Iterable[bytes]) -> Iterator[bytes]:
        """The same of one that is in pieces."""
        raw = iv = token_bytes(BLOCK)
        padder = PKCS7(8 * BLOCK).padder()
        encryptor = BlockCipher(self._aes, CBC(iv)).encryptor()
        for piece in plain:
            raw += encryptor.update(padder.update(piece))
            whole = len(raw) - len(raw) % _TRIPLE
            yield b64encode(raw[:whole])
            raw = raw[whole:]
        yield b64encode(raw + encryptor.update(padder.finalize()) + encryptor.finalize())

    def decrypt(self, text: bytes) -> bytes:
        """What encrypt was given; PycaError(bad_json), the same for all that may be wrong."""
        try:
            raw = b64decode(text, validate=True)
            decryptor = BlockCipher(self._aes, CBC(raw[:BLOCK])).decryptor()
            unpadder = PKCS7(8 * BLOCK).unpadder()
            padded = decryptor.update(raw[BLOCK:]) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise PycaError("bad_json", "The message is not encrypted with the password's key.") from None
