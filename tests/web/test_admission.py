"""How long a session may stay."""

from hashlib import sha256

import pytest

from pycaserver.core.errors import PycaError
from pycaserver.sections import Auth, Token
from pycaserver.web.admission import Admission
from pycaserver.web.identities import Identities
from pycaserver.web.logins import Proven
from tests.fakes import FakeClock

PEER = "192.0.2.7"
TOKEN = "a token of anna"
ANNAS = [Token(user="anna", sha256=sha256(TOKEN.encode()).hexdigest())]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def admission_of(clock: FakeClock, auth: Auth, identity: Proven | None = None) -> Admission:
    return Admission(Identities(auth, [], clock), identity or Proven(address=PEER), PEER, clock)


def test_the_anonymous_may_stay_where_nothing_is_required(clock: FakeClock) -> None:
    admission = admission_of(clock, Auth())
    clock.advance(1e6)
    assert not admission.locked and not admission.is_over


def test_where_an_identity_is_required_there_is_a_while_to_show_it(clock: FakeClock) -> None:
    admission = admission_of(clock, Auth(required=True, login_timeout=15, token=ANNAS))
    assert admission.locked and not admission.is_over
    clock.advance(14.9)
    assert not admission.is_over
    clock.advance(0.1)
    assert admission.is_over


def test_who_has_shown_it_may_stay(clock: FakeClock) -> None:
    admission = admission_of(clock, Auth(required=True, login_timeout=15, token=ANNAS))
    identity = admission.authenticate(TOKEN)
    assert (identity.user, identity.address) == ("anna", PEER)
    assert not admission.locked
    clock.advance(1e6)
    assert not admission.is_over


def test_an_address_that_is_not_known_stays_unknown(clock: FakeClock) -> None:
    admission = admission_of(clock, Auth(token=ANNAS), Proven(address=""))
    assert admission.authenticate(TOKEN).address == ""


def test_a_failure_leaves_who_it_was(clock: FakeClock) -> None:
    admission = admission_of(clock, Auth(token=ANNAS))
    admission.authenticate(TOKEN)
    with pytest.raises(PycaError):
        admission.authenticate("wrong")
    assert admission.identity.user == "anna"


def test_expiry_is_by_the_wall_clock(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stepped by an hour, while the other clock stands still."""
    began = clock.wall()
    admission = admission_of(clock, Auth(), Proven("anna", expires=began + 600, means="jwt"))
    assert not admission.is_over
    monkeypatch.setattr(clock, "wall", lambda: began + 3600)
    assert admission.is_over


def test_a_step_of_the_wall_clock_does_not_end_the_while(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = admission_of(clock, Auth(required=True, login_timeout=15))
    began = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: began + 3600)
    assert not admission.is_over
