"""store.py: the SQLite file; what it keeps, what it deletes, what it does not touch."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from pycaserver.core.history import Samples
from pycaserver.store import SampleFile


def samples(*values: float, start: float = 0.0) -> Samples:
    times = start + np.arange(len(values), dtype=float)
    return Samples(times, np.array(values, float), np.arange(len(values), dtype=np.uint8) % 4)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


class Reopened:
    """Opens the file as often as wanted; all is closed in the end."""

    def __init__(self) -> None:
        self._files: list[SampleFile] = []

    def __call__(self, path: Path, size: int = 100) -> SampleFile:
        self._files.append(SampleFile(str(path), size))
        return self._files[-1]

    def close(self) -> None:
        for file in self._files:
            file.close()


@pytest.fixture
def reopened() -> Iterator[Reopened]:
    reopened = Reopened()
    yield reopened
    reopened.close()


def test_what_is_saved_is_loaded(path: Path, reopened: Reopened) -> None:
    file = reopened(path)
    saved = samples(1.5, math.nan, math.inf, -math.inf, -0.0, 5e-324)
    file.save([("A", saved), ("B", samples(7.0))])
    file.close()
    loaded = reopened(path).load("A")
    for ours, theirs in zip(loaded, saved, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [array.dtype for array in loaded] == [float, float, np.uint8]
    assert reopened(path).load("UNKNOWN").size == 0


def test_each_pv_has_so_many_rows_at_most(path: Path, reopened: Reopened) -> None:
    file = reopened(path, 5)
    for start in range(0, 30, 3):
        file.save([("A", samples(*range(start, start + 3), start=start)), ("B", samples(1.0))])
    assert file.load("A").values.tolist() == [25, 26, 27, 28, 29]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM sample").fetchone() == (10,)


def test_the_file_stops_growing(path: Path, reopened: Reopened) -> None:
    file, sizes = reopened(path, 100), []
    for start in range(0, 20_000, 100):
        file.save([("A", samples(*range(start, start + 100), start=start))])
        sizes.append(sum(each.stat().st_size for each in path.parent.iterdir()))
    file.close()
    assert path.stat().st_size < 40_000
    assert max(sizes) < 5_000_000


def test_another_size_takes_the_newest(path: Path, reopened: Reopened) -> None:
    reopened(path, 5).save([("A", samples(1, 2, 3, 4, 5))])
    assert reopened(path, 2).load("A").values.tolist() == [4, 5]
    reopened(path, 2).save([("A", samples(6))])
    assert reopened(path, 5).load("A").values.tolist() == [5, 6]


def test_other_pvs_are_forgotten(path: Path, reopened: Reopened) -> None:
    file = reopened(path)
    file.save([(name, samples(1.0)) for name in "ABC"])
    file.forget_others(["B", "D"])
    assert [file.load(name).size for name in "ABC"] == [0, 1, 0]


def test_a_batch_is_saved_whole_or_not_at_all(path: Path, reopened: Reopened) -> None:
    file = reopened(path)
    bad = Samples(np.array([math.nan]), np.array([1.0]), np.zeros(1, np.uint8))  # no time: NOT NULL
    with pytest.raises(sqlite3.IntegrityError):
        file.save([("A", samples(1.0)), ("B", bad)])
    assert file.load("A").size == 0
    file.save([("A", samples(2.0))])
    assert file.load("A").values.tolist() == [2.0]


def test_what_another_has_locked_is_an_error_and_works_later(
    path: Path, reopened: Reopened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pycaserver.store.LOCK_SECONDS", 0.01)
    file = reopened(path)
    file.save([("A", samples(1.0))])
    with locked(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        file.save([("A", samples(2.0))])
    file.save([("A", samples(2.0))])
    assert file.load("A").values.tolist() == [1.0, 2.0]


def test_a_full_disk_is_an_error_and_loses_nothing_that_was_saved(path: Path, reopened: Reopened) -> None:
    file = reopened(path, 100_000)
    file.save([("A", samples(1.0))])
    connection = file._open()
    connection.execute("PRAGMA max_page_count = 5")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        file.save([("A", samples(*range(10_000)))])
    assert file.load("A").values.tolist() == [1.0]
    connection.execute("PRAGMA max_page_count = 1000000")
    file.save([("A", samples(2.0))])
    assert file.load("A").values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("content", [b"no database" * 100, b"x" * 20, b"x"])
def test_a_file_of_another_kind_is_left_alone(path: Path, reopened: Reopened, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError):
        reopened(path).save([("A", samples(1.0))])
    assert path.read_bytes() == content


def test_another_database_is_left_alone(path: Path, reopened: Reopened) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sample (mine)")
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match="no history file"):
        reopened(path).save([("A", samples(1.0))])
    assert path.read_bytes() == before


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path, reopened: Reopened) -> None:
    with pytest.raises(FileNotFoundError):
        reopened(tmp_path / "missing" / "file").load("A")


def test_it_is_not_for_everybody_to_read(path: Path, reopened: Reopened) -> None:
    reopened(path).load("A")
    assert path.stat().st_mode & 0o007 == 0
