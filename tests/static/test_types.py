"""The hand-written type declarations: a strict program compiles with them, and the modules are what they say."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.npm import node_modules

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "static"
SECONDS = 110
COMMON = {"noEmit": True, "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler", "types": []}


def compile_typescript(folder: Path, file: str, **options: Any) -> str:
    """What the compiler complains about."""
    compiler = node_modules("typescript@5") / "typescript" / "bin" / "tsc"
    declared = {"pycaserver": "pycaserver.d.ts", "pycaserver/elements": "epics-elements.d.ts"}
    paths = {name: [str(STATIC / file)] for name, file in declared.items()}
    config = {"compilerOptions": {**COMMON, "paths": paths, **options}, "files": [str(HERE / file)]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    command = ["node", compiler, "--project", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout


@pytest.mark.parametrize("program", ["sample.ts", "elements.ts"])
def test_a_strict_program_compiles(tmp_path: Path, program: str) -> None:
    assert compile_typescript(tmp_path, program, strict=True, lib=["ES2022", "DOM"]) == ""


def test_the_modules_are_what_is_declared(tmp_path: Path) -> None:
    lib = ["ES2022", "DOM", "DOM.Iterable", "ESNext.Disposable"]
    assert compile_typescript(tmp_path, "conformance.ts", allowJs=True, checkJs=True, lib=lib) == ""
