"""advice.py: notes, and what decides about one PV."""

from pathlib import Path

import pytest

from pycaserver.advice import explain, notes
from pycaserver.core.access import Rule
from pycaserver.core.errors import PycaError
from pycaserver.sections import Access, Auth, Jwt, Server, Token
from pycaserver.settings import Settings

TOKENS = [
    Token("anna", "0" * 64, ("operators",)),
    Token("anna", "1" * 64),
    Token("anna", "2" * 64, ("operators",)),
    Token("bert", "3" * 64, ("admins", "operators")),
]
RULES = [Rule("SIM:*", "write", ("group:operators",)), Rule("SIM:*", "none", ("address:10.0.0.0/8",))]
SETTINGS = Settings(access=Access(writes=True, rule=RULES), auth=Auth(token=TOKENS))
RULE_1, RULE_2 = 'access.rule 1 (pv = "SIM:*") allows write', 'access.rule 2 (pv = "SIM:*") allows none'


def test_a_line_for_each_set_of_groups_of_the_user() -> None:
    assert list(explain(SETTINGS, "anna", "SIM:A")) == [
        f"anna in operators, SIM:A: read yes, write yes: {RULE_1}",
        'anna, SIM:A: read yes, write no: access.default is "read"',
    ]
    assert list(explain(SETTINGS, "bert", "SIM:A")) == [
        f"bert in admins, operators, SIM:A: read yes, write yes: {RULE_1}"
    ]


def test_somebody_without_a_token_is_in_no_group() -> None:
    assert list(explain(SETTINGS, "carl", "A")) == ['carl, A: read yes, write no: access.default is "read"']
    assert list(explain(SETTINGS, "", "A")) == ['anonymous, A: read yes, write no: access.default is "read"']


def test_rules_about_addresses_match_the_address_given() -> None:
    assert list(explain(SETTINGS, "", "SIM:A", "10.1.2.3")) == [f"anonymous, SIM:A: read no, write no: {RULE_2}"]
    assert "access.default" in next(explain(SETTINGS, "", "SIM:A"))


def test_what_is_no_name() -> None:
    with pytest.raises(PycaError, match="invalid_pv_name"):
        list(explain(SETTINGS, "anna", "A "))


def test_nothing_to_note() -> None:
    assert list(notes(Settings())) == list(notes(SETTINGS)) == []


def test_folder_of_pages_that_everybody_may_write(tmp_path: Path) -> None:
    settings = Settings(server=Server(pages=str(tmp_path)))
    assert list(notes(settings)) == []
    tmp_path.chmod(0o1777)
    assert [note.split(":")[0] for note in notes(settings)] == ["server.pages"]


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        (Settings(access=Access(rule=RULES)), "access.rule 1"),
        (Settings(access=Access(writes=True, default="write")), "access.default"),
        (Settings(access=Access(administrators=["user:anna", "anyone"])), "access.administrators"),
        (Settings(auth=Auth(required=True)), "auth.required"),
    ],
)
def test_notes(settings: Settings, about: str) -> None:
    (note,) = notes(settings)
    assert note.startswith(about)


@pytest.mark.parametrize(
    "auth",
    [
        Auth(required=True, token=TOKENS),
        Auth(required=True, user_header="X"),
        Auth(required=True, jwt=Jwt(jwks_file="f")),
    ],
)
def test_there_is_a_way_in(auth: Auth) -> None:
    assert list(notes(Settings(auth=auth))) == []
