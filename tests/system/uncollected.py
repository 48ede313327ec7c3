"""A server without garbage collection: `python -m tests.system.uncollected serve`. At SIGUSR1 it tells its garbage."""

import gc
import signal
import sys
from collections import Counter
from types import FrameType

from pycaserver.cli import main

TOLD = "garbage:"


def tell(number: int, frame: FrameType | None) -> None:
    """Print the types of what only a collection would free, and free it."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    counts = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
    gc.set_debug(0)
    gc.garbage.clear()
    gc.collect()
    print(TOLD, *(f"{name}*{count}" for name, count in counts.most_common()), flush=True)


if __name__ == "__main__":
    gc.disable()
    signal.signal(signal.SIGUSR1, tell)
    sys.exit(main())
