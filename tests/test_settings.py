"""settings.py: one table; flags beat variables beat the file; everything that is wrong is named."""

from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pycaserver.core.access import Rule
from pycaserver.core.identity import Identity
from pycaserver.sections import Token
from pycaserver.settings import SECTIONS, TABLES, Setting, Settings, SettingsError, load, table

TABLE = {setting.name: setting for setting in table()}
OTHER_VALUES: dict[str, tuple[str, Any]] = {
    "server.address": ("0.0.0.0", "0.0.0.0"),
    "server.port": ("0", 0),
    "server.allowed_hosts": ("a.example.org, b.example.org", ["a.example.org", "b.example.org"]),
    "server.allowed_origins": ("https://a.example.org", ["https://a.example.org"]),
    "server.tls_certificate": ("cert.pem", "cert.pem"),
    "server.tls_key": ("key.pem", "key.pem"),
    "server.trusted_proxies": ("10.1.2.3,10.2.0.0/16", ["10.1.2.3", "10.2.0.0/16"]),
    "limits.message_bytes": ("1000", 1000),
    "limits.subscriptions_per_session": ("3", 3),
    "limits.sessions": ("4", 4),
    "limits.sessions_per_address": ("5", 5),
    "limits.sessions_per_user": ("6", 6),
    "limits.requests_per_second": ("0.5", 0.5),
    "limits.errors_per_second": ("2", 2.0),
    "limits.backlog_bytes": ("262144", 262144),
    "limits.slow_after_seconds": ("1.5", 1.5),
    "limits.linger_seconds": ("0", 0.0),
    "limits.search_seconds": ("0.1", 0.1),
    "limits.ping_seconds": ("60", 60.0),
    "limits.header_seconds": ("2", 2.0),
    "server.pages": ("pages", "pages"),
    "pvws.enabled": ("false", False),
    "pvws.throttle_ms": ("1000", 1000),
    "pvws.array_throttle_ms": ("10000", 10000),
    "access.writes": ("true", True),
    "access.default": ("none", "none"),
    "access.administrators": ("user:anna", ["user:anna"]),
    "auth.required": ("1", True),
    "auth.login_timeout": ("3", 3.0),
    "auth.user_header": ("X-Forwarded-User", "X-Forwarded-User"),
    "auth.jwt.issuer": ("https://id.example.org", "https://id.example.org"),
    "auth.jwt.audience": ("pycaserver", "pycaserver"),
    "auth.jwt.jwks_file": ("keys.json", "keys.json"),
    "auth.jwt.user_claim": ("email", "email"),
    "auth.jwt.groups_claim": ("roles", "roles"),
    "audit.file": ("puts.jsonl", "puts.jsonl"),
    "log.level": ("debug", "debug"),
    "log.format": ("json", "json"),
    "pvs.names": ("A,B", ["A", "B"]),
    "history.samples": ("10", 10),
    "history.memory_bytes": ("1048576", 1048576),
    "history.events": ("5", 5),
    "history.keep": ("A,B", ["A", "B"]),
    "history.file": ("history.sqlite", "history.sqlite"),
    "evok.enabled": ("true", True),
    "evok.profile": ("v2", "v2"),
    "evok.port": ("8080", 8080),
    "evok.tick_ms": ("100", 100.0),
    "socketio.enabled": ("true", True),
    "rtoc.enabled": ("true", True),
    "rtoc.port": ("5050", 5050),
    "rtoc.password": ("secret", "secret"),
    "rtoc.host_whitelist": ("10.1.2.3", ["10.1.2.3"]),
    "rtoc.record_length": ("10", 10),
    "rtoc.local_signals": ("0", 0),
}
"""Each setting as a variable or flag, and its value then; none is the default."""

TOGETHER = (
    {"server.tls_certificate", "server.tls_key"},
    {"auth.user_header", "server.trusted_proxies"},
    {"history.file", "history.keep"},
    {"auth.jwt.issuer", "auth.jwt.audience", "auth.jwt.jwks_file"},
)
"""Settings that need each other."""


def others(setting: Setting) -> dict[str, str]:
    """What must be given with that setting, as flags."""
    names = next((names for names in TOGETHER if setting.name in names), set())
    return {name: OTHER_VALUES[name][0] for name in names - {setting.name}}


