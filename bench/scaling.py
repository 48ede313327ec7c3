"""How the cost of an update grows with what is there beside it. Of pycaserver alone."""

from contextlib import ExitStack

from bench.pairs import SCALARS, Bench, Rows
from bench.processes import Load, Pycaserver
from bench.report import Row
from bench.runs import Run

RATE = 10_000


def scaling(bench: Bench) -> Rows:
    """Each of them by itself, the others being one session with 1000 PVs."""
    for idle in (0, 500, 2000):
        yield _row(f"{idle} idle sessions beside", _run(bench, idle=idle, pvs=1000))
    for pvs in (100, 1000, SCALARS):
        yield _row(f"{pvs} PVs", _run(bench, pvs=pvs))
    for sessions in (1, 10, 100):
        yield _row(f"{sessions} sessions with all PVs", _run(bench, sessions=sessions, pvs=1000))
    for pvs in (SCALARS // 4, SCALARS // 2, SCALARS):
        with bench.sessions(Pycaserver, sessions=1, pvs=pvs) as rig:
            yield Row("scaling", f"{pvs} PVs connected by one session", "s", "", None, rig.load.began["ready"])


def _run(bench: Bench, idle: int = 0, sessions: int = 1, pvs: int = 1) -> Run:
    """At RATE updates a second in all."""
    with bench.sessions(Pycaserver, sessions=sessions, pvs=pvs, total=pvs) as rig, ExitStack() as others:
        if idle:
            others.enter_context(Load(rig.server, bench.ioc, sessions=idle, pvs=0))
        return rig.run(RATE, bench.seconds(3))


def _row(case: str, run: Run) -> Row:
    return Row("scaling", case, "CPU µs/update", "", None, run.cpu_per_post, runs={"pycaserver": run})
