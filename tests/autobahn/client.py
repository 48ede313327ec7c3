"""Autobahn's fuzzing client: had from the package index, run by Python 2.7, for which it is written."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.servers import Server
from tests.timing import scaled

PACKAGE: Final = "autobahntestsuite==0.8.2"
RUN: Final = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; run()"
"""A program of its own, since its packages of namespaces need a folder for sites."""
INSTALL_SECONDS: Final = 120.0
RUN_SECONDS: Final = 300.0
SETTINGS: Final = {"limits-message-bytes": 32 << 20, "limits-backlog-bytes": 64 << 20}
NO_IOC: Final = {"EPICS_CA_ADDR_LIST": "127.0.0.1", "EPICS_CA_AUTO_ADDR_LIST": "NO"}

ALL: Final = ("*",)
QUICK: Final = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.1.*", "6.2.*", "6.5.*", "6.22.*", "7.*", "10.*")
"""Those that wait for nothing; the others are those of wrong UTF-8, half a second each, which own tests cover."""
EXCLUDED: Final = ("9.*", "12.*", "13.*")
"""How fast large messages are, which bench/ measures, and compression, which the server does not offer."""

KNOWN: Final = {f"6.4.{number}": "NON-STRICT" for number in range(1, 5)}
"""Wrong UTF-8 in a first fragment is noticed when the message is whole; RFC 6455 (8.1) allows it."""
FINE: Final = ("OK", "INFORMATIONAL")


def run(cases: Sequence[str], folder: Path) -> dict[str, str]:
    """Case to how the server behaved; reports are left in the folder. Skips, with the reason, without a Python 2.7."""
    python, packages = _python(), _packages()
    with Server(NO_IOC, SETTINGS, program=("-m", "tests.autobahn.echo")) as server:
        specification = {
            "outdir": str(folder),
            "servers": [{"agent": "pycaserver", "url": server.monitor_url.replace("monitor", "echo")}],
            "cases": list(cases),
            "exclude-cases": list(EXCLUDED),
            "exclude-agent-cases": {},
        }
        (folder / "specification.json").write_text(json.dumps(specification))
        options = ("-m", "fuzzingclient", "-s", str(folder / "specification.json"))
        command = [python, "-W", "ignore", "-c", RUN, str(packages), *options]
        subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=scaled(RUN_SECONDS))
        assert "Traceback" not in server.output
    report: dict[str, Any] = json.loads((folder / "index.json").read_text())["pycaserver"]
    return {case: _behaviour(result) for case, result in report.items()}


def surprises(behaviours: Mapping[str, str]) -> dict[str, str]:
    """The cases that behave otherwise than known."""
    return {case: how for case, how in behaviours.items() if how not in (*FINE, KNOWN.get(case))}


def _behaviour(result: Mapping[str, Any]) -> str:
    """How it answered; if that is fine, how it closed: FAILED BY CLIENT is the client's own doing."""
    behaviour, closed = str(result["behavior"]), str(result["behaviorClose"])
    return closed if behaviour in FINE and closed in ("WRONG CODE", "UNCLEAN") else behaviour


@cache
def _python() -> str:
    """PYCASERVER_TEST_PYTHON2, or python2.7 on the PATH or among the versions of pyenv."""
    versions = sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    for program in (os.environ.get("PYCASERVER_TEST_PYTHON2"), shutil.which("python2.7"), *map(str, versions)):
        if program and subprocess.run([program, "-V"], capture_output=True, check=False).returncode == 0:
            return program
    pytest.skip("no Python 2.7, which Autobahn's fuzzing client needs; PYCASERVER_TEST_PYTHON2 may name one")


@cache
def _packages() -> Path:
    """The folder that has the client; fetched once, into a cache outside the repository."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache_home / "pycaserver-tests" / PACKAGE
    if not (folder / "complete").exists():
        command = [_python(), "-m", "pip", "install", "--quiet", "--target", str(folder), PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=scaled(INSTALL_SECONDS))
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{PACKAGE} could not be installed: {error}")
        (folder / "complete").touch()
    return folder
