"""The demo as a user starts it, `pycaserver demo`, with a folder of pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from tests.processes import Command


@contextmanager
def demo(pages: Path) -> Iterator[str]:
    """Its address, which ends with a slash."""
    with Command("demo", "--port=0", f"--pages={pages}") as command:
        yield command.wait_for_line("pycaserver demo: open http://127.0.0.1:").split()[-1]
        command.end(SIGTERM)
