"""The IOCs that the tests run: they are what the tests take them for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ca_search import search
from tests.databases import LARGE_COUNT, types_database
from tests.iocs import CIOC, IOCProcess, SimIOC, types_ioc
from tests.timing import async_wait_for, wait_for

RECORD = 'record(longin, "$(P)DOUBLE") { field(INP, "7") field(PINI, "YES") field(EGU, "$(UNIT=)") }\n'


@pytest.fixture(params=["c", "sim"])
def ioc(request: pytest.FixtureRequest) -> Iterator[IOCProcess]:
    with CIOC(RECORD) if request.param == "c" else SimIOC() as ioc:
        yield ioc


@pytest.fixture(scope="module")
def types() -> Iterator[CIOC]:
    with types_ioc() as ioc:
        yield ioc


def test_killed_and_started_again_it_answers_at_the_same_port(ioc: IOCProcess) -> None:
    name, port, first = f"{ioc.prefix}DOUBLE", ioc.port, ioc.process.pid
    assert search(name, port, 5.0) == port
    ioc.kill()
    assert search(name, port) is None
    ioc.start()
    assert search(name, port, 5.0) == port
    assert ioc.process.pid != first


def test_paused_it_is_silent_and_resumed_it_answers(ioc: IOCProcess) -> None:
    name = f"{ioc.prefix}DOUBLE"
    ioc.pause()
    assert search(name, ioc.port) is None
    ioc.resume()
    assert wait_for(lambda: search(name, ioc.port)) == ioc.port


def test_paused_it_can_be_stopped(ioc: IOCProcess) -> None:
    ioc.pause()
    ioc.stop()
    assert ioc.process.returncode == 0
    assert not ioc.running


def test_restart_takes_other_records_and_macros() -> None:
    with CIOC(RECORD, macros={"UNIT": "mm"}) as ioc:
        port = ioc.port
        assert '"mm"' in ioc.shell(f"dbgf {ioc.prefix}DOUBLE.EGU")
        ioc.restart(database='record(stringin, "$(P)DOUBLE") { field(INP, {const:"text"}) field(PINI, "YES") }\n')
        assert '"text"' in ioc.shell(f"dbgf {ioc.prefix}DOUBLE")
        assert ioc.port == port


def test_a_database_that_does_not_load_says_why() -> None:
    with pytest.raises(AssertionError, match="nonsense"):
        CIOC('record(nonsense, "$(P)X") {}\n').start()


def test_a_database_can_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file.db").write_text(RECORD)
    with CIOC(tmp_path / "file.db") as ioc:
        assert "DBF_LONG:           7" in ioc.shell(f"dbgf {ioc.prefix}DOUBLE")


def test_clients_are_counted_by_the_shell(types: CIOC) -> None:
    assert "No clients connected." in types.shell("casr 2")


def test_every_record_but_those_meant_to_be_is_free_of_undefined_alarms(types: CIOC) -> None:
    records = types.shell("dbl").split()
    undefined = {name for name in records if "DBF_UCHAR:          1" in types.shell(f"dbgf {name}.UDF")}
    assert len(records) == types_database().count("\nrecord(")
    assert undefined == {f"{types.prefix}undefined", f"{types.prefix}nan"}


def test_the_large_array_is_full(types: CIOC) -> None:
    assert f" {LARGE_COUNT} = " in types.shell(f"dbgf {types.prefix}large.NORD")


def test_access_rules_follow_their_records(types: CIOC) -> None:
    assert 'CALC("A=1") result=TRUE' in types.shell("asprules GUARDED")
    types.shell(f"dbpf {types.prefix}may_read 0")
    wait_for(lambda: 'CALC("A=1") result=FALSE' in types.shell("asprules GUARDED"), what="no read access")
    types.shell(f"dbpf {types.prefix}may_read 1")
    wait_for(lambda: 'CALC("A=1") result=TRUE' in types.shell("asprules GUARDED"), what="read access")


def test_waiting_in_vain_fails() -> None:
    with pytest.raises(AssertionError, match=r"not within .* the impossible"):
        wait_for(lambda: False, 0.02, "the impossible")


def test_waiting_in_vain_fails_in_a_coroutine_too() -> None:
    with pytest.raises(AssertionError, match=r"not within .* the impossible"):
        asyncio.run(async_wait_for(lambda: False, 0.02, "the impossible"))
