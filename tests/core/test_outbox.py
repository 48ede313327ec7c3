"""core/outbox.py: what is written when, and what a peer that is behind is owed."""

from typing import Any

import pytest

from pycaserver.core.errors import TOO_SLOW
from pycaserver.core.fanout import Fanout
from pycaserver.core.figures import Figures
from pycaserver.core.outbox import LOW_WATER, Outbox
from tests.fakes import FakeClock, FakeTransport, Lines

BACKLOG_BYTES = 4 * 1024 * 1024
VALUE_LIMIT = BACKLOG_BYTES // 4
HARD_LIMIT = BACKLOG_BYTES * 8


class Owed:
    """A subscription that is owed values of a given size."""

    def __init__(self, name: str = "v", size: int = 1) -> None:
        self.owed = 0
        self.not_before = 0.0
        self.timer: Any = None
        self._frame = name.encode() * size

    def ready(self) -> bool:
        return True

    def take(self, now: float) -> bytes:
        assert self.owed
        self.owed = 0
        return self._frame

    def told(self) -> None:
        pass


class Bench:
    """An outbox, its transport, and a way to owe."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.figures = Figures()
        self.transport = FakeTransport()
        self.outbox = Outbox(
            self.transport, Lines(), Fanout(self.clock, self.figures), self.clock, self.figures, BACKLOG_BYTES
        )

    def value(self, frame: bytes) -> None:
        """A value that a fan-out hands over."""
        self.outbox.put_block([frame], len(frame))

    def owe(self, *subscriptions: Owed) -> None:
        for subscription in subscriptions:
            subscription.owed += 1
            self.outbox.owe(subscription)

    def settle(self, subscription: Owed) -> None:
        self.outbox.settle(subscription)

    def stop_reading(self, waiting: int = VALUE_LIMIT) -> None:
        """The peer reads no more, and so many bytes wait for it."""
        self.transport.reading = False
        self.outbox.tell(b"x" * waiting)
        self.clock.run()

    def takes(self, size: int) -> None:
        self.transport.take(size)
        self.outbox.on_room()
        self.clock.run()

    def heard(self) -> list[bytes]:
        self.clock.run()
        return [piece for piece in self.transport.taken if not piece.startswith(b"x")]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# -- writing


def test_all_of_one_batch_goes_in_one_write(bench: Bench) -> None:
    for frame in (b"a", b"b", b"c"):
        bench.outbox.tell(frame)
    assert bench.transport.writes == 0
    assert bench.heard() == [b"a", b"b", b"c"]
    assert bench.transport.writes == 1


def test_nothing_due_is_nothing_written(bench: Bench) -> None:
    bench.outbox.flush()
    assert bench.transport.writes == 0


def test_bytes_and_values_are_counted(bench: Bench) -> None:
    bench.outbox.tell(b"message")
    bench.owe(Owed("value"))
    bench.clock.run()
    assert bench.figures.bytes_out == 12
    assert bench.figures.updates_out == 1


def test_the_backlog_is_what_is_due_and_what_is_unsent(bench: Bench) -> None:
    bench.stop_reading(100)
    bench.outbox.tell(b"12345")
    assert bench.outbox.backlog == 105
    bench.clock.run()
    assert bench.outbox.backlog == 105
    bench.takes(105)
    assert bench.outbox.backlog == 0


# -- behind


def test_what_cannot_be_made_into_a_message_holds_up_nothing_else(bench: Bench) -> None:
    class Broken(Owed):
        def take(self, now: float) -> bytes:
            raise ValueError("it cannot be encoded")

    bench.stop_reading()
    broken = Broken()
    bench.owe(broken, Owed("a"))
    with pytest.raises(ValueError, match="cannot be encoded"):
        bench.takes(VALUE_LIMIT)
    assert broken.owed == 0
    bench.transport.reading = True
    bench.takes(0)
    assert bench.heard() == [b"a"]


def test_a_peer_that_reads_gets_each_value_at_once(bench: Bench) -> None:
    bench.owe(Owed("a"), Owed("b"))
    assert bench.heard() == [b"a", b"b"]


def test_beyond_the_value_limit_values_wait(bench: Bench) -> None:
    bench.stop_reading(VALUE_LIMIT - 1)
    assert bench.outbox.open
    bench.value(b"y")
    assert not bench.outbox.open
    subscription = Owed()
    bench.owe(subscription, subscription)
    bench.clock.run()
    assert subscription.owed == 2
    assert bench.outbox.backlog == VALUE_LIMIT


def test_messages_are_kept_where_values_wait(bench: Bench) -> None:
    bench.stop_reading()
    subscription = Owed()
    bench.owe(subscription)
    bench.outbox.tell(b"message")
    bench.takes(VALUE_LIMIT)
    bench.takes(bench.transport.unsent)
    assert bench.heard() == [b"message", b"v"]


def test_there_is_more_when_the_peer_has_taken_nearly_all(bench: Bench) -> None:
    bench.stop_reading()
    subscription = Owed()
    bench.owe(subscription)
    bench.takes(VALUE_LIMIT - LOW_WATER)
    assert subscription.owed
    bench.takes(1)
    assert not subscription.owed
    assert bench.outbox.open


def test_what_waits_comes_a_little_at_a_time_in_the_order_in_which_it_was_owed(bench: Bench) -> None:
    bench.stop_reading()
    subscriptions = [Owed(name, LOW_WATER // 2) for name in "abcde"]
    bench.owe(*subscriptions)
    bench.takes(VALUE_LIMIT)
    assert [subscription.owed for subscription in subscriptions] == [0, 0, 1, 1, 1]
    assert not bench.outbox.open
    while bench.transport.unsent:
        assert bench.outbox.backlog < 2 * LOW_WATER
        bench.takes(LOW_WATER // 4)
    assert [piece[:1] for piece in bench.heard()] == [b"a", b"b", b"c", b"d", b"e"]
    assert bench.outbox.open


def test_who_gets_a_value_goes_to_the_end_of_the_queue(bench: Bench) -> None:
    bench.stop_reading()
    greedy, other = Owed("g", LOW_WATER), Owed("o", LOW_WATER)
    bench.owe(greedy, other)
    bench.takes(VALUE_LIMIT)
    bench.owe(greedy)
    bench.takes(LOW_WATER)
    bench.takes(LOW_WATER)
    bench.takes(LOW_WATER)
    assert [piece[:1] for piece in bench.heard()] == [b"g", b"o", b"g"]


def test_settling_sends_what_is_owed_before_what_follows(bench: Bench) -> None:
    bench.stop_reading()
    subscription = Owed()
    bench.owe(subscription)
    bench.settle(subscription)
    bench.outbox.tell(b"message")
    bench.takes(VALUE_LIMIT)
    bench.takes(bench.transport.unsent)
    assert bench.heard() == [b"v", b"message"]


def test_settling_what_is_not_owed_sends_nothing(bench: Bench) -> None:
    bench.settle(Owed())
    assert bench.heard() == []


def test_a_value_larger_than_any_limit_reaches_a_peer_that_reads(bench: Bench) -> None:
    bench.value(b"v" * (HARD_LIMIT + 1))
    assert [len(piece) for piece in bench.heard()] == [HARD_LIMIT + 1]
    assert bench.transport.closed is None
    assert bench.outbox.open


def test_a_message_may_follow_a_value_larger_than_any_limit(bench: Bench) -> None:
    bench.transport.reading = False
    bench.value(b"v" * (HARD_LIMIT + 1))
    bench.outbox.tell(b"message")
    bench.clock.run()
    bench.takes(bench.transport.unsent)
    assert bench.heard()[1:] == [b"message"]
    assert bench.transport.closed is None


def test_who_lets_messages_pile_up_to_the_hard_limit_is_too_slow(bench: Bench) -> None:
    bench.stop_reading()
    message = b"m" * 100_000
    for _ in range(HARD_LIMIT // len(message) - 12):
        bench.outbox.tell(message)
    bench.clock.run()
    assert bench.transport.closed is None
    for _ in range(13):
        bench.outbox.tell(message)
    assert bench.transport.closed is None  # not from within a fan-out
    bench.clock.run()
    assert bench.transport.closed is TOO_SLOW
    assert bench.outbox.backlog == bench.transport.unsent <= HARD_LIMIT


# -- rates


def test_a_value_waits_until_its_rate_allows(bench: Bench) -> None:
    subscription = Owed()
    subscription.not_before = 0.5
    bench.owe(subscription)
    bench.clock.advance(0.4)
    bench.owe(subscription)
    assert bench.heard() == []
    bench.clock.advance(0.2)
    assert bench.heard() == [b"v"]
    assert bench.clock.pending == 0


def test_when_its_time_comes_there_must_be_room_too(bench: Bench) -> None:
    bench.stop_reading()
    subscription = Owed()
    subscription.not_before = 0.5
    bench.owe(subscription)
    bench.clock.advance(1)
    assert subscription.owed
    bench.takes(VALUE_LIMIT)
    assert not subscription.owed


def test_a_value_settled_early_does_not_come_again(bench: Bench) -> None:
    subscription = Owed()
    subscription.not_before = 0.5
    bench.owe(subscription)
    bench.settle(subscription)
    bench.clock.advance(1)
    assert bench.heard() == [b"v"]


# -- pause, forget, close, reframe


def test_a_pause_holds_values_back_and_nothing_else(bench: Bench) -> None:
    bench.outbox.pause()
    subscription = Owed()
    bench.owe(subscription)
    bench.outbox.tell(b"message")
    assert bench.heard() == [b"message"]
    bench.outbox.resume()
    assert bench.heard() == [b"message", b"v"]
    assert bench.outbox.open


def test_resuming_what_is_not_paused_changes_nothing(bench: Bench) -> None:
    bench.outbox.resume()
    assert bench.outbox.open
    bench.stop_reading()
    bench.outbox.resume()
    assert not bench.outbox.open


def test_a_pause_outlasts_a_drained_socket(bench: Bench) -> None:
    bench.stop_reading()
    bench.outbox.pause()
    subscription = Owed()
    bench.owe(subscription)
    bench.takes(VALUE_LIMIT)
    assert subscription.owed
    bench.outbox.resume()
    assert not subscription.owed


def test_the_forgotten_get_nothing(bench: Bench) -> None:
    limited, waiting = Owed("l"), Owed("w")
    limited.not_before = 0.5
    bench.outbox.pause()
    bench.owe(limited, waiting)
    for subscription in (limited, waiting):
        bench.outbox.forget(subscription)
    bench.outbox.resume()
    bench.clock.advance(1)
    assert bench.heard() == []
    assert bench.clock.pending == 0
    assert limited.owed == waiting.owed == 0


def test_a_closed_outbox_sends_nothing_and_keeps_nothing(bench: Bench) -> None:
    subscription = Owed()
    bench.outbox.pause()
    bench.owe(subscription)
    bench.outbox.tell(b"due")
    bench.outbox.close()
    assert not subscription.owed
    bench.outbox.tell(b"late")
    bench.outbox.resume()
    assert not bench.outbox.open
    assert bench.heard() == []
    assert bench.outbox.backlog == 0


class Marked(Lines):
    """Another framing."""

    def pack(self, frames: list[bytes]) -> list[bytes]:
        return [b"marked " + frame for frame in frames]


def test_what_is_due_goes_with_the_framing_it_was_finished_by(bench: Bench) -> None:
    bench.outbox.tell(b"a")
    bench.outbox.reframe(Marked())
    bench.outbox.tell(b"b")
    assert bench.heard() == [b"a", b"marked b"]
    bench.outbox.reframed()
    assert bench.outbox.open


def test_what_waits_is_not_finished_by_the_framing_before(bench: Bench) -> None:
    bench.outbox.tell(b"x" * VALUE_LIMIT)
    subscription = Owed()
    bench.owe(subscription)
    bench.outbox.reframe(Marked())
    bench.outbox.on_room()
    assert subscription.owed, "whoever has called reframe has not replaced what encodes the values yet"
    bench.outbox.reframed()
    assert bench.heard() == [b"marked v"]


def test_values_wait_until_every_change_of_the_framing_is_known_to_all(bench: Bench) -> None:
    subscription = Owed()
    bench.outbox.reframe(Marked())
    bench.owe(subscription)
    bench.outbox.reframe(Marked())
    bench.outbox.resume()
    bench.outbox.reframed()
    assert (bench.outbox.open, bench.heard()) == (False, [])
    bench.outbox.reframed()
    assert (bench.outbox.open, bench.heard()) == (True, [b"marked v"])
