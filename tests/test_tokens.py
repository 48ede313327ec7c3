"""tokens.py"""

import hashlib
import tomllib

import pytest

from pycaserver.settings import TABLES
from pycaserver.tokens import PREFIX, new_token, table_of

USERS = ["anna", "Anna Müller", "o'neil", 'quo"te', "back\\slash", "a b@c", "\U0001f642"]


def test_tokens_are_long_enough_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert token.startswith(PREFIX)
        assert len(token) - len(PREFIX) == 43, "256 bits, six to a character"
        assert token.isascii() and " " not in token


@pytest.mark.parametrize("user", USERS)
def test_the_lines_are_those_of_the_settings_file(user: str) -> None:
    (table,) = tomllib.loads(table_of(user, "pyca_secret"))["auth"]["token"]
    assert table == {"user": user, "groups": [], "sha256": hashlib.sha256(b"pyca_secret").hexdigest()}
    assert table.keys() == set(TABLES["auth.token"].__struct_fields__)


def test_the_lines_do_not_hold_the_token() -> None:
    assert "secret" not in table_of("anna", "pyca_secret")


@pytest.mark.parametrize("user", ["", " ", " anna", "anna\n", "a\0b", "\x7f"], ids=ascii)
def test_nobody_is_called_so(user: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a user"):
        table_of(user, "token")
