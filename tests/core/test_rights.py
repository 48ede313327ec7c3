"""Rights: access rules and IOC together."""

import pytest

from pycaserver.core.access import AccessControl, Rule, Rules
from pycaserver.core.errors import PycaError
from pycaserver.core.identity import Identity
from pycaserver.core.messages import AccessRights
from pycaserver.core.rights import Rights
from pycaserver.core.values import Access
from tests.fakes import World

ANNA = Identity(user="anna")
RULES = Rules(writes=True, rules=[Rule("W:*", "write", ("user:anna",)), Rule("SECRET:*", "none")])


@pytest.mark.parametrize(
    ("name", "identity", "ioc", "rights"),
    [
        ("W:X", ANNA, Access(True, True), (True, True)),
        ("W:X", ANNA, Access(True, False), (True, False)),
        ("W:X", ANNA, Access(False, False), (False, False)),
        ("W:X", Identity(), Access(True, True), (True, False)),
        ("W:X.PROC", ANNA, Access(True, True), (True, False)),
        ("SECRET:X", ANNA, Access(True, True), (False, False)),
    ],
)
def test_both_must_allow_it(
    world: World, name: str, identity: Identity, ioc: Access, rights: tuple[bool, bool]
) -> None:
    channel = world.channel(name)
    world.source[name].connect(access=ioc)
    assert Rights(AccessControl(RULES), identity).on(channel) == AccessRights(*rights)


def test_denial_names_the_rule() -> None:
    rights = Rights(AccessControl(RULES), ANNA)
    rights.check_read("X")
    with pytest.raises(PycaError, match=r"rule 2 .*SECRET") as caught:
        rights.check_read("SECRET:X.VAL")
    assert caught.value.code == "read_denied"


def test_rules_in_force_are_those_that_count() -> None:
    control = AccessControl(Rules())
    rights = Rights(control, ANNA)
    assert rights.denial("SECRET:X") is None
    control.replace(RULES)
    assert rights.denial("SECRET:X") is not None
