"""The IOC of the benchmark: python -m bench.ioc PREFIX LIBRARY SCALARS [COUNTxELEMENTS...]; posts as it is told.

Commands on standard input, answered by a line of JSON each:
`run SET COUNT RATE BURST RUN ROUNDS`; set 0 are the
scalars $(P)d0, $(P)d1, ..., set n the nth waveforms, for example $(P)w1000_0, $(P)w1000_1 for 2x1000.
"""

import ctypes
import json
import sys
import tempfile
from pathlib import Path

from bench.names import scalar_stem, waveform_stem
from tests import c_ioc


class Result(ctypes.Structure):
    """What bench_run returns."""

    _fields_ = (("posted", ctypes.c_uint64), ("rounds", ctypes.c_uint64), ("seconds", ctypes.c_double))


Set = tuple[str, int, int]
"""Stem of the records' names, how many, elements of each (0 for scalars)."""


def sets_of(prefix: str, arguments: list[str]) -> list[Set]:
    """What the command line asks for."""
    sizes = [tuple(map(int, argument.split("x"))) for argument in arguments[1:]]
    waveforms = [(waveform_stem(prefix, elements), count, elements) for count, elements in sizes]
    return [(scalar_stem(prefix), int(arguments[0]), 0), *waveforms]


def database(sets: list[Set]) -> str:
    """The records."""
    return "".join(_record(f"{stem}{index}", elements) for stem, count, elements in sets for index in range(count))


def _record(name: str, elements: int) -> str:
    if elements:
        return f'record(waveform, "{name}") {{ field(FTVL, "DOUBLE") field(NELM, "{elements}") field(EGU, "egu") }}\n'
    return f'record(ai, "{name}") {{ field(EGU, "egu") field(PREC, "3") }}\n'


def open_set(library: ctypes.CDLL, records: Set) -> None:
    """Have the library look the records up; they get the numbers 0, 1, ..."""
    stem, count, elements = records
    names = (ctypes.c_char_p * count)(*(f"{stem}{index}".encode() for index in range(count)))
    if library.bench_open(names, ctypes.c_long(count), bool(elements)) < 0:
        raise RuntimeError(f"the records {stem}... are not there")


def run(library: ctypes.CDLL, words: list[str]) -> str:
    """Post; what was posted, as JSON."""
    number, count, rate, burst, run_number, rounds = words
    result = library.bench_run(
        int(number), ctypes.c_long(int(count)), ctypes.c_double(float(rate)), ctypes.c_long(int(burst)),
        ctypes.c_long(int(run_number)), ctypes.c_long(int(rounds)),
    )  # fmt: skip
    return json.dumps({"posted": result.posted, "rounds": result.rounds, "seconds": result.seconds})


def main() -> None:
    prefix, path, *arguments = sys.argv[1:]
    sets = sets_of(prefix, arguments)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "bench.db"
        file.write_text(database(sets))
        c_ioc.start(str(file), "")
    library = ctypes.CDLL(path)
    library.bench_run.restype = Result
    for records in sets:
        open_set(library, records)
    c_ioc.say("{}")
    for command in sys.stdin:
        c_ioc.say(run(library, command.split()[1:]))


if __name__ == "__main__":
    main()
