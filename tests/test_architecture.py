"""The import contracts of setup.cfg: imports point inward only."""

import ast
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pycaserver"
LAYERS = ("core", "dialects", "sources", "web")


def test_the_import_contracts_are_kept() -> None:
    """In a process of its own, as it sets up the logging of the one that it runs in."""
    command = (sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache")
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_there_are_contracts_for_every_layer() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    contracts = " ".join(str(dict(config[name])) for name in config.sections() if name.startswith("importlinter:"))
    assert all(f"pycaserver.{layer}" in contracts for layer in LAYERS)


PURE = {"abc", "base64", "collections", "dataclasses", "enum", "fnmatch", "functools", "hashlib", "ipaddress",
        "itertools", "json", "logging", "math", "operator", "re", "secrets", "typing", "weakref"}  # fmt: skip
"""What the inner layers may have of the standard library: nothing that reads a clock, a file or a socket.

Randomness is for encryption."""


@pytest.mark.parametrize("layer", ["core", "dialects"])
def test_the_inner_layers_are_pure(layer: str) -> None:
    imported = {name for module in (PACKAGE / layer).rglob("*.py") for name in imports_of(module)}
    assert imported <= PURE | {"cryptography", "msgspec", "numpy", "pycaserver"}


def imports_of(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names = plain + [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", [PACKAGE, *(PACKAGE / layer for layer in LAYERS)], ids=lambda path: path.name)
def test_package_files_hold_no_code(package: Path) -> None:
    text = (package / "__init__.py").read_text(encoding="utf-8").strip()
    beyond = [line for line in text.splitlines() if not line.startswith(('"""', "__version__", "#")) and line]
    assert not beyond
