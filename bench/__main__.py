"""python -m bench: runs the scenarios, prints the table, writes JSON and a plot."""

import argparse
import time
from pathlib import Path

from bench.build import FOLDER, build
from bench.pairs import SCALARS, WAVEFORMS, Bench
from bench.processes import IOC, raise_file_limit
from bench.report import Row, conditions, plot, table, write_json
from bench.scenarios import FULL, QUICK, SCENARIOS


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="pycaserver beside a naive server.")
    parser.add_argument("--quick", action="store_true", help="fewer scenarios, less exactly")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", default=FOLDER / "result.json")
    return parser


def main() -> None:
    arguments = parser().parse_args()
    raise_file_limit()
    for name in ("ioc", "load", "receive"):
        build(name)
    print("\n".join(f"{name}: {value}" for name, value in conditions().items()), flush=True)
    began = time.monotonic()
    rows: list[Row] = []
    with IOC(SCALARS, WAVEFORMS) as ioc:
        bench = Bench(ioc, arguments.quick)
        for name in arguments.only or (QUICK if arguments.quick else FULL):
            rows += _run(name, bench)
    seconds = time.monotonic() - began
    print(f"\n{table(rows)}\n\nmeasured in {seconds:.0f} s")
    write_json(arguments.json, rows, seconds)
    picture = arguments.json.with_suffix(".svg")
    print(f"{arguments.json}" + (f", {picture}" if plot(picture, rows) else "; no plot without matplotlib"))


def _run(name: str, bench: Bench) -> list[Row]:
    began = time.monotonic()
    print(f"{name} ...", end=" ", flush=True)
    rows = list(SCENARIOS[name](bench))
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    return rows


if __name__ == "__main__":
    main()
