"""What a filter lets through, in the terms of each index.

Which chunk belongs to which version is kept in memory, and follows the log of operations like an
index. A filter is asked of the database once, and again for what changed since: its answer is a
projection that is kept with those of other filters asked lately.
"""

import threading
from collections import OrderedDict

import msgspec
import numpy as np
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.ranking.filters import Filter
from rag.storage.batches import batches
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.scanning import Ids
from rag.storage.filtering import passing_versions
from rag.storage.holders import Bounds, within
from rag.storage.indexversions import IndexVersion
from rag.storage.lexical.words import FEW_DOCUMENTS, Within
from rag.storage.operations import changes_after
from rag.storage.tables import ChunkRow, VersionRow

FILTERS_KEPT = 32
"""Answers held: up to nine bytes a chunk each, 9 MB of a million that all pass."""


class Selection(Struct, frozen=True):
    """What a question may see, as each index wants it told."""

    allowed: Allowed
    within: Within


class _Contents(Struct, frozen=True):
    """The live chunks of an index version."""

    seq: int
    chunks: Ids
    """Sorted."""
    versions: Ids
    """Of each chunk."""


class _Answer(Struct, frozen=True):
    """What a filter let through."""

    seq: int
    versions: Ids
    """Sorted; some may be current no more."""
    selection: Selection


class Selector:
    """Filters of one index version. Safe to use from many threads."""

    def __init__(self, version: IndexVersion) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._contents = _Contents(0, _NONE, _NONE)
        self._answers: OrderedDict[bytes, _Answer] = OrderedDict()

    def select(self, session: Session, filter: Filter, seq: int) -> Selection:
        """
        Args:
            seq: the answer takes account of all operations up to this one.
        """
        key = msgspec.json.encode(filter)
        with self._lock:
            if self._contents.seq < seq:
                self._contents = self._followed(session, self._contents)
            contents, known = self._contents, self._answers.get(key)
            if known is None or known.seq < contents.seq:
                known = self._answered(session, filter, contents, known)
                self._answers[key] = known
            self._answers.move_to_end(key)
            while len(self._answers) > FILTERS_KEPT:
                self._answers.popitem(last=False)
        return known.selection

    def narrowed(
        self, session: Session, selection: Selection | None, bounds: Bounds, seq: int
    ) -> Selection:
        """Of what a filter lets through, or of all, what is within the bounds of a question."""
        with self._lock:
            if self._contents.seq < seq:
                self._contents = self._followed(session, self._contents)
            contents = self._contents
        allowed = None if selection is None else selection.allowed.numbers
        chunks = within(allowed, bounds, contents.chunks)
        versions = contents.versions[np.searchsorted(contents.chunks, chunks)]
        documents = _documents(session, np.unique(versions))
        return Selection(Allowed(chunks), Within(chunks, documents, is_partial=True))

    def _followed(self, session: Session, contents: _Contents) -> _Contents:
        while changes := changes_after(session, self._version.id, contents.seq):
            put, versions = _owners(session, changes.put)
            kept = ~np.isin(contents.chunks, np.array(changes.deleted, np.int64))
            contents = _Contents(
                changes.seq,
                # a chunk put later has a greater number, so that they stay sorted
                np.concatenate([contents.chunks[kept], put]),
                np.concatenate([contents.versions[kept], versions]),
            )
        return contents

    def _answered(
        self, session: Session, filter: Filter, contents: _Contents, known: _Answer | None
    ) -> _Answer:
        passing = passing_versions(filter, self._version.collection_id)
        if known is None:
            versions = np.sort(np.fromiter(session.scalars(passing), np.int64))
        else:
            changed = self._versions_since(session, known.seq)
            found = [
                id
                for some in batches(changed.tolist())
                for id in session.scalars(passing.where(VersionRow.id.in_(some)))
            ]
            kept = known.versions[~np.isin(known.versions, changed)]
            versions = np.sort(np.concatenate([kept, np.array(found, np.int64)]))
        passes = np.isin(contents.versions, versions)
        chunks = contents.chunks[passes]
        documents = _documents(session, np.unique(contents.versions[passes]))
        return _Answer(
            contents.seq, versions, Selection(Allowed(chunks), Within(chunks, documents))
        )

    def _versions_since(self, session: Session, seq: int) -> Ids:
        """Versions of the chunks that were put since; those of chunks that were deleted need
        not be asked again."""
        put: list[int] = []
        while changes := changes_after(session, self._version.id, seq):
            put += changes.put
            seq = changes.seq
        return np.unique(_owners(session, put)[1])


_NONE: Ids = np.empty(0, np.int64)


def _owners(session: Session, chunks: tuple[int, ...] | list[int]) -> tuple[Ids, Ids]:
    """Those of the chunks that are live, sorted, and their versions."""
    rows = [
        (id, version)
        for some in batches(sorted(chunks))
        for id, version in session.execute(
            select(ChunkRow.id, ChunkRow.version_id)
            .where(ChunkRow.id.in_(some), ChunkRow.live)
            .order_by(ChunkRow.id)
        )
    ]
    both = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _documents(session: Session, versions: Ids) -> tuple[str, ...] | None:
    """Where they are few."""
    if len(versions) > FEW_DOCUMENTS:
        return None
    return tuple(
        document
        for some in batches(versions.tolist())
        for document in session.scalars(
            select(VersionRow.document_id).where(VersionRow.id.in_(some))
        )
    )
