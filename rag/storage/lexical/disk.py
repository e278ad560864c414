"""The rows on disk: a folder that tantivy writes, believed only when it is whole and ours."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import tantivy

from rag.storage.durable import make_private_folder
from rag.storage.lexical.rows import (
    ANALYZER,
    MARK,
    NO_MARK,
    ForeignIndex,
    Mark,
    mark_row,
    read_mark,
    schema,
)
from rag.storage.lexical.seals import seal, undamaged, unseal
from rag.storage.lexical.terms import as_they_are

HEAP = 32_000_000  # bytes the writer buffers before it writes a segment; tantivy wants 15 MB


class DiskIndex:
    """For one writing thread; its `searcher` may be used from many."""

    def __init__(self, folder: Path, owner: str) -> None:
        """Opens the index in a folder, or starts an empty one where none is sound.

        Args:
            owner: the library and index version it belongs to; that of another is not used.
        """
        self._folder = folder
        self._owner = owner
        self._writer: tantivy.IndexWriter | None = None
        found = _open(folder, owner)
        self.was_sound = found is not None
        """Whether the folder held this index, whole; if not, it is to be filled anew."""
        self.was_lost = found is None and any(folder.glob("*.store"))
        """Whether it held rows that are not believed."""
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            make_private_folder(folder)
            found = _index(folder), NO_MARK
        self._index, self.mark = found
        self.searcher = self._index.searcher()

    def write(self, rows: Iterable[tantivy.Document], deleted: Iterable[int], mark: Mark) -> None:
        """Deletes, adds, and makes both durable and searchable."""
        writer = self._open_writer()
        try:
            for chunk in (*deleted, MARK):
                writer.delete_documents_by_term("chunk", chunk)
            for row in rows:
                writer.add_document(row)
            writer.add_document(mark_row(self._owner, mark))
            writer.commit()
        except BaseException:
            self._writer = None  # it holds rows that will be written once more
            raise
        self._index.reload()
        self.searcher = self._index.searcher()
        self.mark = mark

    def close(self) -> None:
        """Seals the folder: at the next start it is known to be whole, and at rest."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None
            seal(self._folder)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            unseal(self._folder)
            self._writer = self._index.writer(HEAP, num_threads=1)
        return self._writer


def _open(folder: Path, owner: str) -> tuple[tantivy.Index, Mark] | None:
    """The index in a folder, and how far it is; None when it is missing, damaged or another's."""
    if not undamaged(folder):
        return None
    try:
        index = _index(folder)
        return index, read_mark(index, owner)
    except (ValueError, OSError, KeyError, ForeignIndex):
        return None


def _index(folder: Path) -> tantivy.Index:
    index = tantivy.Index(schema(), path=str(folder))
    index.register_tokenizer(ANALYZER, as_they_are())
    return index
