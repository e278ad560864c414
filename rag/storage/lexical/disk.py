"""The rows on disk: a folder that tantivy writes, believed only when it is whole and ours."""

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy

from rag.errors import OutOfSpace, RagError
from rag.storage.durable import disk_failures_told, make_private_folder
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
from rag.storage.lexical.seals import is_begun, seal, undamaged, unseal
from rag.storage.lexical.terms import as_they_are

FULL = f"os error {errno.ENOSPC}"  # how a full disk is told in its messages

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
        self._is_unsure = False
        """Whether a write failed, of which everything may be on disk."""
        found = _open(folder, owner)
        self.was_sound = found is not None
        """Whether the folder held this index, whole; if not, it is to be filled anew."""
        self.was_lost = found is None and any(folder.glob("*.store")) and not is_begun(folder)
        """Whether it held rows that are not believed."""
        with _failures_told():
            if found is None:
                shutil.rmtree(folder, ignore_errors=True)
                make_private_folder(folder)
                found = _index(folder), NO_MARK
            self._index, self.mark = found
            self.searcher = self._index.searcher()

    def write(
        self, rows: Iterable[tuple[int, tantivy.Document]], deleted: Iterable[int], mark: Mark
    ) -> None:
        """Deletes, adds, and makes both durable and searchable. Where it fails before `mark` is
        this index's, the same can be written again, with what came after it.

        Args:
            rows: with their chunk numbers, which are not here yet.

        Raises:
            ValueError: tantivy failed: its files are damaged, or the disk does not take more.
        """
        with disk_failures_told():
            try:
                writer = self._open_writer()
                for chunk in (*deleted, MARK):
                    writer.delete_documents_by_term("chunk", chunk)
                for chunk, row in rows:
                    if self._is_unsure:
                        writer.delete_documents_by_term("chunk", chunk)
                    writer.add_document(row)
                writer.add_document(mark_row(self._owner, mark))
                writer.commit()
            except BaseException:
                # it goes on from what it was given, and after a failure it may not go on at all
                self._writer, self._is_unsure = None, True
                raise
            self.mark, self._is_unsure = mark, False
            self._index.reload()
            self.searcher = self._index.searcher()

    def close(self) -> None:
        """Seals the folder: at the next start it is known to be whole, and at rest."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with disk_failures_told():
                writer.wait_merging_threads()
                seal(self._folder)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            unseal(self._folder)
            self._writer = self._index.writer(HEAP, num_threads=1)
        return self._writer


@contextmanager
def _failures_told() -> Iterator[None]:
    """In our words, where there is no index yet that could be damaged."""
    try:
        with disk_failures_told():
            yield
    except ValueError as error:
        raise refusal(error) from error


def refusal(failure: Exception) -> RagError:
    """What tantivy means that failed on sound files: it has one exception for all."""
    if FULL in str(failure):
        return OutOfSpace("the disk is full, and words were not written; make room")
    return RagError("the library's disk failed, and words were not written")


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
