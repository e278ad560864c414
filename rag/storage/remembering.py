"""What was read of the database, remembered until something is written."""

from collections.abc import Callable
from typing import Generic, TypeVar

from rag.storage.database import Database

Value = TypeVar("Value")

KEPT = 100


class Remembered(Generic[Value]):
    """Small values by name. Where other processes write too, nothing is remembered. Safe to use
    from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, tuple[int, Value]] = {}

    def of(self, name: str, read: Callable[[], Value]) -> Value:
        writes = self._database.writes  # before reading: what is written meanwhile may be missing
        if writes is None:
            return read()
        kept = self._kept.get(name)
        if kept is not None and kept[0] == writes:
            return kept[1]
        value = read()
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[name] = (writes, value)
        return value

    def known(self, name: str) -> Value | None:
        """What is remembered; None where it would have to be read."""
        kept = self._kept.get(name)
        return None if kept is None or kept[0] != self._database.writes else kept[1]