every_setting = pytest.mark.parametrize("setting", TABLE.values(), ids=TABLE)


def value_of(settings: Settings, setting: Setting) -> Any:
    return attrgetter(setting.name)(settings)


def toml(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "pycaserver.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path | None = None, variables: dict[str, str] | None = None, **flags: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(file, variables or {}, {name.replace("__", "."): given for name, given in flags.items()})
    assert str(caught.value) == "; ".join(caught.value.problems)
    return caught.value.problems


# -- the table


def test_the_table_has_every_field_of_every_section() -> None:
    fields = {f"{section}.{key}" for section, struct in SECTIONS.items() for key in struct.__struct_fields__}
    assert set(TABLE) == fields - {*SECTIONS, *TABLES} == set(OTHER_VALUES)
    assert {*Settings.__struct_fields__, "auth.jwt"} == {*SECTIONS, "epics"}


def test_variables_and_flags_differ() -> None:
    for names in ([setting.variable for setting in table()], [setting.flag for setting in table()]):
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "variable", "flag"),
    [
        ("server.port", "PYCASERVER_SERVER_PORT", "--port"),
        ("server.allowed_hosts", "PYCASERVER_SERVER_ALLOWED_HOSTS", "--allowed-hosts"),
        ("limits.linger_seconds", "PYCASERVER_LIMITS_LINGER_SECONDS", "--limits-linger-seconds"),
        ("log.level", "PYCASERVER_LOG_LEVEL", "--log-level"),
    ],
)
def test_how_a_setting_is_called(name: str, variable: str, flag: str) -> None:
    assert (TABLE[name].variable, TABLE[name].flag) == (variable, flag)


@every_setting
def test_every_setting_has_a_help_line_and_a_valid_default(setting: Setting) -> None:
    assert setting.help[0].islower() or setting.help.startswith("PVs")
    assert not setting.help.endswith(".")
    assert msgspec.convert(setting.default, setting.type) == setting.default


def test_the_defaults_keep_to_loopback() -> None:
    settings = load(None, {}, {})
    assert (settings.server.address, settings.server.port) == ("127.0.0.1", 8888)
    assert settings.epics == {}
    assert settings.limits.backlog_bytes == 2 * 1024 * 1024


def test_defaults_are_not_shared() -> None:
    load(None, {}, {}).server.allowed_hosts.append("x")
    assert load(None, {}, {}).server.allowed_hosts == []


# -- where values come from


@every_setting
def test_every_setting_can_be_a_variable(setting: Setting) -> None:
    text, expected = OTHER_VALUES[setting.name]
    assert value_of(load(None, {setting.variable: text}, others(setting)), setting) == expected != setting.default


@every_setting
def test_every_setting_can_be_a_flag(setting: Setting) -> None:
    text, expected = OTHER_VALUES[setting.name]
    assert value_of(load(None, {}, {setting.name: text} | others(setting)), setting) == expected


@every_setting
def test_every_setting_can_be_in_the_file(setting: Setting, tmp_path: Path) -> None:
    expected = OTHER_VALUES[setting.name][1]
    literal = repr(expected).replace("'", '"').replace("True", "true").replace("False", "false")
    file = toml(tmp_path, f"[{setting.section}]\n{setting.key} = {literal}\n")
    assert value_of(load(file, {}, others(setting)), setting) == expected


def test_flags_beat_variables_beat_the_file_beats_the_default(tmp_path: Path) -> None:
    file = toml(tmp_path, "[server]\nport = 1\n[limits]\nsessions = 1\nsessions_per_address = 1\n")
    variables = {"PYCASERVER_SERVER_PORT": "2", "PYCASERVER_LIMITS_SESSIONS": "2"}
    settings = load(file, variables, {"server.port": "3"})
    assert (settings.server.port, settings.limits.sessions, settings.limits.sessions_per_address) == (3, 2, 1)
    assert settings.limits.subscriptions_per_session == 10000


