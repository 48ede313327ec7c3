"""What a run will do, made from its seed: who does what at which second, and what happens to the IOC."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Final, NamedTuple

from tests.stress.garbage import BREAKING, FRAMES

Keys = dict[str, Any]

WAVES: Final = 2
ABSENT: Final = 3
ODD: Final = ("1", "3", "5", "7", "9")
QUIET_SECONDS: Final = 2.0
"""Before the first fault, and about what is left after the last one."""


class Step(NamedTuple):
    """Something that a session does."""

    at: float
    do: str
    keys: Keys


class Fault(NamedTuple):
    """Something that happens to the IOC, and how long it is away."""

    at: float
    do: str
    seconds: float


@dataclass(frozen=True)
class Script:
    """One session's part. Its kind is a key of KINDS; its steps are made when they are asked for, always the same."""

    name: str
    kind: str
    seed: int
    seconds: float
    counters: int
    pace: float

    def steps(self) -> Iterator[Step]:
        """In the order of time."""
        return _steps(Random(f"{self.seed}/{self.name}"), KINDS[self.kind], Names(self.counters), self)


@dataclass(frozen=True)
class Plan:
    """A whole run: the same seed and arguments give the same plan."""

    seed: int
    seconds: float
    counters: int
    scripts: Sequence[Script]
    faults: Sequence[Fault]

    @cached_property
    def digest(self) -> str:
        """The same for the same plan, on every machine."""
        found = hashlib.sha256(json.dumps([self.seed, self.seconds, self.counters, self.faults]).encode())
        for script in self.scripts:
            for step in script.steps():
                found.update(json.dumps([script.name, step]).encode())
        return found.hexdigest()[:16]


class Names:
    """The PVs of a run, without the IOC's prefix."""

    def __init__(self, counters: int) -> None:
        self.counters = [f"n{number}" for number in range(counters)]
        self.waves = [f"wave{number}" for number in range(WAVES)]
        self.absent = [f"absent{number}" for number in range(ABSENT)]
        self.all = [*self.counters, *self.waves, *self.absent]

    def some(self, random: Random) -> list[str]:
        """A few of them, the absent ones seldom."""
        chosen = random.sample(self.counters, random.randint(1, min(12, len(self.counters))))
        return chosen + [random.choice(self.waves + self.absent)] * (random.random() < 0.3)


# -- the keys of each step

OPTIONS: Final[Sequence[Keys]] = (
    {"max_rate": 2}, {"max_rate": 20}, {"max_rate": None}, {"deadband": 5}, {"deadband": None}, {"metadata": True},
    {"metadata": False}, {"nanos": True}, {"encoding": "binary"}, {"encoding": "base64"}, {"encoding": "json"},
    {"max_count": 10}, {"max_count": None}, {"reduce": {"points": 20}}, {"reduce": None}, {"history": 5},
)  # fmt: skip

Maker = Callable[[Random, Names], Keys]

STEPS: Final[Mapping[str, Maker]] = {
    "connect": lambda random, names: {"pv": names.some(random)},
    "refine": lambda random, names: {"pv": names.some(random), **random.choice(OPTIONS)},
    "disconnect": lambda random, names: {"pv": names.some(random)},
    "flap": lambda random, names: {"pv": names.some(random), "times": random.randint(2, 8)},
    "get": lambda random, names: {"pv": names.some(random)},
    "info": lambda random, names: {"pv": random.choice(names.all)},
    "list": lambda random, names: {},
    "history": lambda random, names: {"pv": random.choice(names.all), "seconds": 10},
    "events": lambda random, names: {"limit": random.randint(1, 50)},
    "options": lambda random, names: random.choice(OPTIONS) | {"batch": random.random() < 0.5},
    "ping": lambda random, names: {},
    "put": lambda random, names: {"wait": random.random() < 0.8, "timeout": 3},
    "pause": lambda random, names: {},
    "resume": lambda random, names: {},
    "stall": lambda random, names: {"seconds": round(random.uniform(0.2, 6), 2)},
    "close": lambda random, names: {},
    "reset": lambda random, names: {},
    "half_close": lambda random, names: {},
    "refuse": lambda random, names: {"what": random.choice(sorted(FRAMES))},
    "break": lambda random, names: {"what": random.choice(sorted(BREAKING))},
}


