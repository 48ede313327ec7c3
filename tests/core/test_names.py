"""core/names.py"""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pycaserver.core.errors import PycaError
from pycaserver.core.names import (
    DEFAULT_FIELD,
    MAX_NAME_BYTES,
    MAX_RECORD_BYTES,
    check_pv_name,
    split_pv_name,
    split_scheme,
)

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def why_refused(name: str) -> str:
    with pytest.raises(PycaError) as caught:
        check_pv_name(name)
    assert caught.value.code == "invalid_pv_name"
    return caught.value.message


@pytest.mark.parametrize(
    "name",
    ["myTest:PV", "PV.DESC", "NAME$", "PV.VAL$", 'PV.VAL{"dbnd":{"abs":1}}', "A", "a b", "SR:C01{BPM:1}Pos-I",
     "{BPM:1}Pos", "ca://{BPM:1}Pos.DESC", "SR{" + "x" * 252, "x" * 255 + '{"ts":{}}',
     "x" * 255, "x" * 255 + ".DESC", "x" * 255 + "." + "y" * 744,
     "ca://PV.DESC", "sim://ramp(0,1.5,0.1)", "loc://x<VEnum>(1, \"a b\")", "loc://x(" + "1," * 400 + ")", "sims://x"],
    ids=lambda name: name[:20],
)  # fmt: skip
def test_names_of_pvs_pass_unchanged(name: str) -> None:
    assert check_pv_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (" PV", "space"),
        ("PV ", "space"),
        (" ", "space"),
        ("T:d\0.allowed", r"'\x00'"),
        ("PV\n", r"'\n'"),
        ("PV\t", r"'\t'"),
        ("PV\x7f", r"'\x7f'"),
        ("Köln", r"'\xf6'"),
        ("PV\u2028", r"'\u2028'"),
        (".DESC", "record part"),
        ("x" * 256, "record part"),
        ("x" * 256 + ".DESC", "record part"),
        ("SR{" + "x" * 900, "record part"),
        ("SR{" + "x" * 253 + ".DESC", "record part"),
        ('{"ts":{}}', "record part"),
        ("x" * 255 + "." + "y" * 745, "longer than 1000"),
        ("ca://", "must follow ca://"),
        ("ca://.DESC", "record part"),
        ("ca://" + "x" * 256, "record part"),
        ("ca://sim://sine", "must follow ca://"),
        ("ca://ca://x", "must follow ca://"),
        ("sim://", "must follow sim://"),
        ("pva://PV", "no source for pva://"),
        ("loc://Köln", r"'\xf6'"),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_other_names_are_refused_with_the_reason(name: str, why: str) -> None:
    assert why in why_refused(name)


@given(st.text(st.characters(codec="utf-8")))
def test_only_printable_ascii_without_outer_spaces_is_accepted(name: str) -> None:
    try:
        accepted = check_pv_name(name)
    except PycaError as error:
        assert error.code == "invalid_pv_name"
        assert error.pvname == name[:MAX_NAME_BYTES]
    else:
        assert accepted == name == name.strip()
        assert name.isascii()
        assert name.isprintable()
        assert 0 < len(name) <= MAX_NAME_BYTES
        assert 0 < len(name.split(".")[0].split('{"')[0]) <= MAX_RECORD_BYTES


@given(st.text(PRINTABLE.replace(".", "").replace('"', ""), min_size=1, max_size=255), st.text(PRINTABLE, max_size=700))
def test_any_printable_record_and_field_are_accepted(record: str, field: str) -> None:
    assert check_pv_name(f"{record}.{field}") == f"{record}.{field}"


def test_the_echo_of_a_long_name_is_bounded() -> None:
    with pytest.raises(PycaError) as caught:
        check_pv_name("x" * 1_000_000)
    assert len(caught.value.pvname or "") == MAX_NAME_BYTES
    assert len(caught.value.message) < 100


# -- record and field


