"""core/errors.py"""

import re
from pathlib import Path

import pytest

import pycaserver
from pycaserver.core.errors import CLOSE_CODES, ERROR_CODES, CloseCode, PycaError

SOURCE = Path(pycaserver.__file__).parent


def codes_used() -> set[str]:
    raised = re.compile(r"PycaError\(\s*\"(\w+)\"")
    return {code for module in SOURCE.rglob("*.py") for code in raised.findall(module.read_text(encoding="utf-8"))}


def test_every_code_that_the_server_raises_is_in_the_table() -> None:
    used = codes_used()
    assert "invalid_pv_name" in used
    assert used <= set(ERROR_CODES)


@pytest.mark.parametrize("sentence", [*ERROR_CODES.values(), *(code.sentence for code in CLOSE_CODES)])
def test_every_code_has_a_sentence(sentence: str) -> None:
    assert re.fullmatch(r"[A-Z].+\.", sentence)


def test_an_error_without_a_message_takes_the_sentence_of_its_code() -> None:
    error = PycaError("get_timeout", pvname="PV", id=7, action="get")
    assert error.message == ERROR_CODES["get_timeout"]
    assert (error.code, error.pvname, error.id, error.action) == ("get_timeout", "PV", 7, "get")
    assert str(error) == f"get_timeout: {ERROR_CODES['get_timeout']}"


def test_an_error_may_say_it_in_its_own_words() -> None:
    assert PycaError("bad_request", "`pv` is missing.").message == "`pv` is missing."


def test_an_error_needs_a_code_of_the_table() -> None:
    with pytest.raises(KeyError):
        PycaError("no_such_code")


def test_close_codes_differ() -> None:
    assert len({code.code for code in CLOSE_CODES}) == len(CLOSE_CODES)


@pytest.mark.parametrize("code", CLOSE_CODES, ids=lambda code: str(code.code))
def test_close_codes_fit_a_close_frame(code: CloseCode) -> None:
    assert 1000 <= code.code <= 1014 or 4000 <= code.code <= 4999  # RFC 6455, 7.4
    assert len(code.sentence.encode()) <= 123  # 5.5: 125 bytes with the code


def test_who_did_wrong_is_told_not_to_come_back() -> None:
    assert {code.code for code in CLOSE_CODES if not code.reconnect} == {1002, 1007, 1009, 4002, 4003}