# -- who does them


class Kind(NamedTuple):
    """A sort of session."""

    sessions: int
    every: float
    """Seconds between steps, in the mean."""
    steps: Mapping[str, int]
    """What it does, and how often compared with the rest."""
    healthy: bool = True
    """Whether it always reads: then nothing may be merged for it, nor may the server close it."""
    everything: bool = False
    """Whether it is subscribed to all counters from the beginning to the end."""


LEAVING: Final = {"close": 1, "reset": 1, "half_close": 1}
READING: Final = {"get": 2, "info": 1, "list": 1, "history": 1, "events": 1, "ping": 2}

KINDS: Final[Mapping[str, Kind]] = {
    "steady": Kind(2, 5, {"ping": 1}, everything=True),
    "reader": Kind(6, 0.5, {"connect": 4, "disconnect": 4, "flap": 1, **READING}),
    "picky": Kind(6, 0.5, {"refine": 6, "options": 2, "disconnect": 3, "connect": 2, **READING}),
    "leaver": Kind(8, 0.7, {"connect": 4, "disconnect": 2, "refine": 1, "get": 1, **LEAVING}),
    "writer": Kind(3, 0.3, {"put": 6, "connect": 1, "disconnect": 1, "get": 1}),
    "pauser": Kind(3, 0.8, {"pause": 3, "resume": 3, "connect": 2, "disconnect": 1, "refine": 1, "get": 1}, False),
    "staller": Kind(3, 2.0, {"stall": 3, "connect": 2, "disconnect": 1}, False),
    "rude": Kind(4, 0.3, {"refuse": 20, "break": 2, "connect": 4, "disconnect": 1, "flap": 1}, False),
}

FAULTS: Final[Mapping[str, tuple[int, float, float]]] = {
    "kill": (4, 0.0, 3.0),
    "stop": (2, 0.0, 3.0),
    "hang": (3, 0.3, 4.0),
    "long_hang": (1, 12.0, 16.0),
}
"""Weight, and the least and greatest time that the IOC is away; a long hang is one that Channel Access notices."""


def make(seed: int, seconds: float, counters: int = 40, *, scale: float = 1.0, pace: float = 1.0) -> Plan:
    """The plan of a run; scale: how many times as many sessions; pace: how many times as long between two things."""
    scripts = [
        Script(f"{kind}{number}", kind, seed, seconds, counters, pace)
        for kind in KINDS
        for number in range(max(1, round(KINDS[kind].sessions * scale)))
    ]
    return Plan(seed, seconds, counters, scripts, list(_faults(Random(f"{seed}/IOC"), seconds, pace)))


def _steps(random: Random, kind: Kind, names: Names, script: Script) -> Iterator[Step]:
    at = random.uniform(0, 1)
    if kind.everything:
        yield Step(round(at, 3), "options", {"batch": script.name.endswith(ODD)})
    yield Step(round(at, 3), "connect", {"pv": names.counters if kind.everything else names.some(random)})
    while (at := at + random.expovariate(1 / (kind.every * script.pace))) < script.seconds:
        (do,) = random.choices(list(kind.steps), list(kind.steps.values()))
        yield Step(round(at, 3), do, STEPS[do](random, names))


def _faults(random: Random, seconds: float, pace: float) -> Iterator[Fault]:
    """At random times, until one would not be over before the run is."""
    at = QUIET_SECONDS
    while True:
        at += random.uniform(1, 12) * pace
        (do,) = random.choices(list(FAULTS), [weight for weight, *_ in FAULTS.values()])
        _, least, most = FAULTS[do]
        away = round(random.uniform(least, most), 2)
        if at + away > seconds - QUIET_SECONDS:
            return
        yield Fault(round(at, 3), do, away)
        at += away + QUIET_SECONDS
