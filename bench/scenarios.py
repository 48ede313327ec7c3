"""The scenarios: each measures the servers in pairs, one after the other on one IOC, and gives rows of the result."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from bench.pairs import LOSS, PAIR, SCALARS, WAVEFORMS, Bench, Rows, of, pair
from bench.processes import Load, Naive, Pycaserver
from bench.report import Row
from bench.rigs import BATCHES, Receiving, Rig, Sessions
from bench.runs import Run
from bench.scaling import scaling
from bench.search import highest_rate

# -- rates


def rates(bench: Bench) -> Rows:
    """The highest sustained lossless rate."""
    for sessions, pvs, floor, first in ((1, 4000, 20, (8000, 50_000)), (10, 1500, 60, (2000, 30_000)),
                                        (100, 200, 100, (250, 8000))):  # fmt: skip
        runs: dict[str, Run | None] = {}
        for make, start in zip(PAIR, first, strict=True):
            count = pvs // 4 if bench.quick else pvs
            with bench.sessions(make, sessions=sessions, pvs=count, total=count) as rig:
                runs[make.name] = highest_rate(rig, start, bench.search, LOSS if make is Naive else 0)
        case = f"{sessions} session{'s' * (sessions > 1)}"
        yield pair("highest rate", case, "updates/s in", "rate", runs, more_is_better=True, floor=floor)
        yield pair("highest rate", case, "CPU µs/message", "cpu_per_message", runs)


def single_frames(bench: Bench) -> Rows:
    """The same without batches, one message a frame as old pages have it."""
    with bench.sessions(Pycaserver, sessions=1, pvs=4000, total=4000, options=None) as rig:
        run = highest_rate(rig, 50_000, replace(bench.search, bisections=1))
    yield Row("highest rate", "1 session, no batches", "updates/s in", "", None, of(run, "rate"), runs={"ours": run})


def receiving(bench: Bench) -> Rows:
    """Channel Access alone, no sessions."""
    runs: dict[str, Run | None] = {}
    for kind, first in (("C", 300_000), ("epics", 20_000), ("pycaserver", 100_000)):
        with Receiving(bench.ioc, kind, pvs=4000) as rig:
            runs[kind] = highest_rate(rig, first, replace(bench.search, bisections=2), LOSS)
    ours = runs["pycaserver"]
    for kind, name, floor in (("epics", "epics.PV", 10), ("C", "C", 0.3)):
        theirs = runs[kind]
        both = {name: theirs, "pycaserver": ours}
        yield Row("receiving", "highest rate", "updates/s in", name, of(theirs, "rate"), of(ours, "rate"),
                  more_is_better=True, floor=floor, runs=both)  # fmt: skip
        yield Row("receiving", "at that rate", "CPU µs/update", name, of(theirs, "cpu_per_post"),
                  of(ours, "cpu_per_post"), runs=both)  # fmt: skip


def latency(bench: Bench) -> Rows:
    """Percentiles at fixed rates, in bursts every ms."""

    def at_all_rates(rig: Sessions) -> list[Run]:
        return [rig.run(rate, bench.seconds(2)) for rate in (1000, 10_000, 50_000)]

    results = bench.on_both(at_all_rates, sessions=1, pvs=1000, total=1000)
    for theirs, ours in zip(*results.values(), strict=True):
        runs = {"naive": theirs, "pycaserver": ours}
        case = f"{ours.commanded:,} updates/s"
        limit = 3 if ours.commanded == 50_000 else None
        yield pair("latency", case, "p50 ms", "p50", runs)
        yield pair("latency", case, "p99 ms", "p99", runs, limit=limit)
        yield pair("latency", case, "lost", "lost", runs, limit=0)
        yield pair("latency", case, "CPU µs/update", "cpu_per_post", runs)


def scanned(bench: Bench) -> Rows:
    """1000 PVs at 10 Hz to one session: all at once, as one scan thread posts them; and evenly spread."""
    cases = (("all at once", 100, 0.1), ("evenly spread", 1, None))
    for case, burst, limit in cases[:1] if bench.quick else cases:
        run = partial(Sessions.run, rate=10_000, seconds=bench.seconds(3), burst=burst)
        runs = bench.on_both(run, sessions=1, pvs=1000, total=1000)
        yield pair("1000 PVs x 10 Hz", case, "cores", "server_cores", runs, limit=limit)
        yield pair("1000 PVs x 10 Hz", case, "p99 ms", "p99", runs)


# -- waveforms

RATES: Final = {
    1000: {"naive": 50, "json": 200, "base64": 500, "binary": 500, "C": 1000},
    100_000: {"naive": 4, "json": 10, "base64": 20, "binary": 40, "C": 200},
    1_000_000: {"naive": 1, "json": 2, "base64": 4, "binary": 10, "C": 30},
}
"""Elements to posts a second, such that each can follow; what counts is the processor time of one that arrives."""


def waveforms(bench: Bench) -> Rows:
    """Processor time of one waveform to one session, by encoding."""
    for number, (elements, rates) in enumerate(RATES.items(), start=1):
        runs = {name: _waveform_run(bench, name, number, WAVEFORMS[elements], rate) for name, rate in rates.items()}
        case = f"{elements:,} doubles"
        for encoding in ("json", "base64", "binary"):
            yield _waveform_row(f"{case}, {encoding}", "naive", runs["naive"], runs[encoding])
        floor = 1 / 3 if elements == 1_000_000 else None
        yield _waveform_row(f"{case}, binary", "C", runs["C"], runs["binary"], floor)


def _waveform_run(bench: Bench, name: str, number: int, count: int, rate: float) -> Run:
    seconds = bench.seconds(1.5)
    rig: Rig
    if name == "C":
        rig = Receiving(bench.ioc, "C", number, pvs=count)
    elif name == "naive":
        rig = bench.sessions(Naive, number, sessions=1, pvs=count)
    else:
        rig = bench.sessions(Pycaserver, number, sessions=1, pvs=count, options={**BATCHES, "encoding": name})
    with rig:
        return rig.run(rate, seconds)


def _waveform_row(case: str, baseline: str, theirs: Run, ours: Run, floor: float | None = None) -> Row:
    runs: dict[str, Run | None] = {baseline: theirs, "pycaserver": ours}
    figures = (theirs.cpu_per_message / 1000, ours.cpu_per_message / 1000)
    return Row("waveforms", case, "CPU ms each", baseline, *figures, floor=floor, runs=runs)


# -- crowds


def crowd(bench: Bench) -> Rows:
    """1000 sessions with 10 of 1000 PVs each, at 1 Hz."""

    def act(rig: Sessions) -> tuple[Run, float]:
        return rig.run(1000, max(2, bench.seconds(3))), rig.server.memory() / 1e6

    results = bench.on_both(act, sessions=1000, pvs=10, stride=10, total=1000, posted=1000)
    runs, megabytes = _split(results)
    case = "1000 sessions x 10 PVs x 1 Hz"
    yield pair("crowd", case, "cores", "server_cores", runs)
    yield pair("crowd", case, "p99 ms", "p99", runs, limit=500)
    yield pair("crowd", case, "lost", "lost", runs, limit=0)
    yield Row("crowd", case, "MB resident", "naive", *megabytes, limit=150)


def stalled(bench: Bench) -> Rows:
    """Five sessions that never read beside a healthy one; ten waveforms of 1000 doubles, some 3 MB/s to each."""

    def act(rig: Sessions) -> tuple[Run, float]:
        before = rig.server.memory()
        return rig.run(150, bench.seconds(6), 0), (rig.server.memory() - before) / 5e6

    runs, megabytes = _split(bench.on_both(act, 1, sessions=6, stalled=5, pvs=10))
    yield pair("5 stalled sessions", "the healthy one", "p99 ms", "p99", runs)
    yield pair("5 stalled sessions", "the healthy one", "lost", "lost", runs, limit=0)
    yield Row("5 stalled sessions", "each of the stalled", "MB", "naive", *megabytes, limit=2.2)


def _split(results: dict[str, tuple[Run, float]]) -> tuple[dict[str, Run], list[float]]:
    return {name: run for name, (run, _) in results.items()}, [figure for _, figure in results.values()]


def storm(bench: Bench) -> Rows:
    """1000 sessions that connect all at once, each to 100 of 1000 PVs; until all have a value of each."""
    sessions, pvs = (300, 50) if bench.quick else (1000, 100)
    began = bench.on_both(
        lambda rig: rig.load.began, sessions=sessions, pvs=pvs, stride=10, total=1000, posted=1000, window=sessions
    )
    case = f"{sessions} sessions x {pvs} PVs"
    for what, key, limit in (("connected", "open", 5), ("all values there", "ready", None)):
        figures = (each[key] for each in began.values())
        yield Row("connect storm", f"{case}, {what}", "s", "naive", *figures, limit=limit)


def memory(bench: Bench) -> Rows:
    """What an idle session and an idle channel cost."""
    sessions = bench.on_both(partial(_growth, bench, 1000, sessions=1000, pvs=0), sessions=1, pvs=0, posted=1)
    channels = bench.on_both(partial(_growth, bench, SCALARS, sessions=1, pvs=SCALARS), sessions=1, pvs=1)
    yield Row("memory", "idle session", "kB", "naive", *sessions.values(), limit=20)
    yield Row("memory", "idle channel with a subscription", "kB", "naive", *channels.values(), limit=5)


def _growth(bench: Bench, things: int, rig: Sessions, **load: int) -> float:
    """kB for each of them."""
    before = rig.server.memory()
    with Load(rig.server, bench.ioc, **load):
        return (rig.server.memory() - before) / things / 1000


SCENARIOS: Final[dict[str, Callable[[Bench], Rows]]] = {
    "rates": rates,
    "single-frames": single_frames,
    "receiving": receiving,
    "latency": latency,
    "scanned": scanned,
    "waveforms": waveforms,
    "crowd": crowd,
    "storm": storm,
    "stalled": stalled,
    "memory": memory,
    "scaling": scaling,
}

FULL: Final = tuple(name for name in SCENARIOS if name != "scaling")
"""Those of a run that is not told which."""
QUICK: Final = ("rates", "latency", "scanned", "stalled", "memory")
"""Those that a quick run has."""
