"""The command line: commands, flags, exit codes, what is printed where."""

import hashlib
import json
import re
import signal
import socket
from pathlib import Path

import pytest

import pycaserver
from pycaserver.settings import table
from tests.ca_search import free_port
from tests.iocs import CIOC
from tests.processes import Command
from tests.web.raw import RawClient

LISTENS = "listens on http://127.0.0.1:"


def run(*arguments: object, epics: dict[str, str] | None = None) -> tuple[int, str, list[str]]:
    """Exit code, standard output, lines of standard error."""
    with Command(*arguments, epics=epics) as command:
        code = command.end()
    return code, "".join(command.out), [line.rstrip("\n") for line in command.err]


def test_version() -> None:
    assert run("--version") == (0, f"{pycaserver.__version__}\n", [])


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(flag: str) -> None:
    code, out, err = run(flag)
    assert (code, err) == (0, [])
    assert {"serve", "demo", "check-config", "token", "watch"} <= {
        line.split()[0] for line in out.splitlines() if line.strip()
    }


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_help_lists_every_setting_with_its_meaning(command: str) -> None:
    code, out, err = run(command, "--help")
    assert (code, err) == (0, [])
    text = " ".join(out.split())
    for setting in table():
        assert f" {setting.flag} VALUE {setting.help}" in text.replace("- ", "-")


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["serve", "--nonsense=1"], ["serve", "stray"], ["nonsense"], ["check-config"], ["watch"],
     ["token"], ["check-config", "x.toml", "--explain", "anna"],
     ["watch", "http://localhost/"], ["serve", "--port"]],
    ids=" ".join,
)  # fmt: skip
def test_bad_usage_ends_with_2(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err[0].startswith("usage: pycaserver")
    assert "error:" in err[-1]


BAD_FILE = """
nonsense = 1
[server]
port = "8888"
prot = 1
[limits]
sessions = 0
[logs]
level = "info"
[pvs]
names = ["ok", " spaces "]
[epics]
PATH = "x"
"""
BAD_KEYS = ["nonsense", "server.port", "server.prot", "limits.sessions", "logs", "pvs.names: ' spaces '", "epics.PATH"]


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    path = tmp_path / "bad.toml"
    path.write_text(BAD_FILE)
    return path


def test_check_config_names_everything_that_is_wrong(bad_file: Path) -> None:
    code, out, err = run("check-config", bad_file)
    assert (code, out) == (1, "")
    assert len(err) == len(BAD_KEYS)
    for key in BAD_KEYS:
        assert any(line.startswith(f"pycaserver: {key}") for line in err), key


def test_check_config_is_content_with_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text('[server]\nport = 1\n[epics]\nEPICS_CA_ADDR_LIST = "10.0.0.1"\nEPICS_CA_AUTO_ADDR_LIST = false\n')
    code, out, err = run("check-config", path)
    assert (code, err) == (0, [])
    assert str(path) in out


@pytest.mark.parametrize("command", [("serve", "--config"), ("demo", "--config"), ("check-config",)])
def test_folder_of_pages_that_is_not_there_is_named(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "pages.toml"
    path.write_text(f'[server]\npages = "{tmp_path}/nowhere"\n')
    assert run(*command, path) == (1, "", [f"pycaserver: server.pages: '{tmp_path}/nowhere' is not a folder"])


RULES_FILE = """
[access]
writes = %s
[[access.rule]]
pv = "SIM:*"
who = ["group:operators"]
allow = "write"
%s
[[auth.token]]
user = "anna"
groups = ["operators"]
sha256 = "%s"
"""
SHADOWED = '[[access.rule]]\npv = "SIM:A"\nwho = ["group:operators"]\nallow = "none"'


def rules_file(tmp_path: Path, writes: str = "true", more: str = "") -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES_FILE % (writes, more, "0" * 64))
    return path


@pytest.mark.parametrize(
    ("user", "pv", "answer"),
    [
        ("anna", "SIM:A", 'anna in operators, SIM:A: read yes, write yes: access.rule 1 (pv = "SIM:*") allows write'),
        ("", "SIM:A.VAL", 'anonymous, SIM:A.VAL: read yes, write no: access.default is "read"'),
    ],
)
def test_check_config_explains_what_decides(tmp_path: Path, user: str, pv: str, answer: str) -> None:
    path = rules_file(tmp_path)
    code, out, err = run("check-config", path, "--explain", user, pv)
    assert (code, err) == (0, [])
    assert out == f"{answer}\n{path}: no mistakes found\n"


def test_check_config_explains_no_bad_name(tmp_path: Path) -> None:
    code, out, err = run("check-config", rules_file(tmp_path), "--explain", "anna", "SIM:A ")
    assert (code, out) == (1, "")
    assert err == ["pycaserver: The name begins or ends with a space."]


def test_check_config_names_rules_that_never_decide(tmp_path: Path) -> None:
    code, out, err = run("check-config", rules_file(tmp_path, more=SHADOWED), "--explain", "anna", "SIM:A")
    assert code == 1
    assert "write yes" in out
    assert err == ['pycaserver: access.rule 2 (pv = "SIM:A") never decides: access.rule 1 (pv = "SIM:*") comes first']


def test_check_config_notes_rules_without_effect(tmp_path: Path) -> None:
    path = rules_file(tmp_path, writes="false")
    code, out, err = run("check-config", path)
    assert (code, err) == (0, [])
    note, end = out.splitlines()
    assert note.startswith(f'{path}: note: access.rule 1 (pv = "SIM:*") allows write, but access.writes is false')
    assert end == f"{path}: no mistakes found"


def test_token_prints_a_token_once_and_the_lines_for_the_file(tmp_path: Path) -> None:
    code, out, err = run("token", "anna")
    assert (code, err) == (0, [])
    (token,) = re.findall(r"pyca_\S+", out)
    table = out[out.index("[[auth.token]]") :]
    assert hashlib.sha256(token.encode()).hexdigest() in table
    path = tmp_path / "settings.toml"
    path.write_text(table)
    assert run("check-config", path)[0] == 0
    assert token not in run("token", "anna")[1]


def test_token_for_nobody() -> None:
    code, out, err = run("token", "")
    assert (code, out) == (1, "")
    assert err == ["pycaserver: '' cannot be the name of a user"]


@pytest.mark.parametrize("content", [None, "port = ", "\xff"], ids=["missing", "no TOML", "no UTF-8"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "some.toml"
    if content is not None:
        path.write_text(content, "latin-1")
    for arguments in (["check-config", path], ["serve", "--config", path], ["demo", "--config", path]):
        code, out, err = run(*arguments)
        assert (code, out, len(err)) == (1, "", 1)
        assert str(path) in err[0]


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_bad_settings_are_all_named_and_nothing_starts(bad_file: Path, command: str) -> None:
    variables = {"PYCASERVER_LIMITS_SESSONS": "5", "PYCASERVER_SERVER_PORT": "many", "PYCASERVER_CONFIG": str(bad_file)}
    code, out, err = run(command, "--limits-ping-seconds=0", "--log-level=loud", epics=variables)
    assert (code, out) == (1, "")
    wanted = [*BAD_KEYS, *variables, "--limits-ping-seconds", "--log-level"]
    wanted.remove("PYCASERVER_CONFIG")
    assert len(err) == len(wanted)
    for key in wanted:
        assert any(line.startswith(f"pycaserver: {key}") for line in err), key


@pytest.mark.parametrize("arguments", [[], ["serve"], ["demo"]], ids=" ".join)
def test_taken_port_is_one_clear_line(types: CIOC, arguments: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run(*arguments, f"--port={port}", "--log-level=warning", epics=types.env())
    assert (code, out) == (1, "")
    assert err == [f"pycaserver: cannot start: 127.0.0.1, port {port}: Address already in use"]


def test_flags_beat_variables_and_those_the_file(types: CIOC, tmp_path: Path) -> None:
    ports = {"file": free_port(), "variable": free_port(), "flag": free_port()}
    path = tmp_path / "settings.toml"
    path.write_text(f"[server]\nport = {ports['file']}\n")
    variables = {**types.env(), "PYCASERVER_SERVER_PORT": str(ports["variable"])}
    for arguments, given, port in (
        ([], {**types.env(), "PYCASERVER_CONFIG": str(path)}, ports["file"]),
        ([f"--config={path}"], variables, ports["variable"]),
        ([f"--config={path}", f"--port={ports['flag']}"], variables, ports["flag"]),
    ):
        with Command(*arguments, epics=given) as server:
            assert f":{port}/" in server.wait_for_line(LISTENS)
            assert server.end(signal.SIGTERM) == 0


def test_epics_variables_may_be_set_in_the_file(types: CIOC, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    lines = [f'{name} = "{value}"' for name, value in types.env().items()]
    path.write_text("\n".join(["[epics]", *lines, "[pvs]", f'names = ["{types.prefix}ai"]']))
    with Command("--port=0", f"--config={path}") as server:
        url = server.wait_for_line(LISTENS).split()[-1]
        with RawClient(url) as raw:
            assert raw.http(f"/api/pv/{types.prefix}ai").startswith(b"HTTP/1.1 200 ")
        assert server.end(signal.SIGTERM) == 0


def test_json_logs_are_one_object_a_line(types: CIOC) -> None:
    with Command("--port=0", "--log-format=json", "--log-level=debug", epics=types.env()) as server:
        url = server.wait_for_line(LISTENS).split()[-1]
        with RawClient(url) as raw:
            raw.http('/nowhere?"quoted"\\')
        assert server.end(signal.SIGTERM) == 0
    events = [json.loads(line) for line in server.err]
    assert all({"time", "level", "logger", "message"} == event.keys() for event in events)
    assert {"level": "info", "logger": "pycaserver.app", "message": "stopped"}.items() <= events[-1].items()
    (request,) = [event for event in events if event["logger"] == "pycaserver.http"]
    assert request["message"] == "404 GET /nowhere 127.0.0.1"
    assert server.out == [f"pycaserver {pycaserver.__version__} {LISTENS}{url.split(':')[2]}\n"]


def test_text_logs_begin_with_time_and_level(types: CIOC) -> None:
    with Command("--port=0", epics=types.env()) as server:
        server.wait_for_line(LISTENS)
        assert server.end(signal.SIGINT) == 0
    assert all(line.split()[1] == "INFO" and line.startswith("20") for line in server.err)
    assert server.err[-1].endswith("pycaserver.app: stopped\n")
