"""PV names: what may be one, and which record and field one means.

Checked before anything else sees the name, because CA itself stops at a NUL.
"""

import re
from typing import Final

from pycaserver.core.errors import PycaError

MAX_NAME_BYTES: Final = 1000
MAX_RECORD_BYTES: Final = 255

_FORBIDDEN: Final = re.compile(r"[^\x20-\x7e]")
_RECORD_END: Final = re.compile(r"[.{]")
_AFTER_FIELD: Final = re.compile(r"\W.*", re.ASCII)
_MODIFIERS: Final = "$[{ "
"""What may follow a field name: a long string, an array range, a filter. An IOC takes no space; we are careful."""
DEFAULT_FIELD: Final = "VAL"


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
    record = _RECORD_END.split(name, maxsplit=1)[0]
    if not 0 < len(record) <= MAX_RECORD_BYTES:
        raise _refused(name, f"The record part of the name must have 1 to {MAX_RECORD_BYTES} characters.")
    return name


def split_pv_name(name: str) -> tuple[str, str]:
    """Record and field that an IOC takes the name for: X, X., X.VAL, X.VAL$, X.[0:3] and X.{...} are all ("X", "VAL").

    What is no field name with modifiers stays whole, as a field that no rule for a real one matches. Braces are fine
    in a record name (SR:C01{BPM:1}Pos-I), but {" begins a filter, and no record name ends with "$".
    """
    record, _, rest = name.partition(".")
    record, is_filter, _ = record.partition('{"')
    modifiers = _AFTER_FIELD.search(rest)
    field = rest if modifiers is None or modifiers[0][0] not in _MODIFIERS else rest[: modifiers.start()]
    if is_filter:
        field = ""
    return record.removesuffix("$") or record, field or DEFAULT_FIELD


def _refused(name: str, why: str) -> PycaError:
    return PycaError("invalid_pv_name", why, pvname=name[:MAX_NAME_BYTES])