def test_a_section_of_the_file_takes_the_place_of_what_counts_otherwise_and_a_flag_does_not(tmp_path: Path) -> None:
    otherwise = {("evok", "enabled"): True, ("rtoc", "enabled"): True}
    file = tmp_path / "settings.toml"
    file.write_text("[evok]\ntick_ms = 10\n")
    settings = load(file, {}, {"rtoc.port": "5050"}, otherwise)
    assert not settings.evok.enabled, "the file says all that there is to say about its sections"
    assert (settings.rtoc.enabled, settings.rtoc.port) == (True, 5050)
    assert not load(None, {"PYCASERVER_RTOC_ENABLED": "false"}, {}, otherwise).rtoc.enabled


def test_a_list_replaces_a_list(tmp_path: Path) -> None:
    file = toml(tmp_path, '[pvs]\nnames = ["A", "B"]\n')
    assert load(file, {"PYCASERVER_PVS_NAMES": "C"}, {}).pvs.names == ["C"]
    assert load(file, {"PYCASERVER_PVS_NAMES": ""}, {}).pvs.names == []


def test_variables_of_others_do_not_matter() -> None:
    others = {"PATH": "/bin", "EPICS_CA_ADDR_LIST": "x", "PYCASERVER_CONFIG": "x.toml", "PYCASERVER_TEST_TIMEOUT": "5"}
    assert load(None, others, {}) == Settings()


# -- arrays of tables

TABLES_FILE = """
[access]
writes = true
[[access.rule]]
pv = "SIM:*"
who = ["user:anna", "group:operators", "address:10.1.2.0/24"]
allow = "write"
[[access.rule]]
pv = 're:SIM:\\d+'
allow = "none"
[auth]
required = true
[[auth.token]]
user = "anna"
groups = ["operators"]
sha256 = "%s"
[auth.jwt]
issuer = "https://id.example.org"
audience = "pycaserver"
jwks_file = "keys.json"
""" % ("0" * 64)


def test_rules_and_tokens(tmp_path: Path) -> None:
    settings = load(toml(tmp_path, TABLES_FILE), {}, {})
    assert settings.access.rule == [
        Rule("SIM:*", "write", ("user:anna", "group:operators", "address:10.1.2.0/24")),
        Rule(r"re:SIM:\d+", "none", ("anyone",)),
    ]
    assert settings.auth.token == [Token("anna", "0" * 64, ("operators",))]
    assert (settings.auth.required, settings.auth.jwt.audience) == (True, "pycaserver")
    rules = settings.access.compiled()
    assert rules.decide("SIM:A", Identity("anna")).write
    assert not rules.decide("SIM:A", Identity("bert")).write


def test_without_settings_nothing_is_written_and_there_are_no_administrators_but_by_group() -> None:
    settings = load(None, {}, {})
    decision = settings.access.compiled().decide("SIM:A", Identity("anna"))
    assert (decision.read, decision.write, decision.code) == (True, False, "write_disabled")
    assert not settings.access.compiled().is_administrator(Identity("anna", ("operators",), "127.0.0.1"))
    assert settings.access.compiled().is_administrator(Identity("anna", ("admins",)))


@pytest.mark.parametrize("name", TABLES)
def test_arrays_of_tables_are_no_variables_and_no_flags(name: str) -> None:
    assert name not in TABLE
    variable = "PYCASERVER_" + name.upper().replace(".", "_")
    assert problems(variables={variable: "1"}) == [f"{variable}: there is no such setting"]


# -- [epics]


def test_epics_variables(tmp_path: Path) -> None:
    file = toml(
        tmp_path,
        '[epics]\nEPICS_CA_ADDR_LIST = "10.0.0.1 10.0.0.2"\nEPICS_CA_AUTO_ADDR_LIST = false\nEPICS_PVA_X = true\n'
        "EPICS_CA_CONN_TMO = 5.0\nEPICS_CA_SERVER_PORT = 5064\n",
    )
    assert load(file, {}, {}).epics == {
        "EPICS_CA_ADDR_LIST": "10.0.0.1 10.0.0.2",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_PVA_X": "YES",
        "EPICS_CA_CONN_TMO": "5.0",
        "EPICS_CA_SERVER_PORT": "5064",
    }


@pytest.mark.parametrize("line", ['PATH = "x"', 'EPICS_LIST = ["a", "b"]', "EPICS_TABLE = {a = 1}", 'epics_x = "1"'])
def test_other_things_in_epics_are_refused(tmp_path: Path, line: str) -> None:
    (problem,) = problems(toml(tmp_path, f"[epics]\n{line}\n"))
    assert problem.startswith(f"epics.{line.split()[0]}: ")


