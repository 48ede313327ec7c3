"""Hub: all peers that are connected now. Counts them, looks after them once a second, sends them away at the end."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Protocol

from pycaserver.core.clock import Clock
from pycaserver.core.errors import CREDENTIALS_EXPIRED, GOING_AWAY, NO_PONG, TOO_SLOW, TRY_LATER, CloseCode
from pycaserver.core.figures import Figures
from pycaserver.core.session import Session
from pycaserver.web.admission import Admission
from pycaserver.web.proxies import network_of

ROUND_SECONDS: Final = 1.0
MOST_LINGERING: Final = 100
"""Peers without a session that may read why before they are cut off."""


class Peer(Protocol):
    """One connection that the hub looks after."""

    address: str
    admission: Admission
    last_heard: float
    """When the last message or pong came, or the connection began."""
    last_ping: float

    @property
    def session(self) -> Session | None:
        """None once it has ended."""

    def stalled_for(self, now: float) -> float:
        """Seconds for which the peer has taken nothing of what waits."""

    def ping(self) -> bool:
        """Ask for a sign of life; whether an answer is to be expected."""

    def close(self, code: CloseCode) -> None:
        """Send the peer away."""


class HubLimits(Protocol):
    """The settings that the hub watches."""

    sessions: int
    sessions_per_address: int
    sessions_per_user: int
    ping_seconds: float
    slow_after_seconds: float


class Hub:
    """All peers."""

    def __init__(self, limits: HubLimits, clock: Clock, figures: Figures) -> None:
        self._limits = limits
        self._clock = clock
        self._figures = figures
        self._peers: dict[Peer, None] = {}
        self._addresses: Counter[str] = Counter()
        self._lingering: dict[object, None] = {}
        self.closing = False

    def __len__(self) -> int:
        return len(self._peers)

    def __iter__(self) -> Iterator[Peer]:
        """Eldest first."""
        return iter(self._peers)

    def has_room(self, address: str, user: str = "") -> bool:
        """Whether one more session from there, and of that user, is allowed."""
        return (
            not self.closing
            and len(self._peers) < self._limits.sessions
            and self._addresses[network_of(address)] < self._limits.sessions_per_address
            and (not user or self._users()[user] < self._limits.sessions_per_user)
        )

    def add(self, peer: Peer) -> None:
        """A peer has connected."""
        peer.last_heard = peer.last_ping = self._clock.monotonic()
        self._peers[peer] = None
        self._addresses[network_of(peer.address)] += 1

    def remove(self, peer: Peer) -> None:
        """A peer is gone."""
        if peer in self._peers:
            del self._peers[peer]
            network = network_of(peer.address)
            self._addresses[network] -= 1
            if not self._addresses[network]:
                del self._addresses[network]

    def linger(self, peer: object) -> bool:
        """Whether a peer that has no session, or none any more, may stay for a moment to read why."""
        if peer not in self._lingering and len(self._lingering) >= MOST_LINGERING:
            return False
        self._lingering[peer] = None
        return True

    def gone(self, peer: object) -> None:
        """It lingers no more."""
        self._lingering.pop(peer, None)

    def start(self) -> None:
        """Begin to look after the peers."""
        self._clock.call_later(ROUND_SECONDS, self._round)

    def review(self) -> None:
        """Send those away whose identity does not stand any more."""
        for peer in list(self._peers):
            if peer.admission.is_over:
                peer.close(CREDENTIALS_EXPIRED)

    def close(self) -> None:
        """Send everybody away."""
        self.closing = True
        for peer in list(self._peers):
            peer.close(GOING_AWAY)

    def _round(self) -> None:
        self._clock.call_later(ROUND_SECONDS, self._round)
        now = self._clock.monotonic()
        for peer in list(self._peers):
            self._look_after(peer, now)
        self._check_users()

    def _users(self) -> Counter[str]:
        return Counter(peer.session.identity.user for peer in self._peers if peer.session is not None)

    def _check_users(self) -> None:
        """A session may become a user's after it began: of those beyond the limit, the newest are sent away."""
        most = self._limits.sessions_per_user
        for user in [user for user, sessions in self._users().items() if user and sessions > most]:
            theirs = [peer for peer in self._peers if peer.session is not None and peer.session.identity.user == user]
            for peer in theirs[most:]:
                peer.close(TRY_LATER)

    def _look_after(self, peer: Peer, now: float) -> None:
        if peer.stalled_for(now) > self._limits.slow_after_seconds:
            peer.close(TOO_SLOW)
        elif peer.admission.is_over:
            peer.close(CREDENTIALS_EXPIRED)
        elif now - peer.last_ping >= self._limits.ping_seconds:
            if peer.last_heard < peer.last_ping:
                peer.close(NO_PONG)
            elif peer.ping():
                peer.last_ping = now
            else:
                peer.last_ping = peer.last_heard = now
