"""History: the newest samples of every open channel with numeric scalars, in memory that is bounded in all."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pycaserver.core.values import AlarmSeverity, PVValue

Floats: TypeAlias = NDArray[np.float64]
Bytes: TypeAlias = NDArray[np.uint8]
Index: TypeAlias = NDArray[np.bool_] | NDArray[np.intp] | slice

SAMPLE_BYTES: Final = 17
"""Time, value and severity."""
_FIRST: Final = 64
"""Samples for which there is always room, once there is one."""
_INVALID: Final = int(AlarmSeverity.INVALID)
_SECONDS: Final = 2
_FEW: Final = 8
_MANY: Final = 256
"""So many seconds' worth of values wait to be folded into the arrays together, and about so many values at least and at
most: together they cost less, but each takes ten times the memory until then."""


class Samples(NamedTuple):
    """Samples in the order of their coming: three arrays of one length."""

    times: Floats
    """The IOC's time stamps, UNIX seconds."""
    values: Floats
    """An enum's index; NaN for a scalar without elements."""
    severities: Bytes

    @property
    def size(self) -> int:
        """How many; len() would be the number of arrays."""
        return len(self.times)

    def since(self, time: float) -> "Samples":
        """Those with a time stamp of at least that, UNIX seconds; a clock may have been set back in between."""
        return self._where(self.times >= time)

    def holding_since(self, time: float) -> "Samples":
        """The same, and first the one that held at that time, unless one has just that time stamp."""
        kept = self.times >= time
        first = int(kept.argmax()) if kept.any() else self.size
        if first and (first == self.size or self.times[first] > time):
            kept[first - 1] = True
        return self._where(kept)

    def reduced(self, points: int) -> "Samples":
        """The least and the greatest sample of each of `points` stretches, or all if these are not more.

        A sample that is NaN is kept only where a stretch has no other.
        """
        if self.size <= 2 * points:
            return self
        starts = np.linspace(0, self.size, points, endpoint=False).astype(np.intp)
        stretch = np.repeat(np.arange(points), np.diff(starts, append=self.size))
        low, high = (np.where(np.isnan(self.values), end, self.values) for end in (np.inf, -np.inf))
        least = np.flatnonzero(low == np.minimum.reduceat(low, starts)[stretch])
        greatest = np.flatnonzero(high == np.maximum.reduceat(high, starts)[stretch])
        first = least[np.diff(stretch[least], prepend=-1) != 0]
        last = greatest[np.diff(stretch[greatest], append=points) != 0]
        return self._where(np.unique(np.concatenate((first, last))))

    def first(self, count: int) -> "Samples":
        """The oldest ones."""
        return self._where(slice(count))

    def last(self, count: int) -> "Samples":
        """The newest ones."""
        return self._where(slice(max(0, self.size - count), None))

    def distinct(self) -> "Samples":
        """Without those that only repeat the one before: an IOC tells its value anew after a reconnection."""
        if not self.size:
            return self
        changes = np.diff(self.times) != 0
        changes |= np.diff(self.values) != 0  # true for NaN
        changes |= np.diff(self.severities) != 0
        return self._where(np.concatenate(((True,), changes)))

    def copy(self) -> "Samples":
        """The same, in memory of its own."""
        return Samples(self.times.copy(), self.values.copy(), self.severities.copy())

    def joined(self, later: "Samples") -> "Samples":
        """These, and then those."""
        return Samples(
            np.concatenate((self.times, later.times)),
            np.concatenate((self.values, later.values)),
            np.concatenate((self.severities, later.severities)),
        )

    def write(self, start: int, samples: "Samples") -> None:
        """Put those in the place of these, from that index on."""
        where = slice(start, start + samples.size)
        self.times[where], self.values[where], self.severities[where] = samples

    def _where(self, index: Index) -> "Samples":
        return Samples(self.times[index], self.values[index], self.severities[index])


def no_samples(size: int = 0) -> Samples:
    """So many, to be filled."""
    return Samples(np.empty(size), np.empty(size), np.empty(size, np.uint8))


_NONE: Final = no_samples()
"""The ring of all that have none yet."""


def _samples_of(values: list[PVValue]) -> Samples:
    times = np.array([value.seconds + value.nanos * 1e-9 for value in values])
    return Samples(times, np.array([value.data for value in values], float), _severities_of(values))


def _severities_of(values: list[PVValue]) -> Bytes:
    try:
        raw = bytes([value.severity for value in values])
    except ValueError:  # it comes as an IOC has sent it
        raw = bytes([value.severity if 0 <= value.severity <= _INVALID else _INVALID for value in values])
    return np.frombuffer(raw, np.uint8)


