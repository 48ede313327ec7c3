"""dialects/rtoc/payload.py"""

import json

import numpy as np
import pytest

from pycaserver.core.values import LARGE
from pycaserver.dialects.rtoc.cipher import Cipher
from pycaserver.dialects.rtoc.payload import Payload

CIPHER = Cipher("password")


def test_arrays_are_lists_with_null_for_what_is_not_finite() -> None:
    payload = Payload({"y": np.array([1.5, np.nan, np.inf]), "latest": float("nan")})
    assert payload.text(None) == b'{"y":[1.5,null,null],"latest":null}'
    assert not payload.large


@pytest.mark.parametrize("cipher", [None, CIPHER])
def test_it_is_made_once_for_all(cipher: Cipher | None) -> None:
    payload = Payload({"x": [1]})
    assert payload.text(cipher) is payload.text(cipher)


def test_all_of_it_is_encrypted_in_pieces_too() -> None:
    payload = Payload({"y": np.arange(LARGE), "unit": "V"})
    assert payload.large
    pieces = list(payload.pieces(CIPHER))
    assert len(pieces) > LARGE // 8192
    assert json.loads(CIPHER.decrypt(b"".join(pieces))) == {"y": list(range(LARGE)), "unit": "V"}