# -- what is wrong


def test_a_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.toml"
    file.write_text("pvs = " + "[" * 5000)
    with pytest.raises(SettingsError, match="recursion"):
        load(file, {}, {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nporte = 1\n", "server.porte"),
        ("[sever]\nport = 1\n", "sever"),
        ("server = 5\n", "server"),
        ("port = 5\n", "port"),
        ("[[limits]]\nsessions = 1\n", "limits"),
        ('[server]\nport = "8888"\n', "server.port"),
        ("[server]\nport = 65536\n", "server.port"),
        ("[server]\nport = -1\n", "server.port"),
        ("[server]\nport = 80.5\n", "server.port"),
        ("[server]\nport = true\n", "server.port"),
        ('[server]\nallowed_hosts = "a"\n', "server.allowed_hosts"),
        ("[server]\nallowed_hosts = [1]\n", "server.allowed_hosts"),
        ("[limits]\nsessions = 0\n", "limits.sessions"),
        ("[limits]\nsearch_seconds = 0\n", "limits.search_seconds"),
        ("[limits]\nlinger_seconds = -1\n", "limits.linger_seconds"),
        ("[limits]\nbacklog_bytes = 1000\n", "limits.backlog_bytes"),
        ("[limits]\nlinger_seconds = nan\n", "limits.linger_seconds"),
        ("[limits]\nrequests_per_second = nan\n", "limits.requests_per_second"),
        ('[log]\nlevel = "DEBUG"\n', "log.level"),
        ('[log]\nformat = "xml"\n', "log.format"),
        ('[pvs]\nnames = ["A", "B "]\n', "pvs.names"),
        ('[server]\ntls_key = "key.pem"\n', "server.tls_certificate"),
        ('[server]\ntls_certificate = "c.pem"\n', "server.tls_key"),
        ('[server]\ntrusted_proxies = ["proxy.example.org"]\n', "server.trusted_proxies"),
        ('[server]\ntrusted_proxies = ["10.1.2.3/8"]\n', "server.trusted_proxies"),
        ('[access]\nwrites = "true"\n', "access.writes"),
        ("[access]\nwrites = 1\n", "access.writes"),
        ('[access]\ndefault = "rw"\n', "access.default"),
        ('[access]\nadministrators = ["anna"]\n', "access.administrators"),
        ('[access]\nrules = "x"\n', "access.rules"),
        ('[access.rule]\npv = "A"\nallow = "read"\n', "access.rule"),
        ('[[access.rule]]\nallow = "read"\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "write"\nuser = "anna"\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "deny"\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "write"\nwho = "anyone"\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "write"\nwho = []\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "read"\nwho = ["role:x"]\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "read"\nwho = ["address:10.0.0.1/8"]\n', "access.rule 1"),
        ('[[access.rule]]\npv = "A"\nallow = "read"\n[[access.rule]]\npv = "re:("\nallow = "read"\n', "access.rule 2"),
        ('[[access.rule]]\npv = "A.DESC$"\nallow = "none"\n', "access.rule 1"),
        ('[[auth.token]]\nuser = "anna"\nsha256 = "abc"\n', "auth.token 1"),
        (f'[[auth.token]]\nuser = "anna"\nsha256 = "{"A" * 64}"\n', "auth.token 1"),
        (f'[[auth.token]]\nuser = ""\nsha256 = "{"0" * 64}"\n', "auth.token 1"),
        (f'[[auth.token]]\nuser = "anna"\nsha256 = "{"0" * 64}"\n' * 2, "auth.token 2"),
        ('[[auth.token]]\nuser = "anna"\ntoken = "x"\nsha256 = "x"\n', "auth.token 1"),
        ("[auth]\ntoken = 1\n", "auth.token"),
        ("[auth]\njwt = 1\n", "auth.jwt"),
        ('[[auth.jwt]]\nissuer = "x"\n', "auth.jwt"),
        ('[auth.jwt]\nsecret = "x"\n', "auth.jwt.secret"),
        ('[auth.jwt]\nissuer = "x"\njwks_file = "x"\n', "auth.jwt.audience"),
        ('[auth.jwt]\nuser_claim = ""\n', "auth.jwt.user_claim"),
        ('[auth]\nuser_header = "X-Forwarded-User"\n', "auth.user_header"),
        ('[auth]\nuser_header = "X User"\n', "auth.user_header"),
        ("[auth]\nlogin_timeout = 0\n", "auth.login_timeout"),
        ("[audit]\nfile = true\n", "audit.file"),
    ],
    ids=lambda text: text.replace("\n", " ").strip(),
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    (problem,) = problems(toml(tmp_path, text))
    assert problem.startswith(f"{named}: ")


@pytest.mark.parametrize(
    "variable",
    ["PYCASERVER_SERVER_PORTE", "PYCASERVER_PORT", "PYCASERVER_", "PYCASERVER_EPICS_X", "PYCASERVER_CONFIG_FILE"],
)
def test_an_unknown_variable_is_an_error(variable: str) -> None:
    assert problems(variables={variable: "1"}) == [f"{variable}: there is no such setting"]


ANYTHING_GOES = {
    "server.address", "server.allowed_hosts", "server.allowed_origins", "server.tls_certificate", "server.tls_key",
    "server.trusted_proxies", "access.administrators", "auth.user_header", "auth.jwt.issuer", "auth.jwt.audience",
    "auth.jwt.jwks_file", "auth.jwt.user_claim", "auth.jwt.groups_claim", "audit.file", "pvs.names",
    "history.keep", "history.file",
    "rtoc.password", "rtoc.host_whitelist", "server.pages",
}  # fmt: skip
"""Any text is taken by itself; what they name is looked at later."""
CHECKED = {name: setting for name, setting in TABLE.items() if name not in ANYTHING_GOES}


@pytest.mark.parametrize("setting", CHECKED.values(), ids=CHECKED)
def test_a_wrong_value_is_named_by_its_variable_and_its_flag(setting: Setting) -> None:
    (of_variable,) = problems(variables={setting.variable: "-1"})
    (of_flag,) = problems(**{setting.name.replace(".", "__"): "-1"})
    assert of_variable.startswith(f"{setting.variable}: ")
    assert of_flag.startswith(f"{setting.flag}: ")


@pytest.mark.parametrize("text", ["", "abc", "1,000", "0x10"])
def test_what_is_no_number_is_an_error(text: str) -> None:
    (problem,) = problems(variables={"PYCASERVER_SERVER_PORT": text})
    assert problem.startswith("PYCASERVER_SERVER_PORT: ")


def test_a_hash_that_is_wrong_is_not_repeated(tmp_path: Path) -> None:
    """It may be the token itself, put there by mistake, and the problems are logged."""
    (problem,) = problems(toml(tmp_path, '[[auth.token]]\nuser = "anna"\nsha256 = "pyca_secret"\n'))
    assert "secret" not in problem
    (problem,) = problems(toml(tmp_path, f'[[auth.token]]\nuser = "a"\nsha256 = "{"5" * 64}"\n' * 2))
    assert "555" not in problem


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    bad = '[server]\nport = "x"\nporte = 1\n[epics]\nHOME = "x"\n[nonsense]\n[pvs]\nnames = ["A", ""]\n'
    file = toml(tmp_path, bad)
    found = problems(file, {"PYCASERVER_NONSENSE": "1", "PYCASERVER_LOG_LEVEL": "loud"}, limits__sessions="none")
    named = ["server.port", "server.porte", "epics.HOME", "nonsense", "PYCASERVER_NONSENSE", "PYCASERVER_LOG_LEVEL"]
    assert {problem.split(": ")[0] for problem in found} == {*named, "--limits-sessions", "pvs.names"}
    assert len(found) == len(named) + 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "missing.toml")
    assert "missing.toml: " in problem


@pytest.mark.parametrize("content", [b"[server\n", b"x = 1\nx = 2\n", b"# \xff\n"], ids=ascii)
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    (problem,) = problems(file)
    assert problem.startswith(f"{file}: ")


def test_a_good_value_elsewhere_does_not_hide_a_bad_one() -> None:
    assert len(problems(variables={"PYCASERVER_SERVER_PORT": "x"}, server__port="1")) == 1
