"""The hand-written type declarations: a strict program compiles with them, and the modules are what they say."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.npm import node_modules

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "static"
SECONDS = 110
COMMON = {"noEmit": True, "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler", "types": []}


def compile_typescript(folder: Path, file: str, **options: Any) -> str:
    """What the compiler complains about."""
    compiler = node_modules("typescript@5") / "typescript" / "bin" / "tsc"
    paths = {"pycaserver": [str(STATIC / "pycaserver.d.ts")]}
    config = {"compilerOptions": {**COMMON, "paths": paths, **options}, "files": [str(HERE / file)]}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    command = ["node", compiler, "--project", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout


def test_a_strict_program_compiles(tmp_path: Path) -> None:
    assert compile_typescript(tmp_path, "sample.ts", strict=True, lib=["ES2022", "DOM"]) == ""


def test_the_modules_are_what_is_declared(tmp_path: Path) -> None:
    lib = ["ES2022", "DOM", "DOM.Iterable", "ESNext.Disposable"]
    assert compile_typescript(tmp_path, "conformance.ts", allowJs=True, checkJs=True, lib=lib) == ""
