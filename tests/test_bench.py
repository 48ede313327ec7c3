"""The benchmark finds what it looks for: nothing here is about speed."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bench import build, stages
from bench.processes import IOC, Load, Naive, Process, Pycaserver, Server
from bench.report import Row, number, table
from bench.rigs import BATCHES, Receiving, Rig, Sessions
from bench.runs import Run
from bench.scenarios import FULL, QUICK, SCENARIOS
from bench.search import Search, highest_rate

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "benchmark.md"
RUN = 10_000_000
SECONDS = 0.1

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="module", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled afresh, with warnings as errors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "FOLDER", tmp_path_factory.mktemp("bench"))
        yield


@pytest.mark.parametrize("name", build.LIBRARIES)
def test_compiles_without_warnings(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert {"-Wall", "-Wextra", "-Werror"} <= set(build.FLAGS)
    program = build.build(name)
    assert program.is_file() and build.build(name) == program
    assert capfd.readouterr().err == ""


def test_every_stage_of_an_update_has_its_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "REPEATS", 2)
    costs = stages.stages()
    assert len(costs) == 7 and all(cost >= 0 for cost in costs.values())


# -- end to end


@pytest.fixture(scope="module")
def ioc() -> Iterator[IOC]:
    with IOC(20, {50: 2}) as ioc:
        yield ioc


def check(run: Run, streams: int) -> None:
    """All is there, once and in order, and the figures are possible."""
    assert run.expected == run.received > 0 and run.expected % streams == 0
    assert run.lost == run.coalesced == run.duplicates == run.disordered == run.broken == 0
    assert 0 < run.p50 <= run.p90 <= run.p99 <= run.p999 <= run.max
    assert run.rate == pytest.approx(run.commanded, rel=0.5)
    assert run.cores.keys() == {"server", "receiver", "ioc"}


@pytest.mark.parametrize("make", [Naive, Pycaserver], ids=lambda make: make.name)
def test_sessions_of_a_server(ioc: IOC, make: type[Server]) -> None:
    with Sessions(ioc, make, sessions=3, pvs=10, stride=5, total=20, posted=20) as rig:
        check(rig.run(1000, SECONDS), 30)
        check(rig.run(1000, SECONDS, burst=0), 30)
        assert rig.server.memory() > 1e6


@pytest.mark.parametrize("encoding", ["json", "base64", "binary"])
def test_waveforms(ioc: IOC, encoding: str) -> None:
    with Sessions(ioc, Pycaserver, 1, sessions=2, pvs=2, options={**BATCHES, "encoding": encoding}) as rig:
        check(rig.run(50, SECONDS), 4)


@pytest.mark.parametrize("kind", ["C", "epics", "pycaserver"])
def test_receivers(ioc: IOC, kind: str) -> None:
    with Receiving(ioc, kind, pvs=20) as rig:
        run = rig.run(2000, SECONDS)
    assert run.expected == run.received > 0 and run.lost == 0


def test_a_stalled_session_is_not_counted(ioc: IOC) -> None:
    with Sessions(ioc, Pycaserver, sessions=2, stalled=1, pvs=20) as rig:
        check(rig.run(1000, SECONDS), 20)


# -- what the load program makes of faults


@contextmanager
def serving(handle: Callable[[ServerConnection], None]) -> Iterator[Any]:
    """A WebSocket server; what has its port."""
    with serve(handle, "127.0.0.1", 0, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield SimpleNamespace(port=server.socket.getsockname()[1])
        finally:
            server.shutdown()
            thread.join()


def two_records(elements: int = 0) -> Any:
    """An IOC's stand-in: says which records there are."""
    return SimpleNamespace(sets=[("X:d", 2, elements)])


@contextmanager
def scripted(frames: Sequence[str | bytes], elements: int = 0, **options: int) -> Iterator[Process]:
    """The load program with sessions of two PVs; the frames come when it has begun run 1."""
    begun = threading.Event()

    def handle(connection: ServerConnection) -> None:
        connection.recv()
        for pv in range(2):
            connection.send(monitor(pv, 0, elements))
        begun.wait(10)
        for frame in frames:
            connection.send(frame)
        with suppress(ConnectionClosed):
            connection.recv()

    with serving(handle) as server, Load(server, two_records(elements), pvs=2, **options) as load:
        load.ask("begin", 1)
        begun.set()
        yield load


def monitor(pv: int, sequence: int, elements: int = 0, **more: object) -> str:
    """A message of run 1, or the first one when the sequence number is 0."""
    value = float(RUN + sequence if sequence else 0)
    message = {"msg_type": "monitor", "pvname": f"X:d{pv}", "value": [value] * elements if elements else value}
    return json.dumps({**message, "count": elements or 1, "timestamp": 1.5e9, "units": 'a"\\b', **more})


def test_losses_duplicates_and_disorder_are_found() -> None:
    good = [monitor(0, 1), monitor(0, 2), monitor(0, 3), monitor(0, 4)]
    bad = [monitor(1, 1), monitor(1, 1), monitor(1, 3), monitor(1, 2), monitor(1, 4)]
    with scripted(good + bad) as load:
        result = load.ask("end", 4, 5)
    assert (result["expected"], result["received"], result["lost"]) == (8, 7, 1)
    assert (result["duplicates"], result["disordered"], result["coalesced"]) == (1, 1, 0)
    assert result["p50"] > 1e9, "the stamps are of 2017"


