"""Remembers the hashes of files, so that one that has not changed costs a stat.

A record is believed while size, inode and both times of the file are as they were. One is only
made of a file that had rested for a while: what is written twice within a clock's tick would look
the same both times.
"""

import hashlib
import os
import sqlite3
from pathlib import Path
from time import time_ns
from typing import Self

from rag.domain import Version

RESTED = 3_000_000_000  # nanoseconds; FAT counts in steps of two seconds
COMMIT_EVERY = 256  # records: what is hashed again after a crash

_TABLE = """
CREATE TABLE IF NOT EXISTS hash (
    path BLOB PRIMARY KEY, size INTEGER, inode BLOB, modified INTEGER, changed INTEGER, version TEXT
) WITHOUT ROWID
"""


def cache_file() -> Path:
    """Where the records are, by the XDG base directory specification."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(home, "rag", "hashes.sqlite")


class Hashes:
    """Versions of files. Without a place for its records it computes each anew."""

    def __init__(self, file: Path | None, *, anew: bool = False) -> None:
        """
        Args:
            file: of the records, made if missing.
            anew: believe no record, and replace it.
        """
        self.flaw: str | None = None
        """Why nothing can be remembered."""
        self._anew = anew
        self._unsaved = 0
        self._records: sqlite3.Connection | None = None
        if file is not None:
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                self._records = sqlite3.connect(file, timeout=5, check_same_thread=False)
                self._records.execute("PRAGMA synchronous = OFF")  # lost records cost a hash each
                self._records.execute(_TABLE)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._save()
        if self._records is not None:
            self._records.close()

    def version_of(self, path: Path) -> Version:
        """
        Raises:
            OSError: the file cannot be read.
        """
        name = os.fsencode(path.absolute())
        before = path.stat()
        if not self._anew and (known := self._recorded(name, before)):
            return known
        began = time_ns()
        with path.open("rb") as file:
            version = Version("sha256:" + hashlib.file_digest(file, "sha256").hexdigest())
            after = os.fstat(file.fileno())
        if _looks(after) == _looks(before) and _has_rested(after, began):
            self._record(name, after, version)
        return version

    def _recorded(self, name: bytes, stat: os.stat_result) -> Version | None:
        if self._records is None:
            return None
        try:
            row = self._records.execute(
                "SELECT size, inode, modified, changed, version FROM hash WHERE path = ?", [name]
            ).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return Version(row[4]) if row and row[:4] == _looks(stat) else None

    def _record(self, name: bytes, stat: os.stat_result, version: Version) -> None:
        if self._records is None:
            return
        try:
            self._records.execute(
                "INSERT OR REPLACE INTO hash VALUES (?, ?, ?, ?, ?, ?)",
                [name, *_looks(stat), version],
            )
        except sqlite3.Error as error:
            self._give_up(error)
            return
        self._unsaved += 1
        if self._unsaved >= COMMIT_EVERY:
            self._save()

    def _save(self) -> None:
        self._unsaved = 0
        if self._records is not None:
            try:
                self._records.commit()
            except sqlite3.Error as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._records = None
        self.flaw = f"hashes of files cannot be remembered ({error}): each is read on every run"


FORGETFUL = Hashes(None)


def _looks(stat: os.stat_result) -> tuple[int, bytes, int, int]:
    inode = f"{stat.st_dev}:{stat.st_ino}".encode()  # of 64 bits without a sign, and a file system
    return stat.st_size, inode, stat.st_mtime_ns, stat.st_ctime_ns


def _has_rested(stat: os.stat_result, now: int) -> bool:
    return max(stat.st_mtime_ns, stat.st_ctime_ns) + RESTED < now
