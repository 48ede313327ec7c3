"""Bearer tokens: made here, kept as hashes in the settings file."""

import json
import secrets
from hashlib import sha256
from typing import Final

PREFIX: Final = "pyca_"
"""By which a token that has leaked can be found."""
BYTES: Final = 32


def new_token() -> str:
    """256 random bits, fit for a header and a message."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def table_of(user: str, token: str) -> str:
    """The lines of the settings file for that token; ValueError if nobody can be called so."""
    if not user.isprintable() or user != user.strip() or not user:
        raise ValueError(f"{user!r} cannot be the name of a user")
    lines = ("[[auth.token]]", f"user = {json.dumps(user, ensure_ascii=False)}", "groups = []")
    return "\n".join([*lines, f'sha256 = "{sha256(token.encode()).hexdigest()}"'])