def test_the_end_of_a_run_missing_is_a_loss() -> None:
    with scripted([monitor(0, 1), monitor(1, 1), monitor(1, 2)]) as load:
        result = load.ask("end", 2, 0.1)
    assert (result["received"], result["lost"]) == (3, 1)


def test_batches_and_merged_values() -> None:
    batch = f"[{monitor(0, 1)}, {monitor(1, 3, coalesced=2)},{monitor(0, 2)}]"
    with scripted([batch, monitor(0, 3)]) as load:
        result = load.ask("end", 3, 5)
    assert (result["received"], result["lost"], result["coalesced"]) == (4, 2, 2)
    assert result["frames"] == 4


def test_frames_that_are_equal_are_read_once() -> None:
    with scripted([monitor(0, 1), monitor(1, 1)], sessions=3) as load:
        result = load.ask("end", 1, 5)
    assert (result["received"], result["frames"], result["parsed_frames"]) == (6, 12, 4)


def binary(pv: int, sequence: int, elements: int, kept: int) -> bytes:
    """A binary frame of which only the first elements are there."""
    header = json.loads(monitor(pv, sequence, elements))
    del header["value"]
    text = json.dumps(header).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return len(text).to_bytes(4, "little") + text + np.full(kept, float(RUN + sequence)).tobytes()


def test_broken_arrays_are_found() -> None:
    short = monitor(0, 2, 3, count=4)
    torn = monitor(1, 1, 4).replace(f"{RUN + 1}.0]", "0.0]")
    with scripted([monitor(0, 1, 4), short, torn, binary(1, 2, 4, 4), binary(1, 3, 4, 3)], 4) as load:
        assert load.ask("end", 3, 0.1)["broken"] == 3


def test_a_session_that_is_closed_ends_the_load() -> None:
    with (
        serving(lambda connection: connection.close(1013)) as server,
        pytest.raises(RuntimeError, match="the server closed a session"),
    ):
        Load(server, two_records(), pvs=2)


# -- the search


def run_at(rate: float, **changes: Any) -> Run:
    """A run in which all went well."""
    figures: dict[str, Any] = dict.fromkeys(Run.__dataclass_fields__, 0)
    figures |= {"commanded": rate, "rate": rate, "seconds": 1, "expected": 100, "received": 100}
    return Run(**{**figures, "cores": {"server": 0.5}, "extra": {}, **changes})


class Model(Rig):
    """Sustains so many updates a second, and has a hiccup at its nth run."""

    def __init__(self, capacity: float, hiccup: int = -1) -> None:
        self.capacity = capacity
        self.hiccup = hiccup
        self.runs = 0
        self.clean = True

    def start(self) -> None:
        self.clean = True

    def stop(self) -> None:
        pass

    def run(self, rate: float, seconds: float, burst: int = 1) -> Run:
        assert self.clean, "after an overload there is a new start"
        self.runs += 1
        self.clean = rate <= self.capacity and self.runs != self.hiccup
        return run_at(rate, lost=0 if self.clean else 10)


@pytest.mark.parametrize("hiccup", [-1, 1, 2, 4])
@pytest.mark.parametrize("first", [10, 1000, 5000, 800_000])
def test_the_search_finds_the_highest_rate(first: float, hiccup: int) -> None:
    best = highest_rate(Model(12_345, hiccup), first, Search())
    assert best is not None and 0.8 * 12_345 < best.rate <= 12_345


def test_nothing_is_sustained() -> None:
    assert highest_rate(Model(0), 100, Search()) is None


@pytest.mark.parametrize(
    "fault", [{"lost": 1}, {"disordered": 1}, {"broken": 1}, {"p99": 1000.0}, {"drain": 0.2}, {"commanded": 130.0}]
)
def test_what_is_not_sustained(fault: dict[str, float]) -> None:
    assert run_at(100).sustained()
    assert not run_at(100, **fault).sustained()


def test_an_allowed_loss() -> None:
    assert run_at(100, lost=1).sustained(0.01) and not run_at(100, lost=2).sustained(0.01)


# -- the report


def test_ratios_and_targets() -> None:
    more = Row("a", "b", "updates/s", "naive", 100, 2500, more_is_better=True, floor=20)
    less = Row("a", "b", "ms", "naive", 100, 20, limit=10)
    none = Row("a", "b", "ms", "naive", None, 20, floor=2)
    assert (more.ratio, more.reached, less.ratio, less.reached) == (25, True, 5, False)
    assert (none.ratio, none.reached) == (None, False)
    lines = table([more, less, none]).splitlines()
    assert len(lines) == 5 and len({len(line) for line in lines}) == 1
    assert "at least 20 x: yes" in lines[2] and "at most 10: NO" in lines[3]


@pytest.mark.parametrize(
    "value, text", [(None, "none"), (0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (99.96, "100"), (123_456, "123,000")]
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_the_page_has_every_scenario() -> None:
    documented = re.findall(r"^### `([\w-]+)`$", PAGE.read_text(), flags=re.MULTILINE)
    assert documented == list(SCENARIOS)
    assert {*FULL, *QUICK} <= set(SCENARIOS)
