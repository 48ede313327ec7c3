"""The SQLite file that outlives the server: the newest samples of some PVs. All of it is for one thread, not the loop.

Each PV has as many rows as the history has samples, so the file stops growing. A row is written once, in the
transaction of its batch: what is committed survives the end of the process in any way.
"""

import os
import sqlite3
from collections.abc import Iterable
from typing import Final

import numpy as np

from pycaserver.core.history import Samples

APPLICATION: Final = 0x70796361
"""In the head of the file: whose it is."""
VERSION: Final = 1
LOCK_SECONDS: Final = 1.0
"""How long somebody else's lock is waited for."""
LOG_BYTES: Final = 4 * 1024 * 1024
"""To which SQLite cuts its write-ahead log back."""
_MODE: Final = 0o640
_MAGIC: Final = b"SQLite format 3\0"
_SCHEMA: Final = f"""
    PRAGMA journal_mode = WAL;
    BEGIN IMMEDIATE;
    PRAGMA application_id = {APPLICATION};
    PRAGMA user_version = {VERSION};
    CREATE TABLE IF NOT EXISTS pv (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS sample (
        pv INTEGER NOT NULL, number INTEGER NOT NULL, time REAL NOT NULL, value REAL, severity INTEGER NOT NULL,
        PRIMARY KEY (pv, number)
    ) WITHOUT ROWID;
    COMMIT;
"""


class SampleFile:
    """The file. Any method may raise sqlite3.Error or OSError; then nothing has changed, and it can be tried again."""

    def __init__(self, path: str, samples: int) -> None:
        """samples: how many of each PV are kept."""
        self.path = path
        self._samples = samples
        self._connection: sqlite3.Connection | None = None

    def forget_others(self, names: Iterable[str]) -> None:
        """Delete what the file has of all other PVs."""
        connection, keep = self._open(), set(names)
        others = [(id,) for id, name in connection.execute("SELECT id, name FROM pv") if name not in keep]
        with connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM sample WHERE pv = ?", others)
            connection.executemany("DELETE FROM pv WHERE id = ?", others)

    def load(self, name: str) -> Samples:
        """The newest samples of the PV, oldest first."""
        rows = self._open().execute(
            "SELECT time, value, severity FROM sample JOIN pv ON pv = id WHERE name = ? ORDER BY number DESC LIMIT ?",
            (name, self._samples),
        )
        table = np.array(rows.fetchall()[::-1], float).reshape(-1, 3)  # NULL, which SQLite makes of NaN, becomes NaN
        return Samples(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].astype(np.uint8))

    def save(self, batch: Iterable[tuple[str, Samples]]) -> None:
        """Add samples of PVs, all or none, and delete as many of the oldest."""
        connection = self._open()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for name, samples in batch:
                self._add(connection, name, samples)

    def close(self) -> None:
        """Give the file back; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _add(self, connection: sqlite3.Connection, name: str, samples: Samples) -> None:
        connection.execute("INSERT OR IGNORE INTO pv (name) VALUES (?)", (name,))
        (id,) = connection.execute("SELECT id FROM pv WHERE name = ?", (name,)).fetchone()
        (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM sample WHERE pv = ?", (id,)).fetchone()
        columns = (array.tolist() for array in (samples.times, samples.values, samples.severities))
        rows = ((id, number, *row) for number, row in enumerate(zip(*columns, strict=True), last + 1))
        connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?)", rows)
        oldest = last + samples.size - self._samples
        connection.execute("DELETE FROM sample WHERE pv = ? AND number <= ?", (id, oldest))

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            _create(self.path)
            connection = sqlite3.connect(self.path, LOCK_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _create(path: str) -> None:
    """A file that not everybody may read, unless there is one; SQLite would take a short file of another kind."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    try:
        if os.read(descriptor, len(_MAGIC)) not in (b"", _MAGIC):
            raise sqlite3.DatabaseError("it is no SQLite file")
    finally:
        os.close(descriptor)


def _prepare(connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and (application, version) != (APPLICATION, VERSION):
        raise sqlite3.DatabaseError("it is no history file of this version")
    if not tables:
        connection.executescript(_SCHEMA)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
