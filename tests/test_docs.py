"""The documentation says what the code does: no setting, code, message, metric or command is missing or made up."""

import argparse
import ast
import json
import re
import runpy
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from msgspec import Struct
from msgspec.structs import fields

from pycaserver import cli, settings
from pycaserver.core import messages, requests
from pycaserver.core.errors import CLOSE_CODES, ERROR_CODES
from pycaserver.core.figures import Figures
from pycaserver.core.messages import MESSAGES
from pycaserver.core.names import SCHEMES
from pycaserver.core.requests import REQUESTS
from pycaserver.dialects.native import NativeDialect
from pycaserver.sources.functions import FUNCTIONS
from pycaserver.sources.local import KINDS
from pycaserver.sources.sim import CONST, PARAMETERS, signal_of
from pycaserver.sources.stat import FIGURES
from pycaserver.web.metrics import registry_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pycaserver"
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
PROTOCOL = REFERENCE / "monitor-protocol.md"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


# -- reading Markdown


def without_code(text: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def fenced(page: Path, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def section(page: Path, heading: str) -> str:
    """What stands under that heading, up to the next one of its level or above."""
    level = heading.split(" ")[0]
    text = without_code(page.read_text())
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"{page.name} has no {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    ruled = [number for number, row in enumerate(cells) if set("".join(row)) <= set("-:")]
    return [row for number, row in enumerate(cells) if not {number, number + 1} & set(ruled)]


def first_column(text: str) -> list[str]:
    """The names in backticks of the tables' first columns."""
    return [name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])]


