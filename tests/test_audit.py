"""audit.py: every put on record, through rotation and a full disk; or no puts."""

import json
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pycaserver import audit
from pycaserver.audit import MAX_WAITING, AuditTrail, check_file
from pycaserver.core.audit import AuditEntry
from pycaserver.core.errors import PycaError
from pycaserver.core.figures import Figures
from pycaserver.core.identity import Identity
from tests.disks import largest_file

ENTRY = AuditEntry(1, 1_795_262_400.0, Identity("anna"), "SIM:A", 2, "allowed", "access.rule 1", "ok", old=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "puts.jsonl"


@pytest.fixture
def trail(file: Path) -> AuditTrail:
    file.parent.mkdir()
    return AuditTrail(str(file), Figures())


def record(trail: AuditTrail, *numbers: int) -> None:
    for number in numbers:
        trail.record(replace(ENTRY, put=number))


def puts(file: Path) -> list[int]:
    """The numbers of the puts in the file, in order."""
    return [json.loads(text)["put"] for text in file.read_text().splitlines()]


def why_not_ready(trail: AuditTrail) -> str:
    with pytest.raises(PycaError) as refused:
        trail.ready()
    assert refused.value.code == "write_disabled"
    return refused.value.message


def events(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """The lines of the audit in the log."""
    messages = [record.getMessage() for record in caplog.records if record.name == "pycaserver.audit"]
    return [json.loads(message[message.index("{") :]) for message in messages if "{" in message]


# -- in the log


def test_without_a_file_entries_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    trail = AuditTrail("", Figures())
    with caplog.at_level(logging.INFO):
        trail.ready()
        record(trail, 1, 2)
    assert [event["put"] for event in events(caplog)] == [1, 2]
    assert all(event.levelno == logging.INFO for event in caplog.records)


# -- in a file


def test_entries_are_in_the_file_when_record_returns(trail: AuditTrail, file: Path) -> None:
    trail.ready()
    record(trail, 1, 2)
    assert puts(file) == [1, 2]
    assert json.loads(file.read_text().splitlines()[0])["user"] == "anna"
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0, "not for everybody to read"


def test_a_file_that_is_there_is_continued(trail: AuditTrail, file: Path) -> None:
    record(trail, 1)
    record(AuditTrail(str(file), Figures()), 2)
    assert puts(file) == [1, 2]


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(trail: AuditTrail, file: Path) -> None:
    file.write_text('{"put":1}\n{"put":')
    record(AuditTrail(str(file), Figures()), 2, 3)
    lines = file.read_text().splitlines()
    assert lines[:2] == ['{"put":1}', '{"put":']
    assert [json.loads(text)["put"] for text in lines[2:]] == [2, 3]


@pytest.mark.parametrize("before", [AuditTrail.ready, lambda _: None], ids=["then checked", "at once"])
def test_a_renamed_file_is_noticed(trail: AuditTrail, file: Path, before: Callable[[AuditTrail], None]) -> None:
    record(trail, 1)
    file.rename(file.with_suffix(".1"))
    before(trail)
    record(trail, 2)
    assert (puts(file.with_suffix(".1")), puts(file)) == ([1], [2])


def test_a_truncated_file_is_continued(trail: AuditTrail, file: Path) -> None:
    record(trail, 1)
    os.truncate(file, 0)
    record(trail, 2)
    assert puts(file) == [2]


def test_another_file_in_its_place_is_continued(trail: AuditTrail, file: Path) -> None:
    record(trail, 1)
    file.unlink()
    file.write_text('{"put":100}\n')
    record(trail, 2)
    assert puts(file) == [100, 2]


def test_rotations_leak_no_descriptors(trail: AuditTrail, file: Path) -> None:
    record(trail, 0)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        file.rename(file.with_suffix(f".{number}"))
        record(trail, number)
    assert len(os.listdir("/proc/self/fd")) == before


# -- when it cannot be written


def test_no_puts_until_the_folder_is_there(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    figures = Figures()
    trail = AuditTrail(str(file), figures)
    assert f"audit.file {file}: No such file or directory" in caplog.text
    why = why_not_ready(trail)
    assert "No such file or directory" in why
    assert str(file) not in why, "a peer need not know where it is"
    record(trail, 1)
    assert figures.audit_failures == 1
    assert [event["put"] for event in events(caplog)] == [1], "it is in the log meanwhile"
    file.parent.mkdir()
    trail.ready()
    assert puts(file) == [1]


def test_no_puts_without_room_on_the_disk(trail: AuditTrail, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(audit, "MIN_FREE_BYTES", 1 << 62)
        assert "No space left on device" in why_not_ready(trail)
        record(trail, 1)
        assert puts(file) == [1], "the refused put is recorded while there is still some room"
    trail.ready()


def test_a_line_that_did_not_fit_comes_again_whole(trail: AuditTrail, file: Path) -> None:
    record(trail, 1)
    with largest_file(file.stat().st_size + 20):
        record(trail, 2, 3)
        assert why_not_ready(trail)
    trail.ready()
    record(trail, 4)
    lines = file.read_text().splitlines()
    assert len(lines[1]) == 20, "what fitted stays"
    assert [json.loads(text)["put"] for text in (lines[0], *lines[2:])] == [1, 2, 3, 4]


def test_what_waits_is_bounded_and_all_of_it_is_in_the_log(
    trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.unlink()
    file.parent.rmdir()
    with caplog.at_level(logging.ERROR):
        record(trail, *range(MAX_WAITING + 5))
    assert [event["put"] for event in events(caplog)] == [*range(MAX_WAITING + 5)]
    assert "too many lines wait" in caplog.text
    file.parent.mkdir()
    trail.ready()
    assert puts(file) == [*range(MAX_WAITING)]


def test_what_waits_is_written_once_there_is_room_even_if_all_puts_are_refused(trail: AuditTrail, file: Path) -> None:
    """Those that the rules refuse ask nobody whether the audit is ready."""
    file.unlink()
    file.parent.rmdir()
    record(trail, *range(MAX_WAITING))
    file.parent.mkdir()
    record(trail, MAX_WAITING)
    assert puts(file) == [*range(MAX_WAITING + 1)]


def test_what_waits_is_written_though_no_put_follows(trail: AuditTrail, file: Path) -> None:
    file.unlink()
    file.parent.rmdir()
    record(trail, 1, 2)
    trail.catch_up()
    file.parent.mkdir()
    trail.catch_up()
    assert puts(file) == [1, 2]


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_only_a_regular_file_will_do(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "puts"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/dev/full")
    trail = AuditTrail(str(path), Figures())
    why_not_ready(trail)
    record(trail, 1)
    with pytest.raises(OSError, match=rf"audit\.file {path}: "):
        check_file(str(path))


# -- replacing


def test_it_goes_on_in_another_file(trail: AuditTrail, file: Path, tmp_path: Path) -> None:
    record(trail, 1)
    other = tmp_path / "other.jsonl"
    trail.replace(str(other))
    trail.ready()
    record(trail, 2)
    assert (puts(file), puts(other)) == ([1], [2])


def test_what_could_not_be_written_goes_to_the_new_file(file: Path, tmp_path: Path) -> None:
    trail = AuditTrail(str(file), Figures())
    record(trail, 1, 2)
    other = tmp_path / "other.jsonl"
    trail.replace(str(other))
    record(trail, 3)
    assert puts(other) == [1, 2, 3]


def test_from_a_file_to_the_log_and_back(trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    record(trail, 1)
    trail.replace("")
    with caplog.at_level(logging.INFO):
        record(trail, 2)
    trail.replace(str(file))
    record(trail, 3)
    assert puts(file) == [1, 3]
    assert [event["put"] for event in events(caplog)] == [2]


def test_a_check_leaves_no_descriptor_behind(file: Path) -> None:
    check_file("")
    with pytest.raises(OSError):
        check_file(str(file))
    file.parent.mkdir()
    before = len(os.listdir("/proc/self/fd"))
    check_file(str(file))
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_a_file_there_are_no_puts_while_nobody_reads_the_log() -> None:
    unread = True
    trail = AuditTrail("", Figures(), lambda: unread)
    assert why_not_ready(trail) == "Puts cannot be recorded, so there are none: nobody reads the log."
    unread = False
    trail.ready()
