"""The word index: tantivy (BM25, k1 = 1.2, b = 0.75) over words that `ranking.analysis` made.

It lives in a folder of its own and commits when it is searched, for a commit costs some 100 ms of
fsync. Each commit holds one extra row that says up to which operation it is complete, so that
after a crash it goes on from there. Queries are built from terms, never parsed from text.
"""

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import tantivy
from msgspec import Struct
from tantivy import Filter, Occur, Query, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from rag.ranking.analysis import ANALYSIS, query_words, words
from rag.storage.durable import make_private_folder
from rag.storage.seals import seal, undamaged, unseal

FORMAT = f"1/{ANALYSIS}"
"""Changes with the schema below, or with how texts become words; an older index is rebuilt."""

HEAP = 32_000_000  # bytes the writer buffers before it writes a segment; tantivy wants 15 MB
ANALYZER = "words"
MARK = 0  # "chunk" of the row that says how far the index is; chunks count from 1

Found = list[tuple[int, float]]
"""(chunk, score), best first."""


class Entry(Struct, frozen=True):
    """What is searched of a chunk."""

    chunk: int
    document: str
    text: str


class Documents(Struct, frozen=True):
    """Which documents may be found: those listed, or all but those listed."""

    listed: tuple[str, ...]
    are_allowed: bool


class WordIndex:
    """Words by chunk number, complete up to operation `seq`. Safe to use from many threads."""

    kind = "words"

    def __init__(self, folder: Path, owner: str) -> None:
        """Opens the index in a folder, or starts an empty one where none is sound.

        Args:
            owner: the library and index version it belongs to; that of another is not used.
        """
        self._owner = f"{owner}/{FORMAT}"
        self._changing = threading.Lock()
        self._writer: tantivy.IndexWriter | None = None
        self._pending = False
        self._analyzer = _analyzer()
        self._schema = _schema()
        self._folder = folder
        found = _open(folder, self._owner)
        self.was_sound = found is not None
        """Whether the folder held this index, whole; if not, it is to be filled anew."""
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            make_private_folder(folder)
            found = _index(folder), 0
        self._index, self.seq = found
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return max(0, self._searcher.num_docs - 1)  # without the mark

    def change(self, entries: Sequence[Entry], deleted: Sequence[int], seq: int) -> None:
        """Puts rows whose numbers are new, removes others. Found from the next search on."""
        with self._changing:
            writer = self._open_writer()
            for chunk in deleted:
                writer.delete_documents_by_term("chunk", chunk)
            for entry in entries:
                writer.add_document(_row(entry))
            self.seq = seq
            self._pending = True

    def search(self, question: str, k: int, *, within: Documents | None = None) -> Found:
        """The `k` best by BM25 over the question's words, any of which may be missing."""
        self.commit()
        terms = self._analyzer.analyze(" ".join(query_words(question)))
        if k < 1 or not terms or not len(self):
            return []
        searcher = self._searcher
        query = _any_of(self._schema, terms)
        if within is not None:
            query = _within(self._schema, query, within)
        hits = searcher.search(query, k, count=False).hits
        chunks = searcher.fast_field_values("chunk", [address for _, address in hits])
        return [(int(chunk or 0), score) for (score, _), chunk in zip(hits, chunks, strict=True)]

    def commit(self) -> None:
        """Makes what changed searchable, and keeps it on disk."""
        with self._changing:
            if not self._pending:
                return
            writer = self._open_writer()
            writer.delete_documents_by_term("chunk", MARK)
            writer.add_document(_mark(self._owner, self.seq))
            writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()
            self._pending = False

    def close(self) -> None:
        """Commits, and seals the folder: at the next start one hash says that it is whole."""
        self.commit()
        with self._changing:
            if self._writer is not None:
                self._writer.wait_merging_threads()
                self._writer = None
                seal(self._folder)

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            unseal(self._folder)
            self._writer = self._index.writer(HEAP, num_threads=1)
        return self._writer


def _open(folder: Path, owner: str) -> tuple[tantivy.Index, int] | None:
    """The index in a folder and how far it is; None when it is missing, damaged or another's."""
    if not undamaged(folder):
        return None
    try:
        index = _index(folder)
        return index, _read_mark(index, owner)
    except (ValueError, OSError, _Foreign):
        return None


def _index(folder: Path) -> tantivy.Index:
    index = tantivy.Index(_schema(), path=str(folder))
    index.register_tokenizer(ANALYZER, _analyzer())
    return index


def _schema() -> tantivy.Schema:
    builder = SchemaBuilder()
    builder.add_integer_field("chunk", indexed=True, fast=True)
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name=ANALYZER, index_option="freq")
    builder.add_text_field("owner", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("seq", stored=True)
    return builder.build()


def _analyzer() -> tantivy.TextAnalyzer:
    return (
        TextAnalyzerBuilder(Tokenizer.whitespace())
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stemmer("English"))
        .build()
    )


def _row(entry: Entry) -> tantivy.Document:
    return tantivy.Document(
        chunk=entry.chunk, document=entry.document, text=" ".join(words(entry.text))
    )


def _mark(owner: str, seq: int) -> tantivy.Document:
    return tantivy.Document(chunk=MARK, owner=owner, seq=seq)


def _read_mark(index: tantivy.Index, owner: str) -> int:
    searcher = index.searcher()
    query = Query.term_query(index.schema, "chunk", MARK)
    hits = searcher.search(query, 2, count=False).hits
    marks = [searcher.doc(address).to_dict() for _, address in hits]
    if len(marks) != 1 or marks[0]["owner"] != [owner]:
        raise _Foreign
    return int(marks[0]["seq"][0])


class _Foreign(Exception):
    """The index belongs to another library, index version or version of the service."""


def _any_of(schema: tantivy.Schema, terms: Sequence[str]) -> Query:
    return Query.boolean_query(
        [(Occur.Should, Query.term_query(schema, "text", term, "freq")) for term in terms]
    )


def _within(schema: tantivy.Schema, query: Query, documents: Documents) -> Query:
    listed = Query.term_set_query(schema, "document", documents.listed)
    if not documents.are_allowed:
        return Query.boolean_query([(Occur.Must, query), (Occur.MustNot, listed)])
    unscored = Query.const_score_query(listed, 0.0)
    return Query.boolean_query([(Occur.Must, query), (Occur.Must, unscored)])
