"""Whether a monitor has missed a value as it began: with events as libca brings them, in every order."""

from collections.abc import Callable, Sequence

import pytest

from pycaserver.core.values import DbrType
from pycaserver.sources.beginning import WAIT_SECONDS, Beginning
from pycaserver.sources.dbr import STS, TIME
from pycaserver.sources.monitor import Handoff
from pycaserver.sources.queue import ECA_NORMAL, EventQueue

from .test_dbr import status_bytes, time_bytes

ECA_NORDACCESS = 368
KIND = DbrType.DOUBLE


class Case:
    """A connection whose monitor begins."""

    def __init__(self) -> None:
        self.is_present = True
        self.told: list[bytes] = []
        self.renewed = 0
        self.waiting: list[Callable[[], None]] = []
        self._handoff = Handoff(lambda *_: None, self._later, lambda: None, EventQueue)
        self._beginning = Beginning(self._handoff, self)

    def value(self, dbr_type: int, count: int, status: int, raw: bytes, merged: int) -> None:
        assert dbr_type == TIME + KIND
        self.told.append(raw)

    def monitor_anew(self) -> None:
        self.renewed += 1

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == WAIT_SECONDS
        self.waiting.append(call)

    def _event(self, dbr_type: int, raw: bytes, status: int, merged: int) -> None:
        self._handoff.targets[self._beginning.key](dbr_type, 1, status, raw, merged)

    def posts(self, *values: float, severity: int = 0, status: int = ECA_NORMAL, merged: int = 0) -> None:
        """The monitor tells an event."""
        self._event(TIME + KIND, time_bytes(KIND, list(values), severity), status, merged)

    def reads(self, value: float, severity: int = 0, status: int = ECA_NORMAL) -> None:
        """The IOC answers."""
        self._event(STS + KIND, status_bytes(KIND, [value], severity), status, 0)

    def wait(self) -> None:
        """The time in which what was posted comes is over."""
        for call in self.waiting:
            call()

    @property
    def is_settled(self) -> bool:
        """Whether events go to the connection at once."""
        return self._handoff.targets[self._beginning.key] == self.value


@pytest.mark.parametrize("value", [1.0, float("nan")])
@pytest.mark.parametrize("read_first", [False, True])
def test_a_monitor_that_begins_with_what_is_read_has_missed_nothing(value: float, read_first: bool) -> None:
    case = Case()
    for step in (case.reads, case.posts) if read_first else (case.posts, case.reads):
        assert not case.is_settled
        step(value)
    assert case.is_settled and not case.waiting and case.told == [time_bytes(KIND, [value], 0)]


@pytest.mark.parametrize(("value", "severity"), [(2.0, 0), (float("nan"), 0), (1.0, 1)])
@pytest.mark.parametrize("read_first", [False, True])
def test_another_value_of_which_the_monitor_says_nothing_was_missed(
    value: float, severity: int, read_first: bool
) -> None:
    case = Case()
    if read_first:
        case.reads(value, severity)
        case.posts(1.0)
    else:
        case.posts(1.0)
        case.reads(value, severity)
    assert not case.is_settled and not case.renewed
    case.wait()
    assert case.is_settled and case.renewed == 1


@pytest.mark.parametrize("order", ["pprw", "prpw", "rppw", "prwp"])
@pytest.mark.parametrize("read", [1.0, 2.0, 3.0])
def test_a_monitor_that_goes_on_has_missed_nothing_that_matters(order: str, read: float) -> None:
    case, values = Case(), iter((1.0, 3.0))
    steps = {"p": lambda: case.posts(next(values)), "r": lambda: case.reads(read), "w": case.wait}
    for step in order:
        steps[step]()
    assert case.is_settled
    assert case.renewed == (order == "prwp" and read != 1.0)
    assert len(case.told) == 2, "each event is told once, and nothing that was read"


def test_an_event_that_stands_for_others_goes_on() -> None:
    case = Case()
    case.posts(1.0, merged=1)
    case.reads(2.0)
    assert case.is_settled and not case.waiting


def test_a_pv_that_cannot_be_read_is_left_alone() -> None:
    case = Case()
    case.posts(status=ECA_NORDACCESS)
    case.reads(0.0, status=ECA_NORDACCESS)
    assert case.is_settled and not case.waiting


def test_with_the_right_to_read_it_begins() -> None:
    case = Case()
    case.posts(status=ECA_NORDACCESS)
    case.posts(1.0)
    assert not case.is_settled
    case.reads(1.0)
    assert case.is_settled


@pytest.mark.parametrize(("posted", "renewed"), [([1.0, 2.0], 0), ([], 0), ([7.0, 2.0], 1)])
def test_of_an_array_the_first_element_is_compared_if_there_is_one(posted: Sequence[float], renewed: int) -> None:
    case = Case()
    case.posts(*posted)
    case.reads(1.0)
    case.wait()
    assert case.renewed == renewed


def test_a_connection_that_has_ended_is_left_alone() -> None:
    case = Case()
    case.posts(1.0)
    case.reads(2.0)
    case.is_present = False
    case.wait()
    assert not case.renewed and not case.is_settled
