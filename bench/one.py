"""One server at one rate, or its highest one, for whoever is looking for what limits it: python -m bench.one --help"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.processes import IOC, Naive, Pycaserver, Server, raise_file_limit
from bench.rigs import Sessions
from bench.runs import Run
from bench.search import Search, highest_rate

SERVERS: Final = {server.name: server for server in (Naive, Pycaserver)}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.one", description="One server at one rate, or more.")
    parser.add_argument("--server", choices=SERVERS, default=Pycaserver.name)
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--pvs", type=int, default=1000, help="subscriptions of each session")
    parser.add_argument("--stride", type=int, default=0, help="session n has the PVs from n x stride on")
    parser.add_argument("--total", type=int, help="PVs in all (default: as many as a session has)")
    parser.add_argument("--elements", type=int, default=0, help="of each PV; 0: scalars")
    parser.add_argument("--encoding", choices=("json", "base64", "binary"), default="json")
    parser.add_argument("--no-batch", action="store_true", help="one message a frame")
    parser.add_argument("--stalled", type=int, default=0, help="sessions that never read, beside the others")
    parser.add_argument(
        "--rate", type=float, nargs="*", default=[50_000], help="posts a second in all; several in turn"
    )
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--burst", type=int, default=1, help="ms between bursts of posts; 0: each post by itself")
    parser.add_argument("--highest", action="store_true", help="look for the highest sustained rate, from --rate on")
    parser.add_argument("--profile", metavar="FILE", help="have py-spy record the server (raw: FILE.txt, else SVG)")
    parser.add_argument("--json", action="store_true", help="all figures")
    return parser


def line_of(run: Run) -> str:
    """What is told of a run."""
    cores = ", ".join(f"{name} {share:.2f}" for name, share in run.cores.items())
    verdict = "sustained" if run.sustained() else f"NOT SUSTAINED (lost {run.lost}, coalesced {run.coalesced})"
    return (
        f"{run.rate:10.0f}/s in, {run.received / run.seconds:10.0f}/s out; p50 {run.p50:.2f} p99 {run.p99:.2f} "
        f"max {run.max:.1f} ms; drain {run.drain:.2f} s; cores: {cores}; {run.cpu_per_post:.2f} µs/post; {verdict}"
    )


def profiler(server: Server, file: str, seconds: float) -> "subprocess.Popen[bytes]":
    """py-spy on the server, all threads, native frames included."""
    beside = str(Path(sys.executable).parent)
    program = shutil.which("py-spy", path=os.pathsep.join((beside, os.environ.get("PATH", ""))))
    if not program:
        sys.exit("py-spy is not installed")
    kind = "raw" if file.endswith(".txt") else "flamegraph"
    options = ["--native", "--threads", "--rate", "200", "--duration", f"{max(1, seconds):.0f}", "--format", kind]
    return subprocess.Popen([program, "record", *options, "--output", file, "--pid", str(server.pid)])


def main() -> None:
    arguments = parser().parse_args()
    raise_file_limit()
    total = arguments.total or arguments.pvs
    sizes = {arguments.elements: total} if arguments.elements else {}
    scalars = 1 if arguments.elements else total
    with IOC(scalars, sizes) as ioc:
        options = {"action": "options", "batch": not arguments.no_batch, "encoding": arguments.encoding}
        rig = Sessions(
            ioc, SERVERS[arguments.server], 1 if sizes else 0, posted=total, options=options,
            sessions=arguments.sessions + arguments.stalled, stalled=arguments.stalled, pvs=arguments.pvs,
            stride=arguments.stride, total=total,
        )  # fmt: skip
        with rig:
            print(
                f"{arguments.server} is process {rig.server.pid}; ready after {rig.load.began['ready']} s", flush=True
            )
            _runs(rig, arguments)


def _runs(rig: Sessions, arguments: argparse.Namespace) -> None:
    if arguments.highest:
        loss = 0.001 if arguments.server == Naive.name else 0.0
        best = highest_rate(rig, arguments.rate[0], Search(), loss)
        print(line_of(best) if best else "nothing is sustained")
        return
    for rate in arguments.rate:
        profile = profiler(rig.server, arguments.profile, arguments.seconds) if arguments.profile else None
        before = rig.server.threads()
        run = rig.run(rate, arguments.seconds, arguments.burst)
        after = rig.server.threads()
        if profile:
            profile.wait()
        print(json.dumps(run.as_json(), indent=2) if arguments.json else line_of(run), flush=True)
        posts = run.rate * run.seconds
        costs = {name: 1e6 * (seconds - before.get(name, 0)) / posts for name, seconds in after.items()}
        shares = (f"{name} {cost:.2f}" for name, cost in costs.items() if cost > 0)
        print(f"µs/post by thread: {', '.join(shares)}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
