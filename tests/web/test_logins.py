"""What a cookie stands for, and for how long."""

import pytest

from pycaserver.web import logins
from pycaserver.web.logins import LOGIN_SECONDS, Logins, Proven, check_user
from tests.fakes import WALL_START, FakeClock

ANNA = Proven("anna", ("operators",), means="token", proof="p")


def test_the_cookie_stands_for_who_logged_in_until_the_log_in_ends() -> None:
    clock = FakeClock()
    table = Logins(clock)
    id = table.open(ANNA)
    found = table.get(id)
    assert found is not None and (found.user, found.groups, found.proof) == ("anna", ("operators",), "p")
    assert found.expires == WALL_START + LOGIN_SECONDS
    assert found.login in table
    clock.advance(LOGIN_SECONDS)
    assert table.get(id) is None
    assert found.login not in table


def test_a_log_in_does_not_outlive_its_token() -> None:
    table = Logins(FakeClock())
    found = table.get(table.open(Proven("anna", expires=WALL_START + 60, means="jwt")))
    assert found is not None and found.expires == WALL_START + 60


def test_logging_out_is_for_good_and_for_one() -> None:
    table = Logins(FakeClock())
    first, second = table.open(ANNA), table.open(ANNA)
    table.close(first)
    table.close(first)
    table.close("never was")
    assert table.get(first) is None
    assert table.get(second) is not None


def test_ids_are_long_and_not_what_is_kept() -> None:
    table = Logins(FakeClock())
    ids = {table.open(ANNA) for _ in range(50)}
    assert len(ids) == 50 and all(len(id) >= 43 for id in ids)
    assert ids.isdisjoint(table._identities)


def test_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "LOGINS", 3)
    table = Logins(FakeClock())
    ids = [table.open(ANNA) for _ in range(5)]
    assert [table.get(id) is not None for id in ids] == [False, False, True, True, True]


def test_the_many_log_ins_of_one_user_end_only_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "LOGINS_PER_USER", 3)
    table = Logins(FakeClock())
    id = table.open(ANNA)
    theirs = [table.open(Proven("mallory")) for _ in range(10)]
    assert [table.get(each) is not None for each in theirs] == [False] * 7 + [True] * 3
    assert table.get(id) is not None


def test_when_all_are_too_many_one_of_the_user_with_the_most_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "LOGINS", 4)
    table = Logins(FakeClock())
    anna, *theirs = table.open(ANNA), *(table.open(Proven("mallory")) for _ in range(3))
    eve = table.open(Proven("eve"))
    assert [table.get(id) is not None for id in (anna, eve, *theirs)] == [True, True, False, True, True]


def test_those_that_are_over_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "LOGINS", 3)
    clock = FakeClock()
    table = Logins(clock)
    table.open(Proven("eve", expires=WALL_START + 60))
    ids = [table.open(ANNA) for _ in range(2)]
    clock.advance(60)
    ids += [table.open(ANNA)]
    assert all(table.get(id) is not None for id in ids)


@pytest.mark.parametrize("name", ["anna", "anna@example.org", "Ann-Kathrin Ö.", "x" * 256])
def test_names_of_users(name: str) -> None:
    assert check_user(name) == name


@pytest.mark.parametrize("name", ["", "anna\n", "an\x1bna", "\x7f", "x" * 257, "anna\u202e"])
def test_what_is_no_name_of_a_user(name: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        check_user(name)
