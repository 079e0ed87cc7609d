"""The tables, and how a connection to them is opened. Does not know what the columns mean to anybody.

Write-ahead logging lets any number of readers look while a supervisor writes. Every supervisor commits a heartbeat each
second, so commits are not synced one by one (``synchronous = NORMAL``): a power cut may cost the last moments, never the
file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import SettingsError, unwritable

VERSION = 1
DATABASE = "workbench.db"
BUSY_SECONDS = 30.0

_UNUSABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}
_TABLES = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    backend TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    share_key TEXT NOT NULL,
    parent TEXT NOT NULL,
    parent_step INTEGER,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    heartbeat_at REAL,
    host TEXT,
    supervisor_pid INTEGER,
    supervisor_start TEXT,
    pid INTEGER,
    pid_start TEXT,
    exit_code INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    progress TEXT,
    failure TEXT,
    endpoint TEXT,
    result TEXT,
    step INTEGER,
    max_steps INTEGER,
    events_read INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE TABLE metrics (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL,
    step INTEGER NOT NULL,
    epoch REAL,
    time REAL NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX metrics_by_job ON metrics (job);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL,
    time REAL NOT NULL,
    event TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (job);
"""


def connect(home: Path, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection in autocommit mode to the database of a home, made when it is not there.

    Parameters
    ----------
    home : Path
        The folder.
    busy_seconds : float
        How long to wait for a database that another process writes.

    Raises
    ------
    SettingsError
        When a newer workbench wrote the database, or it cannot be written at all.
    """
    path = home / DATABASE
    try:
        return _connected(home, path, busy_seconds)
    except (OSError, sqlite3.OperationalError) as e:
        if isinstance(e, sqlite3.OperationalError) and e.sqlite_errorcode & 0xFF not in _UNUSABLE:
            raise
        cause = str(getattr(e, "strerror", "") or e).rstrip(".").capitalize()
        raise unwritable(path, cause) from None


def _connected(home: Path, path: Path, busy_seconds: float) -> sqlite3.Connection:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    if _version(connection) != VERSION:
        _create(connection, path)
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything in it is written at once or not at all, and nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection) -> None:
    # Switching the mode does not wait for other connections as everything else does, so the waiting is ours.
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF in _UNUSABLE or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _create(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        found = _version(connection)  # another process may have made the tables since
        if found > VERSION:
            raise SettingsError(
                f"The database {path} was written by a newer workbench.",
                f"It has form {found}, this one knows {VERSION}.",
                "Update jupyter-llm-workbench, or set WORKBENCH_HOME to another folder.",
            )
        if found == 0:
            for statement in _TABLES.split(";"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
