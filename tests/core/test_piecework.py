"""Long work in short pieces."""

from collections.abc import Iterator

import pytest

from pycaserver.core.figures import Figures
from pycaserver.core.piecework import TURN_SECONDS, Piecework, gathered
from tests.fakes import FakeClock

PIECE_SECONDS = TURN_SECONDS / 2


class Work:
    """Pieces that each take a while, and what others did in between."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.figures = Figures()
        self.piecework = Piecework(self.clock, self.figures)
        self.done: list[str] = []

    def pieces(self, name: str, count: int) -> Iterator[None]:
        for number in range(count):
            self.clock.now += PIECE_SECONDS
            self.done.append(f"{name}{number}")
            yield

    def begin(self, name: str, count: int) -> None:
        self.piecework.begin(self.pieces(name, count), lambda: self.done.append(f"{name} done"))


@pytest.fixture
def work() -> Work:
    return Work()


def test_others_have_their_turn_between_the_pieces(work: Work) -> None:
    work.begin("a", 4)
    work.clock.call_soon(work.done.append, "another")
    work.clock.run()
    assert work.done == ["a0", "a1", "another", "a2", "a3", "a done"]


def test_jobs_are_done_one_after_the_other(work: Work) -> None:
    work.begin("a", 2)
    work.begin("b", 1)
    work.clock.run()
    assert work.done == ["a0", "a1", "a done", "b0", "b done"]


def test_a_piece_that_takes_long_is_a_turn(work: Work) -> None:
    def long() -> Iterator[None]:
        for _ in range(2):
            work.clock.now += 10 * TURN_SECONDS
            yield

    work.piecework.begin(long(), lambda: work.done.append("done"))
    work.clock.run()
    assert work.done == ["done"]


def test_a_job_that_is_cancelled_leaves_the_others(work: Work) -> None:
    job = work.piecework.begin(work.pieces("a", 3), lambda: work.done.append("never"))
    work.begin("b", 1)
    job.cancel()
    work.clock.run()
    assert work.done == ["b0", "b done"]


def test_a_job_may_begin_another_at_its_end(work: Work) -> None:
    work.piecework.begin(work.pieces("a", 1), lambda: work.begin("b", 1))
    work.clock.run()
    assert work.done == ["a0", "b0", "b done"]


def test_a_job_whose_end_fails_leaves_the_others(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("broken")

    work.piecework.begin(iter(()), fail)
    work.begin("b", 1)
    work.clock.run()
    assert work.done == ["b0", "b done"]
    assert work.figures.faults == 1
    assert "work failed unexpectedly" in caplog.text


def test_a_job_may_be_cut_short(work: Work) -> None:
    job = work.piecework.begin(work.pieces("a", 3), lambda: work.done.append("a done"))
    job.skip()
    work.clock.run()
    assert work.done == ["a done"]


def test_a_job_that_fails_is_a_fault_and_done(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    def failing() -> Iterator[None]:
        yield
        raise ValueError("broken")

    work.piecework.begin(failing(), lambda: work.done.append("done"))
    work.begin("b", 1)
    work.clock.run()
    assert work.done == ["done", "b0", "b done"]
    assert work.figures.faults == 1
    assert "work failed unexpectedly" in caplog.text


def test_what_is_gathered_part_by_part_is_given_whole() -> None:
    given: list[list[str]] = []
    work = gathered("abc", given.append)
    for _ in range(3):
        next(work)
        assert given == []
    assert list(work) == [] and given == [["a", "b", "c"]]
