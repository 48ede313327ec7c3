"""Patterns of PV names, as access rules have them: globs, or regular expressions after "re:"; case counts."""

import re
from collections.abc import Iterator
from fnmatch import translate
from typing import Final

from pycaserver.core.names import split_pv_name

REGULAR: Final = "re:"
ALL: Final = ("*", "re:.*")
_WILDCARDS: Final = re.compile(r"[*?\[]")
_NEVER: Final = re.compile(r"[^\x20-\x7e]|^ | $|\$")
"""What is in no record name and no field name."""
_UPPER: Final = "QZXJ"
"""A field that no record type has is made of these."""


class Pattern:
    """Which PVs a rule is about: those whose record's name matches, or whose "record.FIELD" does."""

    def __init__(self, text: str) -> None:
        """ValueError, with a sentence, if it can match nothing."""
        self.text = text
        self._is_glob = not text.startswith(REGULAR)
        if self._is_glob:
            _check_glob(text)
        try:
            self._matches = re.compile(translate(text) if self._is_glob else text.removeprefix(REGULAR)).fullmatch
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{text!r} is no regular expression: {error}") from error

    def matches(self, record: str, field: str) -> bool:
        """Whether it is about that PV. A pattern for the record is about all its fields."""
        return bool(self._matches(record) or self._matches(f"{record}.{field}"))

    def names(self, record: str, field: str) -> bool:
        """Whether it names that field: it matches with it, but not with a field that cannot be."""
        made_up = any(self._matches(f"{record}.{other}") for other in _made_up(field))
        return not made_up and bool(self._matches(f"{record}.{field}"))

    def covers(self, other: "Pattern") -> bool:
        """Whether surely all PVs of the other are also in this one."""
        if self.text in (*ALL, other.text):
            return True
        if self._is_prefix and other._is_glob:
            return other._literal_part.startswith(self.text[:-1])
        return other._is_literal and self._covers_literal(other.text)

    @property
    def _literal_part(self) -> str:
        return _WILDCARDS.split(self.text, maxsplit=1)[0]

    @property
    def _is_literal(self) -> bool:
        return self._is_glob and self._literal_part == self.text

    @property
    def _is_prefix(self) -> bool:
        return self._is_glob and self._literal_part + "*" == self.text

    def _covers_literal(self, name: str) -> bool:
        return bool(self._matches(split_pv_name(name)[0]) or ("." in name and self._matches(name)))


def _made_up(field: str) -> Iterator[str]:
    """Fields that cannot be: one that looks like a field, one that does not; as long as that field."""
    yield (_UPPER * len(field))[: len(field)]
    yield "~" * len(field)


def _check_glob(text: str) -> None:
    if not text:
        raise ValueError("the pattern is empty")
    if bad := _NEVER.search(text):
        raise ValueError(f"{text!r} matches nothing: {bad[0]!a} is in no record name or field name")
    if not _WILDCARDS.search(text) and text not in (split_pv_name(text)[0], ".".join(split_pv_name(text))):
        raise ValueError(f"{text!r} matches nothing: names are matched as RECORD.FIELD, without filters")
