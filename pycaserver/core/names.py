"""PV names: what may be one, which source it goes to, and which record and field one means.

Checked before anything else sees the name, because CA itself stops at a NUL.
"""

import re
from typing import Final

from pycaserver.core.errors import PycaError

MAX_NAME_BYTES: Final = 1000
MAX_RECORD_BYTES: Final = 255

_FORBIDDEN: Final = re.compile(r"[^\x20-\x7e]")
_RECORD_END: Final = re.compile(r'\.|\{"')
_AFTER_FIELD: Final = re.compile(r"\W.*", re.ASCII)
_MODIFIERS: Final = "$[{ "
"""What may follow a field name: a long string, an array range, a filter. An IOC takes no space; we are careful."""
DEFAULT_FIELD: Final = "VAL"

CA: Final = "ca"
PVA: Final = "pva"
SCHEMES: Final = (CA, PVA, "sim", "loc", "stat")
"""What may stand before "://" and name the source; without it, it is Channel Access."""
_SCHEME: Final = re.compile(rf"({'|'.join(SCHEMES)})://")
_INITIAL: Final = re.compile(r"[<(]")
"""Where the type or the initial value of a local PV begins, which do not make it another PV."""


def check_pv_name(name: str) -> str:
    """The name itself, or PycaError(invalid_pv_name): printable ASCII, no space around it, bounded in length."""
    if not name:
        raise PycaError("invalid_pv_name", "The name is empty.", pvname=name)
    if len(name) > MAX_NAME_BYTES:
        raise _refused(name, f"The name is longer than {MAX_NAME_BYTES} characters.")
    if bad := _FORBIDDEN.search(name):
        raise _refused(name, f"The name has the character {bad[0]!a}; printable ASCII is allowed.")
    if name != name.strip(" "):
        raise _refused(name, "The name begins or ends with a space.")
    scheme, rest = split_scheme(name)
    if not rest or _SCHEME.match(rest):
        raise _refused(name, f"A PV's own name must follow {scheme}://.")
    if scheme == PVA:
        raise _refused(name, "This server has no source for pva://; names of Channel Access need no prefix, or ca://.")
    if scheme == CA:
        _check_record(name, rest)
    return name


def _check_record(name: str, rest: str) -> None:
    record = _RECORD_END.split(rest, maxsplit=1)[0]
    if not 0 < len(record) <= MAX_RECORD_BYTES:
        raise _refused(name, f"The record part of the name must have 1 to {MAX_RECORD_BYTES} characters.")


def split_scheme(name: str) -> tuple[str, str]:
    """The scheme, one of SCHEMES, and what follows it: ca://X is X of Channel Access, and so is X."""
    found = _SCHEME.match(name)
    return (found[1], name[found.end() :]) if found else (CA, name)


def split_pv_name(name: str) -> tuple[str, str]:
    """Record and field that an IOC takes the name for: X, X., X.VAL, X.VAL$, X.[0:3] and X.{...} are all ("X", "VAL").

    What is no field name with modifiers stays whole, as a field that no rule for a real one matches. Braces are fine
    in a record name (SR:C01{BPM:1}Pos-I), but {" begins a filter, and no record name ends with "$". ca://X is X; PVs
    of other sources have no fields, and are what is left without type and initial value: loc://x<VLong>(3) is loc://x.
    """
    scheme, name_there = split_scheme(name)
    if scheme != CA:
        return f"{scheme}://{_INITIAL.split(name_there)[0] if scheme == 'loc' else name_there}", DEFAULT_FIELD
    record, _, rest = name_there.partition(".")
    record, is_filter, _ = record.partition('{"')
    modifiers = _AFTER_FIELD.search(rest)
    field = rest if modifiers is None or modifiers[0][0] not in _MODIFIERS else rest[: modifiers.start()]
    if is_filter:
        field = ""
    return record.removesuffix("$") or record, field or DEFAULT_FIELD


def _refused(name: str, why: str) -> PycaError:
    return PycaError("invalid_pv_name", why, pvname=name[:MAX_NAME_BYTES])
