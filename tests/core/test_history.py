"""history.py: a ring of samples against a list that forgets nothing, and its bounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.history import SAMPLE_BYTES, Histories, HistoryBuffer, Samples
from pycaserver.core.values import PVValue
from tests.fakes import value

SECONDS = 1_700_000_000
MIB = 1 << 20


def buffer_of(samples: int = 3600) -> HistoryBuffer:
    return Histories(samples).open("PV")


def filled(*data: float, samples: int = 3600) -> HistoryBuffer:
    """One sample a second."""
    buffer = buffer_of(samples)
    for number, each in enumerate(data):
        buffer.append(value(each, seconds=SECONDS + number))
    return buffer


def rows(samples: Samples) -> list[tuple[float, float, int]]:
    columns = (samples.times.tolist(), samples.values.tolist(), samples.severities.tolist())
    return list(zip(*columns, strict=True))


READINGS = st.builds(
    PVValue,
    data=st.one_of(st.floats(allow_nan=False), st.integers(-(2**31), 2**31), st.none()),
    count=st.just(1),
    seconds=st.integers(SECONDS - 5, SECONDS + 5),
    nanos=st.integers(0, 999_999_999),
    severity=st.integers(0, 3),
    status=st.just(0),
)
STEPS = st.lists(st.one_of(READINGS, st.sampled_from(["read", "restore"])), max_size=400)


@given(STEPS, st.integers(1, 200))
def test_it_is_the_end_of_all_that_came(steps: list[PVValue | str], size: int) -> None:
    """Whatever is read or restored in between, and with stamps that go back."""
    buffer, model, total = buffer_of(size), list[tuple[float, float | None, int]](), 0
    older = Samples(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([0, 1], np.uint8))
    for step in steps:
        if isinstance(step, PVValue):
            buffer.append(step)
            total += 1
            model.append((step.seconds + step.nanos * 1e-9, step.data, step.severity))  # type: ignore[arg-type]
        elif step == "restore":
            buffer.restore(older)
            model[:] = [*rows(older), *model]
        model = model[-size:]
        if step == "read":
            assert [(t, None if math.isnan(v) else v, s) for t, v, s in rows(buffer.all())] == model
    assert [(t, None if math.isnan(v) else v, s) for t, v, s in rows(buffer.all())] == model
    assert buffer.total == total
    assert buffer.newest(7).size == min(7, len(model))
    np.testing.assert_array_equal(buffer.newest(7).times, buffer.all().last(7).times)


def test_it_takes_no_memory_before_the_first_sample() -> None:
    histories = Histories()
    for number in range(100):
        histories.open(str(number))
    assert histories.bytes == 0


def test_it_grows_by_doubling_up_to_its_size() -> None:
    buffer, capacities = buffer_of(200), set()
    for number in range(1000):
        buffer.append(value(float(number)))
        buffer.fold()  # at other times each buffer folds when it likes
        capacities.add(buffer.capacity)
    assert capacities == {64, 128, 200}
    assert buffer.all().values.tolist() == list(range(800, 1000))


def test_a_full_memory_leaves_each_a_first_few() -> None:
    histories = Histories(3600, memory_bytes=200 * SAMPLE_BYTES)
    greedy, late = histories.open("GREEDY"), histories.open("LATE")
    for buffer in (greedy, late):
        for number in range(1000):
            buffer.append(value(float(number)))
    assert (greedy.capacity, late.capacity) == (128, 64)
    assert late.all().values.tolist() == list(range(936, 1000))
    histories.close("GREEDY")
    assert histories.bytes == 64 * SAMPLE_BYTES


def test_what_waits_to_be_folded_is_bounded_whatever_the_stamps() -> None:
    buffer, most = buffer_of(), 0
    for number in range(3000):
        buffer.append(value(1.0, seconds=SECONDS - number % 3))
        most = max(most, len(buffer.recent))
    assert most < 1.5 * 256


@pytest.mark.parametrize("rate", [1, 1000])
def test_the_faster_the_more_are_folded_together(rate: int) -> None:
    buffer = buffer_of()
    for number in range(4 * rate + 20):
        buffer.append(value(1.0, seconds=SECONDS + number // rate))
    least = 8 if rate == 1 else 256
    assert least <= buffer.fold_at < 1.5 * least


def test_channels_are_not_folded_all_at_once() -> None:
    buffers = [buffer_of() for _ in range(100)]
    assert len({buffer.fold_at for buffer in buffers}) > 1


def test_an_impossible_severity_is_invalid() -> None:
    buffer = buffer_of()
    for severity in (0, 4, -1, 300, 2):
        buffer.append(value(1.0, severity=severity))
    assert buffer.all().severities.tolist() == [0, 3, 3, 3, 2]


@pytest.mark.parametrize("elements", [1, 2, 3])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_several_elements_of_what_is_called_a_scalar_are_left_out(elements: int, before: int) -> None:
    """Whatever an IOC sends, the samples beside it stay."""
    buffer = filled(*[1.0] * before)
    for number in range(elements):
        buffer.append(value(np.array([2.0, 3.0])))
        buffer.append(value(float(number)))
    assert buffer.all().values.tolist() == [1.0] * before + [float(number) for number in range(elements)]
    for _ in range(100):
        buffer.append(value(np.array([2.0, 3.0])))
    assert len(buffer.recent) < 100
    buffer.append(value(7.0))
    assert buffer.all().values[-1] == 7.0


def test_reading_gives_copies() -> None:
    buffer = filled(1.0, 2.0)
    buffer.all().values[:] = 0
    buffer.newest(2).values[:] = 0
    buffer.since(0).values[:] = 0
    assert buffer.all().values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-math.inf, [1.0, 2.0, 3.0]),
        (-0.5, [1.0, 2.0, 3.0]),
        (0, [1.0, 2.0, 3.0]),
        (0.5, [1.0, 2.0, 3.0]),
        (1, [2.0, 3.0]),
        (1.5, [2.0, 3.0]),
        (math.inf, [3.0]),
    ],
)
def test_since_goes_by_the_stamps_and_begins_with_what_held_then(seconds: float, expected: list[float]) -> None:
    assert filled(1.0, 2.0, 3.0).since(SECONDS + seconds).values.tolist() == expected
    assert buffer_of().since(SECONDS + seconds).size == 0


def test_since_when_the_clock_of_the_ioc_was_set_back() -> None:
    samples = Samples(np.array([10.0, 11.0, 5.0, 12.0]), np.arange(4.0), np.zeros(4, np.uint8))
    assert samples.holding_since(10.5).values.tolist() == [0, 1, 3]
    assert samples.holding_since(12).values.tolist() == [3]
    assert samples.holding_since(4).values.tolist() == [0, 1, 2, 3]


def test_a_repeated_sample_counts_once() -> None:
    buffer = buffer_of()
    for severity in (0, 0, 1, 0):
        buffer.append(value(5.0, severity=severity))
    assert buffer.since(0).severities.tolist() == [0, 1, 0]
    assert buffer.all().size == 4


def test_closed_it_keeps_nothing() -> None:
    buffer = filled(1.0, 2.0)
    buffer.close()
    assert buffer.all().size == 0


# -- reduction


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=300), st.integers(1, 60))
def test_reduced_keeps_the_least_and_the_greatest_of_every_stretch(data: list[float], points: int) -> None:
    samples = filled(*data).all()
    reduced = samples.reduced(points)
    if len(data) <= 2 * points:
        assert reduced.size == len(data)
        return
    assert reduced.size <= 2 * points
    assert (np.diff(reduced.times) > 0).all()
    for stretch in np.split(np.array(data), np.linspace(0, len(data), points, endpoint=False).astype(int)[1:]):
        if not np.isnan(stretch).all():
            assert {np.nanmin(stretch), np.nanmax(stretch)} <= set(reduced.values.tolist())
    at = (reduced.times - SECONDS).astype(int)
    np.testing.assert_array_equal(reduced.values, np.array(data)[at])


def test_a_stretch_of_nothing_but_nan_stays_one() -> None:
    reduced = filled(*[math.nan] * 4, 1.0, math.nan, 2.0, math.nan).all().distinct().reduced(2)
    assert np.isnan(reduced.values[:-2]).all() and reduced.values[-2:].tolist() == [1.0, 2.0]
