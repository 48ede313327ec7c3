"""Hub: all peers that are connected now. Counts them, looks after them once a second, sends them away at the end."""

from collections import Counter
from typing import Final, Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.errors import GOING_AWAY, NO_PONG, TOO_SLOW, CloseCode
from pycaserver.core.figures import Figures
from pycaserver.web.writer import PacedWriter

ROUND_SECONDS: Final = 1.0


class Peer(Protocol):
    """One connection that the hub looks after."""

    address: str
    writer: PacedWriter
    last_heard: float
    """When the last message or pong came, or the connection began."""
    last_ping: float

    def ping(self) -> bool:
        """Ask for a sign of life; whether an answer is to be expected."""

    def close(self, code: CloseCode) -> None:
        """Send the peer away."""


class HubLimits(Protocol):
    """The settings that the hub watches."""

    sessions: int
    sessions_per_address: int
    ping_seconds: float
    slow_after_seconds: float


class Hub:
    """All peers."""

    def __init__(self, limits: HubLimits, clock: Clock, figures: Figures) -> None:
        self._limits = limits
        self._clock = clock
        self._figures = figures
        self._peers: set[Peer] = set()
        self._addresses: Counter[str] = Counter()
        self.closing = False

    def __len__(self) -> int:
        return len(self._peers)

    def has_room(self, address: str) -> bool:
        """Whether one more session from there is allowed."""
        return (
            not self.closing
            and len(self._peers) < self._limits.sessions
            and self._addresses[address] < self._limits.sessions_per_address
        )

    def add(self, peer: Peer) -> None:
        """A peer has connected."""
        peer.last_heard = peer.last_ping = self._clock.monotonic()
        self._peers.add(peer)
        self._addresses[peer.address] += 1

    def remove(self, peer: Peer) -> None:
        """A peer is gone."""
        if peer in self._peers:
            self._peers.remove(peer)
            self._addresses[peer.address] -= 1
            if not self._addresses[peer.address]:
                del self._addresses[peer.address]

    def start(self) -> None:
        """Begin to look after the peers."""
        self._clock.call_later(ROUND_SECONDS, self._round)

    def close(self) -> None:
        """Send everybody away."""
        self.closing = True
        for peer in list(self._peers):
            peer.close(GOING_AWAY)

    def _round(self) -> None:
        now = self._clock.monotonic()
        for peer in list(self._peers):
            self._look_after(peer, now)
        self._clock.call_later(ROUND_SECONDS, self._round)

    def _look_after(self, peer: Peer, now: float) -> None:
        if peer.writer.stalled_for(now) > self._limits.slow_after_seconds:
            peer.close(TOO_SLOW)
        elif now - peer.last_ping >= self._limits.ping_seconds:
            if peer.last_heard < peer.last_ping:
                peer.close(NO_PONG)
            elif peer.ping():
                peer.last_ping = now
            else:
                peer.last_ping = peer.last_heard = now