class HistoryBuffer:
    """A ring of the newest samples of one channel. It takes memory with the first sample, and more as it fills."""

    __slots__ = ("_folded", "_histories", "_kept", "_next", "_ring", "fold_at", "recent")

    def __init__(self, histories: "Histories") -> None:
        self.recent: list[PVValue] = []
        """Not in the ring yet."""
        self.fold_at = self._apart(_FEW)
        """How many of them are folded into it together."""
        self._histories = histories
        self._ring = _NONE
        self._next = 0
        """Where in the ring the next sample goes."""
        self._kept = 0
        """How many are in the ring."""
        self._folded = 0
        """How many have ever been appended and folded into it."""

    @property
    def total(self) -> int:
        """How many samples have ever been appended."""
        return self._folded + len(self.recent)

    @property
    def capacity(self) -> int:
        """How many samples there is memory for now."""
        return self._ring.size

    def append(self, value: PVValue) -> None:
        """One more reading, a numeric scalar. Channel.publish does the same without a call."""
        self.recent.append(value)
        if len(self.recent) >= self.fold_at:
            self.fold()

    def fold(self) -> None:
        """Bring what is recent into the ring."""
        try:
            self._fold()
        except (TypeError, ValueError):  # an IOC may send several elements of what it calls a scalar
            self.recent[:] = [value for value in self.recent if not isinstance(value.data, np.ndarray)]
            self._fold()

    def _fold(self) -> None:
        recent, count = self.recent, len(self.recent)
        if not count:
            return
        if self._next + count > self._ring.size:
            self._put(_samples_of(recent))
        else:
            self._put_in_place(recent, count)
        self._folded += count
        seconds = recent[-1].seconds - recent[0].seconds or 1
        self.fold_at = self._apart(min(_MANY, max(_FEW, _SECONDS * count // seconds)))
        recent.clear()

    def all(self) -> Samples:
        """A copy of all that are kept, the repeated ones too."""
        self.fold()
        return self._ordered().copy()

    def newest(self, count: int) -> Samples:
        """A copy of so many of the newest, as far as they are kept; the repeated ones too."""
        self.fold()
        count = min(count, self._kept)
        if count <= self._next:
            return self._ring.first(self._next).last(count).copy()
        return self._ordered().last(count).copy()

    def since(self, time: float) -> Samples:
        """What held at that time, UNIX seconds, and what came since."""
        return self.all().distinct().holding_since(time)

    def restore(self, older: Samples) -> None:
        """Put samples before all that are here, as far as there is room."""
        samples = older.joined(self.all()).last(self._histories.samples)
        self._kept = self._next = 0
        self._put(samples)

    def close(self) -> None:
        """Give the memory back."""
        self._histories.give_back(self.capacity)
        self.recent.clear()
        self._ring, self._kept, self._next = _NONE, 0, 0

    def _apart(self, count: int) -> int:
        """So many, or up to half as many more: channels that are posted together are not to be folded all at once."""
        return count + (id(self) >> 5) % (count // 2)

    def _put_in_place(self, values: list[PVValue], count: int) -> None:
        """What _put does where there is room before the end of the ring, at less than half the cost."""
        end = self._next + count
        where = slice(self._next, end)
        times, data, severities = self._ring
        times[where] = [value.seconds + value.nanos * 1e-9 for value in values]
        data[where] = [value.data for value in values]  # type: ignore[assignment]  # what is no number raises
        severities[where] = _severities_of(values)
        self._next = end
        if end > self._kept:
            self._kept = end

    def _put(self, samples: Samples) -> None:
        self._make_room(samples.size)
        size = self._ring.size
        samples = samples.last(size)
        first = min(samples.size, size - self._next)
        self._ring.write(self._next, samples.first(first))
        if rest := samples.size - first:
            self._ring.write(0, samples.last(rest))
        self._next = rest or self._next + first
        self._kept = min(self._kept + samples.size, size)

    def _make_room(self, more: int) -> None:
        """Grow by doubling, for as long as there is memory; then the oldest samples have to go."""
        size = self._ring.size
        while self._kept + more > size and (larger := self._histories.take(size)) > size:
            size = larger
        if size > self._ring.size:
            samples, self._ring = self._ordered(), no_samples(size)
            self._ring.write(0, samples)
            self._next = samples.size

    def _ordered(self) -> Samples:
        if self._kept < self._ring.size:
            return self._ring.first(self._kept)
        return self._ring.last(self._kept - self._next).joined(self._ring.first(self._next))


class Histories:
    """All of them, by the name of the PV."""

    def __init__(self, samples: int = 3600, memory_bytes: int = 256 * 1024 * 1024) -> None:
        """samples: how many a channel has at most; memory_bytes: beyond which none takes more than a first few."""
        self.samples = samples
        self._memory_bytes = memory_bytes
        self._taken = 0
        self._buffers: dict[str, HistoryBuffer] = {}

    @property
    def bytes(self) -> int:
        """Memory that the samples take now."""
        return self._taken * SAMPLE_BYTES

    def open(self, name: str) -> HistoryBuffer:
        """A new one for that PV, whose channel opens."""
        buffer = self._buffers[name] = HistoryBuffer(self)
        return buffer

    def close(self, name: str) -> None:
        """Its channel closes."""
        self._buffers.pop(name).close()

    def take(self, size: int) -> int:
        """Memory for a ring of `size` samples to grow: its new size, or the same if there is no more."""
        larger = min(self.samples, 2 * size or _FIRST)
        if size and (self._taken + larger - size) * SAMPLE_BYTES > self._memory_bytes:
            return size
        self._taken += larger - size
        return larger

    def give_back(self, size: int) -> None:
        """The memory of a ring of that size."""
        self._taken -= size
