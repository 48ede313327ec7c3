"""Write settings.md, beside this file, from the table of settings: python docs/reference/make_settings.py."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo, fields

from pycaserver.dialects.evok.device import Mode, Point
from pycaserver.settings import SECTIONS, TABLES, Setting, described, table

PAGE = Path(__file__).with_name("settings.md")

TEXT = """\
# Settings

<!-- Written by make_settings.py from the table in pycaserver/settings.py: change it there. -->

Every setting has a key in a TOML file, an environment variable and a flag of `pycaserver serve` and `pycaserver demo`.
A flag beats the variable, the variable beats the file, the file beats the default.

- The file is the one that `--config FILE` names, or else the variable `PYCASERVER_CONFIG`. Without either no file is
  read. A changed file takes effect when the server is started again; `[access]`, `[auth]` and `[audit]` already
  [at a SIGHUP](command-line.md#pycaserver-serve).
- A key, section, variable or flag that does not exist is an error, and so is a value of the wrong type: the server
  does not start, and names everything that is wrong. Any variable that begins with `PYCASERVER_` counts, but for those
  that begin with `PYCASERVER_TEST_`.
- In a variable or flag, the items of a list are separated by commas.
- `pycaserver check-config FILE` [looks for mistakes](command-line.md#pycaserver-check-config) without starting
  anything.
{sections}
## `[epics]`

Variables of EPICS, set before Channel Access starts. A variable that is named here beats the environment; all others
are taken from the environment, as by any Channel Access program. There are no flags for them. `true` and `false` mean
`YES` and `NO`. [Connect to your IOCs](../how-to/connect-to-your-iocs.md) says which ones matter.

```toml
[epics]
EPICS_CA_ADDR_LIST = "192.0.2.255 ioc7.example.org"
EPICS_CA_AUTO_ADDR_LIST = false
EPICS_CA_CONN_TMO = 10
```

## An example

```toml
[server]
address = "0.0.0.0"
allowed_hosts = ["panel.example.org"]
allowed_origins = ["https://www.example.org"]

[limits]
sessions_per_address = 2000

[access]
writes = true

[[access.rule]]
pv = "SR:*:SETPOINT"
who = ["group:operators"]
allow = "write"

[audit]
file = "/var/log/pycaserver/puts.jsonl"

[log]
format = "json"

[pvs]
names = ["SR:CURRENT", "SR:LIFETIME"]
```
"""

SECTION = """
## `[{name}]`

{purpose}

| key | variable | flag | value | default | meaning |
|---|---|---|---|---|---|
{rows}
"""

KINDS: dict[Any, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list[str]: "list of strings",
    Point: '`{pv = "NAME", write = true}`', tuple[float, float]: "two numbers",
    dict[str, Mode]: "table of `{value = 0, unit = \"V\", range = [0, 10]}`",
}  # fmt: skip
BOUNDS = {"gt": "above", "ge": "from", "le": "to"}


def render() -> str:
    """The whole page."""
    return TEXT.format(sections="".join(_sections()))


WORDS = {
    ("socketio.command", "require"): "table",
    ("socketio.command", "schema"): "table of `string`, `number`, `integer`, `boolean`, `array`, `object`",
    ("socketio.command", "steps"): "list of tables",
    ("socketio.message", "pvs"): "table of strings",
    ("socketio.message", "on"): "`change`, `alarm`, or a number from 0.05 to 86400",
    ("socketio.message", "payload"): "table",
    ("rtoc.action", "put"): "list of pairs of a string and a value",
}
"""What a key takes where its type says too little."""

TABLE = """
## `[[{name}]]`

{purpose} There may be any number of these tables, in the file only.

| key | value | default | meaning |
|---|---|---|---|
{rows}
"""


def _sections() -> Iterator[str]:
    for name, struct in SECTIONS.items():
        rows = "\n".join(_row(setting) for setting in table() if setting.section == name)
        yield SECTION.format(name=name, purpose=struct.__doc__, rows=rows)
        yield from (_table(other) for other in TABLES if other.startswith(f"{name}."))


def _table(name: str) -> str:
    defaults = {field.name: _default_of(field) for field in fields(TABLES[name])}
    rows = "\n".join(
        f"| `{key}` | {WORDS.get((name, key)) or _value(type_)} | {_default(defaults[key])} | {text} |"
        for key, type_, text in described(TABLES[name])
    )
    return TABLE.format(name=name, purpose=TABLES[name].__doc__, rows=rows)


def _default_of(field: FieldInfo) -> Any:
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _default(default: Any) -> str:
    if default is None:
        return "left out"
    return "needed" if default is NODEFAULT else f"`{_toml(default)}`"


def _row(setting: Setting) -> str:
    cells = (f"`{setting.key}`", f"`{setting.variable}`", f"`{setting.flag}`", _value(setting.type),
             f"`{_toml(setting.default)}`", setting.help)  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _value(type_: Any) -> str:
    """What a setting of that type takes, in words."""
    base, *notes = get_args(type_)
    bounds = [f"{word} {getattr(note, name)}" for name, word in BOUNDS.items() for note in notes
              if isinstance(note, Meta) and getattr(note, name) is not None]  # fmt: skip
    if get_origin(base) is UnionType:
        return ", ".join(KINDS[choice] for choice in get_args(base) if choice is not NoneType)
    if get_origin(base) in (list, tuple):
        return "list of strings"
    if choices := get_args(base):
        return ", ".join(f"`{choice}`" for choice in choices)
    return " ".join([KINDS[base], *bounds])


def _toml(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else json.dumps(default)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
