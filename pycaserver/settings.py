"""The one table of settings: it makes the TOML keys, the PYCASERVER_* variables, the flags, --help and the reference.

Flags beat variables beat the file. Unknown keys are errors. Each section is a struct, each of its fields a setting.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from pycaserver.core.names import check_pv_name

ENVIRONMENT_PREFIX: Final = "PYCASERVER_"
CONFIG_VARIABLE: Final = "PYCASERVER_CONFIG"
"""Names the settings file, where no flag does."""
_TEST_PREFIX: Final = "PYCASERVER_TEST_"

Positive = Annotated[float, Meta(gt=0)]
PositiveInt = Annotated[int, Meta(gt=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Server(Struct, forbid_unknown_fields=True):
    """Where it is served, and for whom."""

    address: Annotated[str, Meta(description="address to listen on; loopback unless asked otherwise")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port to listen on; 0: a free one")] = 8888
    allowed_hosts: Annotated[
        list[str], Meta(description="names in Host headers, beside IP literals, localhost and the machine's own names")
    ] = field(default_factory=list)
    allowed_origins: Annotated[
        list[str], Meta(description="origins of pages served elsewhere, such as https://panel.example.org")
    ] = field(default_factory=list)


class Limits(Struct, forbid_unknown_fields=True):
    """What a peer may ask for, and how long it may take."""

    message_bytes: Annotated[PositiveInt, Meta(description="largest message; a larger one closes with 1009")] = 1048576
    subscriptions_per_session: Annotated[PositiveInt, Meta(description="subscriptions and reads of one session")] = (
        10000
    )
    sessions: Annotated[PositiveInt, Meta(description="sessions in all; one more is closed with 1013")] = 2000
    sessions_per_address: Annotated[PositiveInt, Meta(description="sessions from one address")] = 500
    requests_per_second: Annotated[Positive, Meta(description="beyond it a session is read more slowly")] = 1000
    errors_per_second: Annotated[Positive, Meta(description="beyond it for long a session is closed with 4002")] = 20
    backlog_bytes: Annotated[
        int, Meta(ge=262144, description="bytes kept for a peer that is behind; a quarter of them values")
    ] = 2097152
    slow_after_seconds: Annotated[Positive, Meta(description="without progress so long: closed with 4001")] = 10
    linger_seconds: Annotated[float, Meta(ge=0, description="how long a channel outlives its last user")] = 5
    search_seconds: Annotated[Positive, Meta(description="then a PV is told not_found, while the search goes on")] = 3
    ping_seconds: Annotated[Positive, Meta(description="between pings; no pong for as long again: 4004")] = 20
    header_seconds: Annotated[Positive, Meta(description="how long a request's headers may take")] = 10


class Log(Struct, forbid_unknown_fields=True):
    """What is logged to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="least level logged")] = "info"
    format: Annotated[Literal["text", "json"], Meta(description="one line per event, as text or as JSON")] = "text"


class Pvs(Struct, forbid_unknown_fields=True):
    """What the service knows about."""

    names: Annotated[list[str], Meta(description="PVs offered on the page and listed with their state by /readyz")] = (
        field(default_factory=list)
    )


class Settings(Struct, forbid_unknown_fields=True):
    """All of them."""

    server: Server = field(default_factory=Server)
    limits: Limits = field(default_factory=Limits)
    log: Log = field(default_factory=Log)
    pvs: Pvs = field(default_factory=Pvs)
    epics: dict[str, str] = field(default_factory=dict)
    """EPICS_* variables to set before Channel Access starts."""


SECTIONS: Final = {"server": Server, "limits": Limits, "log": Log, "pvs": Pvs}


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
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.key}".upper()

    @property
    def flag(self) -> str:
        """The command line flag; the section is left out for [server]."""
        stem = self.key if self.section == "server" else f"{self.section}-{self.key}"
        return "--" + stem.replace("_", "-")

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
    """Every setting but the free-form [epics]."""
    for section, struct in SECTIONS.items():
        hints = get_type_hints(struct, include_extras=True)
        defaults = struct()
        for key in struct.__struct_fields__:
            help_text = next(m.description for m in reversed(get_args(hints[key])) if getattr(m, "description", None))
            yield Setting(section, key, hints[key], getattr(defaults, key), help_text)


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, str]) -> Settings:
    """The settings in effect; flags by Setting.name. SettingsError names everything that is wrong."""
    problems: list[str] = []
    values = _from_file(file, problems) if file else {}
    for variable in sorted(_our_variables(environment) - {setting.variable for setting in table()}):
        problems.append(f"{variable}: there is no such setting")
    for setting in table():
        for source, given in ((setting.variable, environment.get(setting.variable)),
                              (setting.flag, flags.get(setting.name))):  # fmt: skip
            if given is not None:
                _put(values, setting, _split(given) if setting.is_list else given, source, problems)
    settings = Settings()
    for (section, key), value in values.items():
        target: Any = getattr(settings, section)
        if isinstance(target, dict):
            target[key] = value
        else:
            setattr(target, key, value)
    problems += [f"pvs.names: {name!r} cannot be the name of a PV" for name in settings.pvs.names if not _is_name(name)]
    if problems:
        raise SettingsError(problems)
    return settings


def _our_variables(environment: Mapping[str, str]) -> set[str]:
    ours = {name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and not name.startswith(_TEST_PREFIX)}
    return ours - {CONFIG_VARIABLE}


def _from_file(file: Path, problems: list[str]) -> dict[tuple[str, str], Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file}: {error}")
        return {}
    values: dict[tuple[str, str], Any] = {}
    known = {(setting.section, setting.key): setting for setting in table()}
    for section, keys in document.items():
        if section not in (*SECTIONS, "epics"):
            problems.append(f"{section}: there is no such section")
        elif not isinstance(keys, dict):
            problems.append(f"{section}: is a section, not a value")
        elif section == "epics":
            _put_epics(values, keys, problems)
        else:
            for key, value in keys.items():
                if (section, key) in known:
                    _put(values, known[section, key], value, f"{section}.{key}", problems, strict=True)
                else:
                    problems.append(f"{section}.{key}: there is no such setting")
    return values


def _put_epics(values: dict[tuple[str, str], Any], keys: dict[str, Any], problems: list[str]) -> None:
    for key, value in keys.items():
        if not key.startswith("EPICS_") or isinstance(value, dict | list):
            problems.append(f"epics.{key}: [epics] takes EPICS_... variables with one value each")
        else:
            values["epics", key] = "YES" if value is True else "NO" if value is False else str(value)


def _put(
    values: dict[tuple[str, str], Any],
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


def _is_name(name: str) -> bool:
    try:
        return bool(check_pv_name(name))
    except Exception:
        return False
