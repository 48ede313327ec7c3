"""The one table of settings: it makes the TOML keys, the PYCASERVER_* variables, the flags, --help and the reference.

Flags beat variables beat the file. Unknown keys are errors. What the sections are is in sections.py.
"""

import tomllib
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, get_args, get_type_hints

import msgspec
from msgspec import Struct, field

from pycaserver.agreement import disagreements
from pycaserver.core.access import Rule
from pycaserver.dialects.commands import Command, MessageRule
from pycaserver.dialects.evok.device import Device
from pycaserver.dialects.rtoc.mapping import RtocAction, RtocPlugin, RtocSignal
from pycaserver.sections import (
    Access,
    Audit,
    Auth,
    Dialects,
    Evok,
    History,
    Jwt,
    Limits,
    Log,
    Pvs,
    Pvws,
    Rtoc,
    Server,
    Socketio,
    Token,
)

ENVIRONMENT_PREFIX: Final = "PYCASERVER_"
CONFIG_VARIABLE: Final = "PYCASERVER_CONFIG"
"""Names the settings file, where no flag does."""
_TEST_PREFIX: Final = "PYCASERVER_TEST_"


class Settings(Dialects, forbid_unknown_fields=True):
    """All of them; the dialects' are in sections.Dialects."""

    server: Server = field(default_factory=Server)
    limits: Limits = field(default_factory=Limits)
    log: Log = field(default_factory=Log)
    pvs: Pvs = field(default_factory=Pvs)
    access: Access = field(default_factory=Access)
    auth: Auth = field(default_factory=Auth)
    audit: Audit = field(default_factory=Audit)
    history: History = field(default_factory=History)
    epics: dict[str, str] = field(default_factory=dict)
    """EPICS_* variables to set before Channel Access starts."""


SECTIONS: Final[dict[str, type[Struct]]] = {
    "server": Server, "limits": Limits, "access": Access, "auth": Auth, "auth.jwt": Jwt, "audit": Audit,
    "log": Log, "pvs": Pvs, "history": History,
    "pvws": Pvws,
    "evok": Evok,
    "socketio": Socketio,
    "rtoc": Rtoc,
}  # fmt: skip
TABLES: Final[dict[str, type[Struct]]] = {
    "access.rule": Rule, "auth.token": Token,
    "evok.device": Device,
    "socketio.command": Command, "socketio.message": MessageRule,
    "rtoc.signal": RtocSignal, "rtoc.action": RtocAction, "rtoc.plugin": RtocPlugin,
}  # fmt: skip
"""Arrays of tables: in the file only."""


class Setting(NamedTuple):
    """One row of the table."""

    section: str
    key: str
    type: Any
    default: Any
    help: str

    @property
    def name(self) -> str:
        """As in the TOML file, section and key."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    @property
    def flag(self) -> str:
        """The command line flag; the section is left out for [server]."""
        stem = self.key if self.section == "server" else self.name
        return "--" + stem.replace("_", "-").replace(".", "-")

    @property
    def is_list(self) -> bool:
        """Whether it takes several values; in a variable and in a flag they are separated by commas."""
        return isinstance(self.default, list)


class SettingsError(Exception):
    """What is wrong with the settings: one sentence each, naming key, variable or flag."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def table() -> Iterator[Setting]:
    """Every setting but the free-form [epics] and the arrays of tables."""
    for section, struct in SECTIONS.items():
        defaults = struct()
        for key, type_, help_text in described(struct):
            if f"{section}.{key}" not in (*SECTIONS, *TABLES):
                yield Setting(section, key, type_, getattr(defaults, key), help_text)


def described(struct: type[Struct]) -> Iterator[tuple[str, Any, str]]:
    """Each key of a section or table with its type and its help."""
    for key, type_ in get_type_hints(struct, include_extras=True).items():
        helps = [note.description for note in get_args(type_) if getattr(note, "description", None)]
        yield key, type_, helps[-1] if helps else ""


Values: TypeAlias = dict[tuple[str, str], Any]
"""Section and key to value."""


def load(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str], otherwise: Values | None = None
) -> Settings:
    """The settings in effect; flags by Setting.name. SettingsError names everything that is wrong.

    otherwise: values of sections that the file does not mention, in place of the defaults.
    """
    problems: list[str] = []
    values = _from_file(file, problems) if file else {}
    mentioned = {section for section, _ in values}
    values |= {key: value for key, value in (otherwise or {}).items() if key[0] not in mentioned}
    for variable in sorted(_our_variables(environment) - {setting.variable for setting in table()}):
        problems.append(f"{variable}: there is no such setting")
    for setting in table():
        for source, given in ((setting.variable, environment.get(setting.variable)),
                              (setting.flag, flags.get(setting.name))):  # fmt: skip
            if given is not None:
                _put(values, setting, _split(given) if setting.is_list else given, source, problems)
    settings = Settings()
    for (section, key), value in values.items():
        target: Any = attrgetter(section)(settings)
        if isinstance(target, dict):
            target[key] = value
        else:
            setattr(target, key, value)
    problems += disagreements(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _our_variables(environment: Mapping[str, str]) -> set[str]:
    ours = {name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and not name.startswith(_TEST_PREFIX)}
    return ours - {CONFIG_VARIABLE}


def _from_file(file: Path, problems: list[str]) -> Values:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problems.append(f"{file}: {error}")
        return {}
    values: Values = {}
    for section, keys in document.items():
        if section in (*SECTIONS, "epics"):
            _put_section(values, section, keys, problems)
        else:
            problems.append(f"{section}: there is no such section")
    return values


def _put_section(values: Values, section: str, keys: Any, problems: list[str]) -> None:
    if not isinstance(keys, dict):
        problems.append(f"{section}: is a section, not a value")
        return
    if section == "epics":
        _put_epics(values, keys, problems)
        return
    known = {setting.name: setting for setting in table()}
    for key, value in keys.items():
        name = f"{section}.{key}"
        if name in known:
            _put(values, known[name], value, name, problems, strict=True)
        elif name in TABLES:
            values[section, key] = _tables(name, value, problems)
        elif name in SECTIONS:
            _put_section(values, name, value, problems)
        else:
            problems.append(f"{name}: there is no such setting")


def _tables(name: str, tables: Any, problems: list[str]) -> list[Struct]:
    if not isinstance(tables, list):
        problems.append(f"{name}: is an array of tables; each begins with [[{name}]]")
        return []
    good = []
    for number, given in enumerate(tables, 1):
        try:
            good.append(msgspec.convert(given, TABLES[name]))
        except msgspec.ValidationError as error:
            problems.append(f"{name} {number}: {error}")
    return good


def _put_epics(values: Values, keys: dict[str, Any], problems: list[str]) -> None:
    for key, value in keys.items():
        if not key.startswith("EPICS_") or isinstance(value, dict | list):
            problems.append(f"epics.{key}: [epics] takes EPICS_... variables with one value each")
        else:
            values["epics", key] = "YES" if value is True else "NO" if value is False else str(value)


def _put(
    values: Values,
    setting: Setting,
    value: Any,
    source: str,
    problems: list[str],
    strict: bool = False,
) -> None:
    try:
        values[setting.section, setting.key] = msgspec.convert(value, setting.type, strict=strict)
    except msgspec.ValidationError as error:
        problems.append(f"{source}: {error}")


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
