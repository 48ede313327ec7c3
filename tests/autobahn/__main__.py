"""`python -m tests.autobahn`: all its cases, some minutes; exit code 1 if one behaves otherwise than known."""

import sys
import tempfile
from pathlib import Path

from tests.autobahn.client import ALL, run, surprises


def main() -> int:
    """Run them and say what is new."""
    with tempfile.TemporaryDirectory() as folder:
        behaviours = run(ALL, Path(folder))
    new = surprises(behaviours)
    print(f"{len(behaviours)} cases, {len(new)} not as known", *map(" ".join, new.items()), sep="\n")
    return bool(new)


sys.exit(main())