@pytest.mark.parametrize(
    ("name", "record", "field"),
    [
        ("X", "X", "VAL"),
        ("X.", "X", "VAL"),
        ("X.VAL", "X", "VAL"),
        ("X.VAL$", "X", "VAL"),
        ("X.$", "X", "VAL"),
        ("X$", "X", "VAL"),
        ("X.[0:3]", "X", "VAL"),
        ("X.VAL[0:3]", "X", "VAL"),
        ('X.{"dbnd":{"abs":1.5}}', "X", "VAL"),
        ("X.{dbnd:{abs:1.5}}", "X", "VAL"),
        ('X{"dbnd":{"abs":1.5}}', "X", "VAL"),
        ('X.VAL[0:3]{"ts":{}}', "X", "VAL"),
        ("X.VAL {}", "X", "VAL"),
        ("X.DESC", "X", "DESC"),
        ("X.DESC$", "X", "DESC"),
        ('X.DESC${"ts":{}}', "X", "DESC"),
        ("X.A1_b", "X", "A1_b"),
        ("X.val", "X", "val"),
        ("SR:C01{BPM:1}Pos-I", "SR:C01{BPM:1}Pos-I", "VAL"),
        ("SR:C01{BPM:1}Pos-I.DESC$", "SR:C01{BPM:1}Pos-I", "DESC"),
        ("SR:C01-MG{PS:QH1}", "SR:C01-MG{PS:QH1}", "VAL"),
        ("X[1]", "X[1]", "VAL"),
        ("a.b:c", "a", "b:c"),
        ("X..VAL", "X", ".VAL"),
        ("X.VAL.DESC", "X", "VAL.DESC"),
        ("X.VAL-1", "X", "VAL-1"),
        ("$", "$", "VAL"),
        ("ca://X", "X", "VAL"),
        ("ca://X.DESC$", "X", "DESC"),
        ('ca://X.{"dbnd":{"abs":1.5}}', "X", "VAL"),
        ("CA://X", "CA://X", "VAL"),
        ("sim://ramp(0,1.5,0.1)", "sim://ramp(0,1.5,0.1)", "VAL"),
        ("stat://sessions", "stat://sessions", "VAL"),
        ("loc://x", "loc://x", "VAL"),
        ("loc://x<VLong>(3)", "loc://x", "VAL"),
        ("loc://x(3.5)", "loc://x", "VAL"),
        ("loc://a.b", "loc://a.b", "VAL"),
    ],
)
def test_record_and_field(name: str, record: str, field: str) -> None:
    assert check_pv_name(name) == name
    assert split_pv_name(name) == (record, field)


RECORD_NAMES = st.text(PRINTABLE.replace(".", "").replace('"', "").replace("$", ""), min_size=1, max_size=50)
FIELD_NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,5}", fullmatch=True) | st.just(DEFAULT_FIELD)
MODIFIERS = st.sampled_from(["", "$", "[0:3]", "[-1]", '{"dbnd":{"abs":1.5}}', "{dbnd:{abs:1}}", '$[0:3]{"ts":{}}'])


@given(RECORD_NAMES, FIELD_NAMES, MODIFIERS)
def test_modifiers_do_not_make_another_name(record: str, field: str, modifiers: str) -> None:
    assert split_pv_name(f"{record}.{field}{modifiers}") == (record, field)
    assert split_pv_name(f"{record}.{modifiers}") == split_pv_name(record) == (record, DEFAULT_FIELD)


@pytest.mark.parametrize(
    ("name", "scheme", "rest"),
    [
        ("X", "ca", "X"),
        ("ca://X", "ca", "X"),
        ("sim://sine(0,1,0.1)", "sim", "sine(0,1,0.1)"),
        ("loc://x", "loc", "x"),
        ("SIM://x", "ca", "SIM://x"),
        ("x://y", "ca", "x://y"),
        ("sim:x", "ca", "sim:x"),
    ],
)
def test_which_source_a_name_goes_to(name: str, scheme: str, rest: str) -> None:
    assert split_scheme(name) == (scheme, rest)


@given(st.text(PRINTABLE, min_size=1, max_size=50))
def test_the_record_of_any_name_is_where_it_begins(name: str) -> None:
    assume(split_scheme(name) == ("ca", name))
    record, field = split_pv_name(name)
    assert name.startswith(record)
    assert field
    assert "." not in record