def anchors(page: Path) -> set[str]:
    """What a link into the page may name, by the rule of GitHub."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def same(documented: list[str], real: Iterator[str] | set[str]) -> None:
    """Nothing missing, nothing made up, nothing twice."""
    assert sorted(documented) == sorted(real)


# -- the reference pages


def test_error_codes() -> None:
    same(first_column(section(PROTOCOL, "## Errors")), set(ERROR_CODES))


def test_close_codes_and_whether_to_reconnect() -> None:
    table = {row[0]: row[2].split(":")[0].split(",")[0] for row in rows(section(PROTOCOL, "## Close codes"))}
    assert table == {str(close.code): "yes" if close.reconnect else "no" for close in CLOSE_CODES}


def tag(struct: type[Struct]) -> str:
    """How the wire calls it."""
    return str(struct.__struct_config__.tag)


def keys(struct: type[Struct]) -> set[str]:
    """The keys on the wire, without the tag."""
    return {field.encode_name for field in fields(struct)}


def test_requests_and_their_keys() -> None:
    table = rows(section(PROTOCOL, "## Requests"))
    documented = {row[0].strip("`"): set(re.findall(r"`(\w+)`", row[1])) for row in table}
    options = keys(requests.OptionKeys) - {"id"}
    assert documented == {
        tag(request): keys(request) - options - {"id"} for request in REQUESTS
    }  # options have a table of their own, id a sentence


def test_options() -> None:
    same(first_column(section(PROTOCOL, "## Options")), keys(requests.SetOptions) - {"id"})


MESSAGE_SECTIONS = {
    "### `connection`": (messages.Connection,),
    "### `monitor` and `get`": (messages.Monitor, messages.GetAnswer),
    "### `metadata` and `info`": (messages.MetadataMessage, messages.InfoAnswer),
    "### `access`": (messages.AccessMessage,),
    "### `put`, the answer": (messages.PutAnswer,),
    "### `list`": (messages.ListAnswer,),
    "### `history`": (messages.HistoryAnswer,),
    "### `events`": (messages.EventsAnswer,),
    "### `options`, the answer": (messages.OptionsAnswer,),
    "### `pong`": (messages.Pong,),
    "### `authenticate`, the answer": (messages.AuthenticateAnswer,),
    "### `error`": (messages.Error,),
}


def test_every_message_has_its_section() -> None:
    assert {struct for structs in MESSAGE_SECTIONS.values() for struct in structs} == set(MESSAGES)
    headings = re.findall(r"^### .*$", section(PROTOCOL, "## Messages"), flags=re.MULTILINE)
    assert headings == list(MESSAGE_SECTIONS)


@pytest.mark.parametrize("heading", MESSAGE_SECTIONS)
def test_keys_of_messages(heading: str) -> None:
    same(first_column(section(PROTOCOL, heading)), set[str]().union(*map(keys, MESSAGE_SECTIONS[heading])))


def test_reasons_and_severities() -> None:
    text = section(PROTOCOL, "## Messages")
    severities = get_args({field.name: field for field in fields(messages.Monitor)}["severity"].type)
    for word in ("lost", "not_found", "read_denied", *severities):
        assert f'`"{word}"`' in text


def test_metrics() -> None:
    site: Any = SimpleNamespace(figures=Figures(), pool=SimpleNamespace(states=Counter))
    families = [(family, sample.name) for family in registry_of(site).collect() for sample in family.samples]
    samples = {(family.name if family.type == "histogram" else name, family.type) for family, name in families}
    documented = [(row[0].strip("`"), row[1]) for row in rows((REFERENCE / "metrics.md").read_text())]
    assert sorted(documented) == sorted(samples)


OWN_PVS = REFERENCE / "simulated-pvs.md"


def test_simulated_pvs_and_their_arguments() -> None:
    text = section(OWN_PVS, "## Simulated: `sim://`")
    functions, arguments = text.split("| argument |")
    same(first_column(functions), {*FUNCTIONS, CONST})
    same(first_column("| argument |" + arguments), set(PARAMETERS))
    documented = {name: row[1:3] for row in rows("| argument |" + arguments) for name in re.findall(r"`(\w+)`", row[0])}
    assert {name: [float(cell.replace(",", "")) for cell in cells] for name, cells in documented.items()} == {
        name: [bounds.least, bounds.most] for name, bounds in PARAMETERS.items()
    }


def test_arguments_of_simulated_pvs_when_there_are_none() -> None:
    for row in rows(section(OWN_PVS, "## Simulated: `sim://`").split("| argument |")[0]):
        name, given = row[0].strip("`"), row[2].strip("`")
        if name in FUNCTIONS:
            bare, spelled = signal_of(name), signal_of(name + given)
            assert (bare.metadata, bare.update) == (spelled.metadata, spelled.update)
            assert np.array_equal(bare.at(7), spelled.at(7))  # type: ignore[arg-type]


def test_types_of_local_pvs() -> None:
    same(first_column(section(OWN_PVS, "## Local: `loc://`")), set(KINDS))


def test_figures_that_are_pvs() -> None:
    table = rows(section(OWN_PVS, "## Figures of the server: `stat://`"))
    assert {row[0].strip("`"): row[1] for row in table} == {name: figure.units for name, figure in FIGURES.items()}


def test_prefixes_of_names() -> None:
    same(first_column(section(REFERENCE / "pv-names.md", "## Prefixes")), set(SCHEMES))


def test_settings_page_is_up_to_date() -> None:
    render = runpy.run_path(str(REFERENCE / "make_settings.py"))["render"]
    assert (REFERENCE / "settings.md").read_text() == render(), "run: python docs/reference/make_settings.py"


def test_settings_page_has_every_setting() -> None:
    page = REFERENCE / "settings.md"
    for name in settings.SECTIONS:
        expected = {setting.key for setting in settings.table() if setting.section == name}
        same(first_column(section(page, f"## `[{name}]`")), expected)
    for name, struct in settings.TABLES.items():
        same(first_column(section(page, f"## `[[{name}]]`")), set(struct.__struct_fields__))


def test_commands() -> None:
    text = (REFERENCE / "command-line.md").read_text()
    actions = cli._parser()._actions
    commands = next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))
    same(re.findall(r"^## `pycaserver ([\w-]+)`$", text, flags=re.MULTILINE), set(commands))


def test_modules_of_the_architecture() -> None:
    modules = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")}
    real = {".".join(module.parts) for module in modules if not module.name.startswith("__")}
    same(first_column(section(DOCS / "explanation" / "architecture.md", "## Modules")), real)


def test_log_lines_are_those_of_the_code() -> None:
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    strings = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    documented = first_column(section(DOCS / "how-to" / "troubleshoot.md", "## Log lines"))
    assert documented and set(documented) <= strings


def test_every_decision_is_on_the_map() -> None:
    files = {path.name for path in (DOCS / "explanation" / "decisions").iterdir()}
    same(re.findall(r"decisions/([\w.-]+)\)", (DOCS / "index.md").read_text()), files)


# -- mentions


def test_mentioned_settings_exist() -> None:
    known = {setting.name for setting in settings.table()} | {*settings.SECTIONS, *settings.TABLES}
    sections = "|".join(settings.SECTIONS)
    for page in PAGES:
        mentioned = set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", page.read_text()))
        assert mentioned <= known, page.name


def test_mentioned_variables_exist() -> None:
    known = {setting.variable for setting in settings.table()} | {settings.CONFIG_VARIABLE}
    for page in PAGES:
        mentioned = set(re.findall(r"\bPYCASERVER_[A-Z_]*[A-Z]\b", page.read_text())) - {"PYCASERVER_TEST"}
        assert mentioned <= known, page.name


def test_mentioned_metrics_exist() -> None:
    known = {*first_column((REFERENCE / "metrics.md").read_text()), "pycaserver_loop_lag_seconds_bucket"}
    for page in PAGES:
        mentioned = set(re.findall(r"\bpycaserver_(?!build\b)\w+", page.read_text()))
        assert mentioned <= known, page.name


# -- links and examples


@each_page
def test_relative_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def decoded(line: str) -> Struct:
    """An example, a request or a message, as the struct that it is; it has no keys that the struct lacks."""
    example = json.loads(line)
    if "msg_type" not in example:
        return NativeDialect().decode(line.encode())
    struct = next(struct for struct in MESSAGES if tag(struct) == example["msg_type"])
    assert example.keys() <= keys(struct) | {"msg_type"}
    return msgspec.json.decode(line, type=struct)


@each_page
def test_json_examples(page: Path) -> None:
    for block in fenced(page, "json"):
        for line in block.splitlines():
            decoded(line)


def test_the_protocol_page_shows_every_request_and_message() -> None:
    shown = {type(decoded(line)) for block in fenced(PROTOCOL, "json") for line in block.splitlines()}
    assert shown == {*REQUESTS, *MESSAGES}


@each_page
def test_toml_examples(page: Path, tmp_path: Path) -> None:
    for block in fenced(page, "toml"):
        file = tmp_path / "pycaserver.toml"
        file.write_text(block)
        settings.load(file, {}, {})


@each_page
def test_python_examples_compile(page: Path) -> None:
    for block in fenced(page, "python"):
        compile(block, page.name, "exec")


def test_the_readme_has_one_example_for_the_console() -> None:
    (example,) = fenced(ROOT / "README.md", "js")
    assert "new WebSocket(" in example


@each_page
def test_no_machine_paths(page: Path) -> None:
    text = page.read_text()
    for path in {ROOT, ROOT.parent, Path.home(), Path(tempfile.gettempdir())} - {Path("/")}:
        assert not re.search(rf"(?<![\w/.]){re.escape(str(path))}\b", text), path
