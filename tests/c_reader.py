"""A C client of Channel Access in a process of its own (aioca on epicscorelibs' libca): python -m tests.c_reader PV...

Prints one JSON object a PV: the elements' bytes as hex (strings as they are), count, stamp and alarm.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.timing import scaled

READ_SECONDS = 20.0


def read(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the C client reads, by name."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.c_reader", *names],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=scaled(READ_SECONDS), check=True,
    )  # fmt: skip
    return {item["name"]: item for item in map(json.loads, result.stdout.splitlines())}


async def _read_all(names: Sequence[str]) -> None:
    import aioca

    values = await aioca.caget(list(names), format=aioca.FORMAT_TIME, timeout=READ_SECONDS / 2)
    for name, value in zip(names, values, strict=True):
        print(json.dumps(_item(name, value)))


def _item(name: str, value: Any) -> dict[str, Any]:
    data = np.atleast_1d(np.asarray(value))
    strings = data.dtype.kind == "U"  # aioca reads a char waveform as text when its name ends in $
    seconds, nanos = value.raw_stamp
    return {
        "name": name,
        "type": int(value.datatype),
        "strings": [str(item) for item in data] if strings else None,
        "bytes": None if strings else data.tobytes().hex(),
        "dtype": data.dtype.str,
        "count": data.size,
        "seconds": int(seconds),
        "nanos": int(nanos),
        "severity": int(value.severity),
        "status": int(value.status),
    }


if __name__ == "__main__":
    asyncio.run(_read_all(sys.argv[1:]))
