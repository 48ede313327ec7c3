"""core/identity.py"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaserver.core.identity import Identity, Who, plain_address

ANNA = Identity("anna", ("operators", "physicists"), "10.1.2.3", means="token")


@pytest.mark.parametrize(
    ("word", "is_included"),
    [
        ("anyone", True),
        ("user:anna", True),
        ("user:Anna", False),
        ("user:operators", False),
        ("group:operators", True),
        ("group:physicists", True),
        ("group:anna", False),
        ("group:oper", False),
        ("address:10.1.2.3", True),
        ("address:10.1.2.0/24", True),
        ("address:10.1.3.0/24", False),
        ("address:0.0.0.0/0", True),
        ("address:::/0", False),
    ],
)
def test_whom_a_word_means(word: str, is_included: bool) -> None:
    assert Who([word]).includes(ANNA) is is_included
    assert Who(["user:bert", word]).includes(ANNA) is is_included


def test_nobody() -> None:
    assert not Who([]).includes(ANNA)


def test_the_anonymous_are_no_user() -> None:
    assert not Who(["user:anna", "group:operators"]).includes(Identity(address="10.1.2.3"))
    with pytest.raises(ValueError):
        Who(["user:"])


@pytest.mark.parametrize("address", ["", "10.1.2", "10.1.2.3:80", "localhost", "unix:", "10.1.2.3/32", "\0"], ids=ascii)
def test_what_is_no_address_is_in_no_network(address: str) -> None:
    assert not Who(["address:0.0.0.0/0", "address:::/0"]).includes(Identity(address=address))


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("address:10.1.2.0/24", "::ffff:10.1.2.3"),
        ("address:fd00::/8", "fd00::1"),
        ("address:fe80::/10", "fe80::1%eth0"),
        ("address:::1", "0:0:0:0:0:0:0:1"),
    ],
)
def test_addresses_in_other_forms(word: str, address: str) -> None:
    assert Who([word]).includes(Identity(address=address))


@pytest.mark.parametrize(
    "word",
    ["", "anna", "Anyone", "anyone ", "user", "user:", "user: ", "user: anna", "group:", "role:x", "address:",
     "address:10.1.2.3/8", "address:10.1.2", "address:10.1.2.0/33", "address:localhost", "address:10.1.2.*", "*"],
    ids=ascii,
)  # fmt: skip
def test_words_that_mean_nothing_are_refused_with_a_sentence(word: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        Who(["anyone", word])


NETWORKS = st.ip_addresses(v=4).flatmap(
    lambda address: st.integers(0, 32).map(lambda bits: f"address:{_network(int(address), bits)}/{bits}")
)


def _network(address: int, bits: int) -> str:
    kept = address >> (32 - bits) << (32 - bits)
    return ".".join(str(kept >> shift & 255) for shift in (24, 16, 8, 0))


SETS = st.lists(st.sampled_from(["anyone", "user:a", "user:b", "group:g", "address:::/0"]) | NETWORKS, max_size=4)


@given(SETS, SETS, st.sampled_from(["", "a", "b"]), st.sampled_from([(), ("g",)]), st.ip_addresses())
def test_who_covers_another_includes_all_that_the_other_includes(
    ours: list[str], theirs: list[str], user: str, groups: tuple[str, ...], address: object
) -> None:
    identity = Identity(user, groups, str(address))
    us, them = Who(ours), Who(theirs)
    if us.covers(them) and them.includes(identity):
        assert us.includes(identity)
    assert us.covers(us)


@given(st.ip_addresses(v=4))
def test_mapped_addresses_are_themselves(address: object) -> None:
    assert str(plain_address(f"::ffff:{address}")) == str(address)
