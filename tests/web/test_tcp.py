"""What is asked of the kernel: descriptors. The options of sockets show in the tests of slow readers."""

import resource

import pytest

from pycaserver.web.tcp import allow_descriptors

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "wanted", "after", "granted"),
    [
        ((1024, 4096), 2000, (2000, 4096), 2000),
        ((1024, 4096), 5000, (4096, 4096), 4096),
        ((1024, INFINITE), 5000, (5000, INFINITE), 5000),
        ((4096, 8192), 2000, None, 4096),
        ((INFINITE, INFINITE), 2000, None, 2000),
    ],
)
def test_descriptors_are_asked_for_as_far_as_they_are_granted(
    monkeypatch: pytest.MonkeyPatch, before: tuple[int, int], wanted: int, after: tuple[int, int] | None, granted: int
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: before)
    monkeypatch.setattr(resource, "setrlimit", lambda what, limits: asked.append(limits))
    assert allow_descriptors(wanted) == granted
    assert asked == ([after] if after else [])
