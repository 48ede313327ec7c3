"""The modules of the JavaScript client by themselves: the files beside this one, run by Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.timing import scaled

HERE = Path(__file__).parent
SECONDS = 60


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_in_node(file: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not on the PATH")
    command = [node, "--no-warnings", "--test", "--test-reporter=tap", file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=scaled(SECONDS), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 0" not in done.stdout
