"""sources/worker.py: the order of jobs, and when what they have asked for is sent."""

from types import SimpleNamespace

import pytest
from epics import ca

from pycaserver.sources.worker import CAWorker


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What jobs and flushes have left, in order."""
    done: list[str] = []
    monkeypatch.setattr(ca, "libca", SimpleNamespace(ca_flush_io=lambda: done.append("flush")))
    return done


def worker(done: list[str], *jobs: str) -> CAWorker:
    """With these jobs; those whose name ends with an exclamation mark are urgent."""
    worker = CAWorker()
    for job in jobs:
        worker.submit(lambda job=job: done.append(job), urgent=job.endswith("!"))  # type: ignore[misc]
    for _ in jobs:
        worker._work()
    return worker


def test_jobs_run_in_order_and_are_flushed_together(done: list[str]) -> None:
    worker(done, "a", "b", "c")
    assert done == ["a", "b", "c", "flush"]


def test_urgent_jobs_go_first_and_are_flushed_before_the_others(done: list[str]) -> None:
    worker(done, "a", "b", "c!", "d!")
    assert done == ["c!", "d!", "flush", "a", "b", "flush"]


def test_a_job_that_fails_takes_no_other_along(done: list[str], caplog: pytest.LogCaptureFixture) -> None:
    failing = CAWorker()
    failing.submit(lambda: done.append(str(1 / 0)))
    failing.submit(lambda: done.append("b"))
    failing._work()
    failing._work()
    assert done == ["b", "flush"]
    assert "a call of Channel Access failed" in caplog.text
