"""The password's hash and the encryption."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.dialects.rtoc.cipher import Cipher

HASH = "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg="
"""Of "password", as any program that knows SHA-256 and base64 makes it."""


def test_the_hash_is_of_sha256_in_base64() -> None:
    cipher = Cipher("password")
    assert cipher.opens(HASH)
    assert not any(cipher.opens(wrong) for wrong in (HASH[:-1], "", True, None, 5, [HASH], "\udc80"))


@given(st.binary(max_size=100))
def test_what_is_encrypted_can_be_decrypted(plain: bytes) -> None:
    cipher = Cipher("päss")
    assert cipher.decrypt(cipher.encrypt(plain)) == plain


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_what_is_encrypted_in_pieces_is_one_message(pieces: list[bytes]) -> None:
    cipher = Cipher("password")
    assert cipher.decrypt(b"".join(cipher.encrypted(pieces))) == b"".join(pieces)


def test_no_two_messages_look_alike() -> None:
    cipher = Cipher("password")
    assert cipher.encrypt(b"{}") != cipher.encrypt(b"{}")


def test_another_password_does_not_decrypt_to_the_message() -> None:
    for _ in range(100):
        text = Cipher("one").encrypt(b'{"a": 1}')
        try:
            assert Cipher("other").decrypt(text) != b'{"a": 1}'
        except PycaError as error:
            assert error.code == "bad_json"


@given(st.binary(max_size=100))
def test_what_is_no_message_is_a_coded_error(text: bytes) -> None:
    with pytest.raises(PycaError, match="bad_json"):
        Cipher("password").decrypt(text)
