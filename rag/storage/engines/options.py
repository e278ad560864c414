"""What the engines of both databases have in common."""

import sqlite3
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

OPTIONS: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,  # parameters are document text, and errors are logged
}


NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""SQLite's codes for a file that cannot grow; the second is of the file its readers share."""
DISK_FULL = "53100"  # PostgreSQL's


def lacks_space(error: SQLAlchemyError) -> bool:
    """Whether it failed because a disk is full."""
    said = getattr(error, "orig", None)
    return (
        getattr(said, "sqlite_errorcode", None) in NO_ROOM
        or getattr(said, "sqlstate", None) == DISK_FULL
    )


def cause(error: SQLAlchemyError) -> str:
    """In the words of the database, without the statement and its parameters."""
    return str(getattr(error, "orig", None) or type(error).__name__).strip()
