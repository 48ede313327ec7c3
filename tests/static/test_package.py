"""What npm would publish: the version of the project, all that is exported, and nothing that belongs to the pages."""

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pycaserver import __version__

STATIC = Path(__file__).parents[2] / "static"
PACKAGE: dict[str, Any] = json.loads((STATIC / "package.json").read_text())
SECONDS = 60
IMPORT = re.compile(r"""(?:from |import |import\(|URL\()"(\.[^"]+\.(?:js|css))\"""")


def files_of(exports: Any) -> Iterator[str]:
    """All paths in a value of `exports`."""
    if isinstance(exports, str):
        yield exports.removeprefix("./")
    else:
        for value in exports.values():
            yield from files_of(value)


def test_the_version_is_that_of_the_project() -> None:
    lock = json.loads((STATIC / "package-lock.json").read_text())
    assert {PACKAGE["version"], lock["version"], lock["packages"][""]["version"]} == {__version__}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as npm makes it, in a node_modules folder."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on the PATH")
    folder = tmp_path_factory.mktemp("packed")
    for name in ("static", "LICENSE"):
        source, ignored = STATIC.parent / name, shutil.ignore_patterns("node_modules")
        shutil.copytree(source, folder / name, ignore=ignored) if source.is_dir() else shutil.copy(source, folder)
    command = [npm, "pack", "--silent"]
    subprocess.run(command, cwd=folder / "static", check=True, timeout=SECONDS, stdout=subprocess.PIPE)
    with tarfile.open(folder / "static" / f"pycaserver-{__version__}.tgz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # newer than Python 3.11.2
        archive.extractall(folder)
    (folder / "node_modules").mkdir()
    return (folder / "package").rename(folder / "node_modules" / "pycaserver")


def test_all_that_is_exported_is_in_it(packed: Path) -> None:
    assert [path for path in files_of(PACKAGE["exports"]) if not (packed / path).is_file()] == []
    assert (packed / "LICENSE").is_file()


def test_all_that_is_imported_is_in_it(packed: Path) -> None:
    modules = [path for path in packed.rglob("*.js") if "vendor" not in path.parts]
    imported = {(path, name) for path in modules for name in IMPORT.findall(path.read_text())}
    assert len(imported) > 20
    assert [(path, name) for path, name in imported if not (path.parent / name).is_file()] == []


def test_the_pages_are_not_in_it(packed: Path) -> None:
    assert list(packed.glob("*.html")) == []
    assert not (packed / "js").exists()


def test_a_program_imports_it_by_its_name(packed: Path) -> None:
    program = 'import * as all from "pycaserver"; console.log(Object.keys(all).join());'
    command = ["node", "--input-type=module", "--eval", program]
    cwd = packed.parents[1]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.stdout.strip(), done.stderr) == ("PVClient,PVError,sharedClient", "")
