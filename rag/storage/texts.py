"""Texts of versions, the most recently used kept in memory.

A hit's text is a slice of its version's text. Cutting it in SQL would walk over the text from
its start for each hit; a text once read is cut for nothing.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from rag.storage.batches import batches
from rag.storage.engines.looking import Look, Prepared
from rag.storage.tables import VersionRow

CAPACITY = 16_000_000  # characters, 16 to 64 MB: the text of some 10,000 chunks four times over

_TEXTS = Prepared(
    select(VersionRow.id, VersionRow.revision, VersionRow.text).where(
        VersionRow.id.in_(bindparam("ids", expanding=True))
    ),
    listed="ids",
)

Key = tuple[int, int]
"""Id and revision of a version: its text under them never changes."""


class Texts:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, str] = OrderedDict()
        self._characters = 0

    def of(self, session: Session, keys: Iterable[Key]) -> dict[int, str]:
        """Texts by version id."""
        return self._of(keys, lambda ids: session.execute(_TEXTS.query, {"ids": ids}))

    def at(self, look: Look, keys: Iterable[Key]) -> dict[int, str]:
        """The same, of the moment looked at."""
        return self._of(keys, lambda ids: look.rows(_TEXTS, ids=ids))

    def _of(
        self, keys: Iterable[Key], read: Callable[[Sequence[int]], Iterable[Any]]
    ) -> dict[int, str]:
        wanted = set(keys)
        with self._lock:
            found = {key: self._kept[key] for key in wanted if key in self._kept}
            for key in found:
                self._kept.move_to_end(key)
        missing = [id for id, _ in wanted - found.keys()]
        for some in batches(missing):
            for id, revision, text in read(some):
                found[id, revision] = text
                self._keep((id, revision), text)
        return {id: text for (id, _), text in found.items()}

    def forget(self) -> None:
        """Drops everything: a deleted text must not stay in memory either."""
        with self._lock:
            self._kept.clear()
            self._characters = 0

    def _keep(self, key: Key, text: str) -> None:
        with self._lock:
            if key in self._kept or len(text) > self._capacity:
                return
            self._kept[key] = text
            self._characters += len(text)
            while self._characters > self._capacity:
                _, dropped = self._kept.popitem(last=False)
                self._characters -= len(dropped)
