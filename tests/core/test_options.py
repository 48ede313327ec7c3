"""core/options.py"""

import pytest

from pycaserver.core.messages import OptionsAnswer
from pycaserver.core.options import SubscriptionOptions
from pycaserver.core.requests import Connect, OptionKeys, SetOptions
from pycaserver.core.terms import Reduce


def test_every_option_can_be_asked_for_and_is_answered() -> None:
    options = set(SubscriptionOptions.__struct_fields__)
    assert options == set(OptionKeys.__struct_fields__) - {"id"}
    assert options | {"batch", "id"} == set(OptionsAnswer.__struct_fields__)


def test_given_options_replace_and_the_others_stay() -> None:
    before = SubscriptionOptions(max_rate=5.0, encoding="base64", metadata=True)
    keys = SetOptions(max_rate=None, deadband=0.5, reduce=Reduce(10))
    after = before.replaced_by(keys)
    assert after == SubscriptionOptions(deadband=0.5, reduce=Reduce(10), encoding="base64", metadata=True)
    assert before.max_rate == 5.0


def test_no_options_given_change_nothing() -> None:
    options = SubscriptionOptions(True, "binary", 1.0, 2.0, 3, 4, Reduce(5), "string", True)
    assert options.replaced_by(Connect(pv="PV")) == options


@pytest.mark.parametrize(
    ("options", "same"),
    [
        (SubscriptionOptions(metadata=True, max_rate=5.0, deadband=1.0), True),
        (SubscriptionOptions(encoding="base64"), False),
        (SubscriptionOptions(first=5), False),
        (SubscriptionOptions(max_count=5), False),
        (SubscriptionOptions(reduce=Reduce(5)), False),
        (SubscriptionOptions(as_="string"), False),
        (SubscriptionOptions(nanos=True), False),
    ],
    ids=repr,
)
def test_subscriptions_that_look_alike_share_their_bytes(options: SubscriptionOptions, same: bool) -> None:
    assert (options.wire_form == SubscriptionOptions().wire_form) is same
    assert isinstance(hash(options.wire_form), int)
