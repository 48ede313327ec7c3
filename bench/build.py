"""Compiles the benchmark's C sources against epicscorelibs, once, into a folder that the repository ignores."""

import hashlib
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import Final

from epicscorelibs import path as core  # type: ignore[import-untyped]

SOURCES: Final = Path(__file__).parent
FOLDER: Final = SOURCES.parent / "build" / "bench"

WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")
FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-O3", "-pthread", *WARNINGS)
LIBRARIES: Final = {
    "ioc": ("-shared", "-fPIC", "-ldbCore", "-lCom"),
    "load": ("-lm",),
    "receive": ("-lca", "-lComPYEPICS", "-lm"),
}
"""The programs, and what each is linked with and how."""
_PYEPICS_LIBCA: Final = "from epics.ca import find_libca; print(find_libca())"


def build(name: str) -> Path:
    """The compiled program (for "ioc" a shared library); CalledProcessError if it does not compile."""
    folder = _folder_of_pyepics() if name == "receive" else core.lib_path
    command = [which("cc") or "cc", *FLAGS, f"-isystem{core.include_path}", str(SOURCES / f"{name}.c"),
               f"-L{folder}", f"-Wl,-rpath,{folder}", *LIBRARIES[name]]  # fmt: skip
    target = FOLDER / f"{name}-{_fingerprint(name, command)}"
    if not target.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".new")
        subprocess.run([*command, "-o", str(unfinished)], check=True)
        unfinished.rename(target)
    return target


def _folder_of_pyepics() -> Path:
    """The C receiver has the libca of the others; asked in a process of its own, as epicscorelibs is imported here."""
    said = subprocess.run([sys.executable, "-c", _PYEPICS_LIBCA], check=True, capture_output=True, text=True).stdout
    return Path(said.strip()).parent


def _fingerprint(name: str, command: list[str]) -> str:
    sources = [SOURCES / f"{name}.c", *sorted(SOURCES.glob("*.h"))]
    return hashlib.sha256(b"\0".join([repr(command).encode(), *(s.read_bytes() for s in sources)])).hexdigest()[:12]
