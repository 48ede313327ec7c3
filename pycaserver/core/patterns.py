"""Patterns of PV names, as access rules have them: globs, or regular expressions after "re:"; case counts."""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from typing import Final

from pycaserver.core.names import CA, split_pv_name, split_scheme

REGULAR: Final = "re:"
ALL: Final = ("*", "re:.*")
_WILDCARDS: Final = re.compile(r"[*?\[]")
_NEVER: Final = re.compile(r"[^\x20-\x7e]|^ | $|\$")
"""What is in no record name and no field name."""
_UPPER: Final = "QZXJ"
"""A field that no record type has is made of these."""
_NO_DOTS: Final = "~:_-A0"
"""What a regular expression that knows where the field begins does not take for the dot."""
_PARTS: Final = re.compile(r"((?:\[!?\]?[^\]]*\]|[^.])*)\.?(.*)")
"""A glob's part for the record, up to the first dot that is in no brackets, and the one for the field."""


class Pattern:
    """Which PVs a rule is about: those whose record it matches, or whose record and field. Schemes have no fields."""

    def __init__(self, text: str) -> None:
        """ValueError, with a sentence, if it can match nothing."""
        self.text = text
        self._is_glob = not text.startswith(REGULAR)
        if self._is_glob:
            _check_glob(text)
        try:
            self._matches = _matcher(text) if self._is_glob else re.compile(text.removeprefix(REGULAR)).fullmatch
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{text!r} is no regular expression: {error}") from error
        self._matches_parts = _parts_matcher(text) if self._is_glob else self._matches_joined

    def matches(self, record: str, field: str) -> bool:
        """Whether it is about that PV. A pattern for the record is about all its fields."""
        return bool(self._matches(record)) or self._matches_field(record, field)

    def names(self, record: str, field: str) -> bool:
        """Whether it names that field: it matches with it, but not with a field that cannot be, and knows the dot."""
        return (
            self._matches_field(record, field)
            and not any(self._matches_parts(record, other) for other in _made_up(field))
            and (self._is_glob or not any(self._matches(f"{record}{other}{field}") for other in _NO_DOTS))
        )

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
        record, field = split_pv_name(name)
        return bool(self._matches(record)) or ("." in name and self._matches_field(record, field))

    def _matches_field(self, record: str, field: str) -> bool:
        return split_scheme(record)[0] == CA and self._matches_parts(record, field)

    def _matches_joined(self, record: str, field: str) -> bool:
        return bool(self._matches(f"{record}.{field}"))


def is_glob(text: str) -> bool:
    """Whether it has wildcards, and is not just a name."""
    return bool(_WILDCARDS.search(text))


def choose(names: Iterable[str], glob: str) -> list[str]:
    """Those of the names, as wholes, that match the glob."""
    matches = _matcher(glob)
    return [name for name in names if matches(name)]


def _matcher(glob: str) -> Callable[[str], object]:
    return re.compile(translate(glob)).fullmatch


def _parts_matcher(glob: str) -> Callable[[str, str], bool]:
    """Each part matches by itself, so that "*" does not cross the dot; without one it is about no field by itself."""
    matches_record, matches_field = map(_matcher, _PARTS.findall(glob)[0])
    return lambda record, field: bool(matches_record(record) and matches_field(field))


def _made_up(field: str) -> Iterator[str]:
    """Fields that cannot be: one that looks like a field, one that does not; as long as that field, and not it."""
    upper = _UPPER[::-1] if field[0] == _UPPER[0] else _UPPER
    yield (upper * len(field))[: len(field)]
    yield "~" * len(field)


def _check_glob(text: str) -> None:
    if not text:
        raise ValueError("the pattern is empty")
    if bad := _NEVER.search(text):
        raise ValueError(f"{text!r} matches nothing: {bad[0]!a} is in no record name or field name")
    if text.startswith(f"{CA}://"):
        raise ValueError(f"{text!r} matches nothing: names of Channel Access are matched without {CA}://")
    if not _WILDCARDS.search(text) and text not in (split_pv_name(text)[0], ".".join(split_pv_name(text))):
        raise ValueError(f"{text!r} matches nothing: names are matched as RECORD.FIELD, without filters")
