"""Packages of npm for tests, in a cache outside the repository; tests skip, and say why, where they cannot be had."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL_SECONDS = 100.0


def node_modules(*packages: str) -> Path:
    """The folder that has them, such as "socket.io-client@4"; fetched once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and node are not on the PATH")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pycaserver-tests"
    folder = cache / "_".join(packages).replace("/", "-")
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _install(folder, packages)
        (folder / "complete").touch()
    return folder / "node_modules"


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *packages]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer: is there a network?")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"npm could not install {packages}: {error.stderr.strip()[-200:]}")
