"""Compiles the benchmark's C sources against epicscorelibs, once, into a folder that the repository ignores."""

import hashlib
import subprocess
from pathlib import Path
from shutil import which
from typing import Final

from epicscorelibs import path as epics  # type: ignore[import-untyped]

SOURCES: Final = Path(__file__).parent
FOLDER: Final = SOURCES.parent / "build" / "bench"

WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")
FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-O3", "-pthread", *WARNINGS)
LIBRARIES: Final = {
    "ioc": ("-shared", "-fPIC", "-ldbCore", "-lCom"),
    "load": ("-lm",),
    "receive": ("-lca", "-lCom", "-lm"),
}
"""The programs, and what each is linked with and how."""


def build(name: str) -> Path:
    """The compiled program (for "ioc" a shared library); CalledProcessError if it does not compile."""
    command = [which("cc") or "cc", *FLAGS, f"-isystem{epics.include_path}", str(SOURCES / f"{name}.c"),
               f"-L{epics.lib_path}", f"-Wl,-rpath,{epics.lib_path}", *LIBRARIES[name]]  # fmt: skip
    target = FOLDER / f"{name}-{_fingerprint(name, command)}"
    if not target.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".new")
        subprocess.run([*command, "-o", str(unfinished)], check=True)
        unfinished.rename(target)
    return target


def _fingerprint(name: str, command: list[str]) -> str:
    sources = [SOURCES / f"{name}.c", *sorted(SOURCES.glob("*.h"))]
    return hashlib.sha256(b"\0".join([repr(command).encode(), *(s.read_bytes() for s in sources)])).hexdigest()[:12]
