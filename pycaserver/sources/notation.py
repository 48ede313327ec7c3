"""How simulated and local PVs are spelled behind their scheme: name<type>(argument, argument, ...). Pure."""

import re
from typing import Final, NamedTuple, TypeAlias

from pycaserver.core.errors import PycaError

Argument: TypeAlias = float | int | str
"""A number, an integer of 64 bits at most, or a text that stood in double quotes."""

_SPELLING: Final = re.compile(r"(?P<name>[^<>()\",\s]+)(?:<(?P<type>\w+)>)?(?:\((?P<arguments>.*)\))?")
_ARGUMENT: Final = re.compile(
    r"""\s* (?: "(?P<text>[^"\\]*(?:\\.[^"\\]*)*)" | (?P<number>[-+]?(?:[\d.]+(?:[eE][-+]?\d+)?|NaN|Infinity)) ) \s*""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\(.)")
_INT64: Final = range(-(2**63), 2**63)


class Spelling(NamedTuple):
    """The parts of a name; type is "" and arguments None where they are left out."""

    name: str
    type: str
    arguments: tuple[Argument, ...] | None


def spelling_of(text: str) -> Spelling:
    """The parts of what follows the scheme; PycaError(invalid_pv_name)."""
    found = _SPELLING.fullmatch(text)
    if found is None:
        raise refused(f"{text} is not spelled name<type>(arguments), of which all but the name may be left out.")
    given = found["arguments"]
    return Spelling(found["name"], found["type"] or "", None if given is None else _arguments(given))


def refused(why: str) -> PycaError:
    """The error for a PV that cannot be."""
    return PycaError("invalid_pv_name", why)


def _arguments(text: str) -> tuple[Argument, ...]:
    arguments: list[Argument] = []
    at = 0
    while text.strip():
        found = _ARGUMENT.match(text, at)
        if found is None:
            raise refused(f"Argument {len(arguments) + 1} is neither a number nor a text in double quotes.")
        arguments.append(_argument(found))
        at = found.end()
        if at == len(text):
            break
        if text[at] != ",":
            raise refused(f"A comma must follow argument {len(arguments)}.")
        at += 1
    return tuple(arguments)


def _argument(found: re.Match[str]) -> Argument:
    if found["number"] is None:
        return _ESCAPED.sub(r"\1", found["text"])
    number: str = found["number"]
    try:
        return _number(number)
    except ValueError:
        raise refused(f"{number} is no number.") from None


def _number(text: str) -> float | int:
    if text.lstrip("+-").isdigit() and int(text) in _INT64:
        return int(text)
    return float(text)
