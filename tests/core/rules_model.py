"""The access rules as a user reads them: a simple model, written without the code that it is compared with."""

from collections.abc import Sequence

from pycaserver.core.access import Rule
from pycaserver.core.identity import Identity


def glob(pattern: str, text: str) -> bool:
    """Whether a glob of literal characters, "*" and "?" matches the whole text."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[skipped:]) for skipped in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


def is_one_of(words: Sequence[str], identity: Identity) -> bool:
    """Whether one of the words means that identity; of networks the model knows 10.N.0.0/16."""
    own = {"anyone", f"user:{identity.user}", *(f"group:{group}" for group in identity.groups)}
    if identity.address:
        first, second, *_ = identity.address.split(".")
        own |= {f"address:{first}.{second}.0.0/16", f"address:{identity.address}"}
    return any(word in own for word in words)


def is_about(pattern: str, record: str, field: str) -> bool:
    """Whether a glob without brackets matches the record, or record and field each by itself."""
    of_record, dot, of_field = pattern.partition(".")
    return glob(of_record, record) and (not dot or glob(of_field, field))


def names(pattern: str, record: str, field: str) -> bool:
    """Whether it is about the field and has at least one of its letters."""
    of_field = pattern.partition(".")[2]
    return is_about(pattern, record, field) and any(letter not in "*?" for letter in of_field)


def right(default: str, rules: Sequence[Rule], record: str, field: str, identity: Identity) -> tuple[str, bool]:
    """What the first rule that is about PV and identity allows, and whether it is about the field expressly."""
    for rule in rules:
        if is_about(rule.pv, record, field) and is_one_of(rule.who, identity):
            return rule.allow, field == "VAL" or names(rule.pv, record, field)
    return default, field == "VAL"


def decide(
    writes: bool, default: str, rules: Sequence[Rule], record: str, field: str, identity: Identity
) -> tuple[bool, bool]:
    """May read, may write."""
    allow, names_field = right(default, rules, record, field, identity)
    return allow != "none", writes and allow == "write" and names_field
