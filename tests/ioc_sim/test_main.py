"""The command line."""

import subprocess
import sys

from ioc_sim import pv_names
from tests.ca_search import search
from tests.iocs import ROOT, SimIOC
from tests.timing import scaled


def test_list_pvs() -> None:
    command = [sys.executable, "-W", "error", "-m", "ioc_sim", "--prefix", "LIST:", "--list-pvs"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output.splitlines() == pv_names("LIST:")


def test_names_are_had_without_loading_caproto_at_import() -> None:
    program = "import sys, ioc_sim; sys.exit('caproto' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_every_pv_answers_a_search_and_no_other_name_does(ioc: SimIOC) -> None:
    for name in pv_names(ioc.prefix):
        assert search(name, ioc.port, 5.0) == ioc.port
    assert search(f"{ioc.prefix}ABSENT", ioc.port) is None


def test_one_line_when_ready_then_silence_and_a_clean_end() -> None:
    ioc = SimIOC()
    with ioc:
        assert search(f"{ioc.prefix}DOUBLE", ioc.port, 5.0) == ioc.port
    assert ioc.output == f"ioc_sim: ready, prefix {ioc.prefix}\n"
    assert ioc.process.returncode == 0


def test_end_with_the_program_that_started_it() -> None:
    with SimIOC() as ioc:
        assert ioc.process.stdin is not None
        ioc.process.stdin.close()
        assert ioc.process.wait(scaled(5.0)) == 0
