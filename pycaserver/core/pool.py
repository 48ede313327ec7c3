"""ChannelPool: opens channels, shares them, counts their users, lingers, closes."""

from collections import Counter
from collections.abc import Iterator

from pycaserver.core.channel import Channel
from pycaserver.core.clock import Clock, Timer
from pycaserver.core.errors import PycaError
from pycaserver.core.events import Events
from pycaserver.core.fanout import Fanout
from pycaserver.core.figures import Figures
from pycaserver.core.history import Histories
from pycaserver.core.names import check_pv_name
from pycaserver.core.source import Source


class ChannelPool:
    """All open channels by name: one per PV, however many sessions use it."""

    def __init__(
        self,
        source: Source,
        clock: Clock,
        figures: Figures,
        search_seconds: float,
        linger_seconds: float,
        histories: Histories | None = None,
        events: Events | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._figures = figures
        self._search_seconds = search_seconds
        self._linger_seconds = linger_seconds
        self.fanout = Fanout(clock, figures)
        self.histories = histories or Histories()
        self.events = events or Events(clock)
        self._channels: dict[str, Channel] = {}
        self._lingering: dict[str, Timer] = {}

    def acquire(self, name: str) -> Channel:
        """The channel of that PV, opened if need be. Release it once for each acquire.

        PycaError(invalid_pv_name, too_many_subscriptions); the latter if its source has no room for one more.
        """
        channel = self._channels.get(name) or self._open(check_pv_name(name))
        if timer := self._lingering.pop(name, None):
            timer.cancel()
        channel.users += 1
        return channel

    def release(self, channel: Channel) -> None:
        """Give the channel back; after the last user's leaving it lingers, then closes."""
        channel.users -= 1
        if channel.users == 0:
            self._lingering[channel.name] = self._clock.call_later(self._linger_seconds, self._close, channel.name)

    def get(self, name: str) -> Channel | None:
        """The channel if it is open, without becoming its user."""
        return self._channels.get(name)

    def __iter__(self) -> Iterator[Channel]:
        """All that are open."""
        return iter(self._channels.values())

    def states(self) -> Counter[str]:
        """How many channels are in each state."""
        return Counter(channel.contact.state.value for channel in self._channels.values())

    def _open(self, name: str) -> Channel:
        history = self.histories.open(name)
        channel = Channel(name, self._clock, self.fanout, self._figures, self._search_seconds, history, self.events)
        try:
            channel.attach(self._source.open(name, channel))
        except PycaError:
            channel.close()
            self.histories.close(name)
            raise
        self._channels[name] = channel
        return channel

    def _close(self, name: str) -> None:
        del self._lingering[name]
        self._channels.pop(name).close()
        self.histories.close(name)
