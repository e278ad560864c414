"""The words of a repository's code: a tantivy index with a row for each chunk of each file. The
first of a file also has every three characters of its text, for what is looked for as it stands.

A projection: what it lacks or has too much is found by comparing it with SQL, and when its files
are damaged or an older version's, it is built again.
"""

import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import tantivy
from msgspec import Struct
from tantivy import Occur, Query

from rag.ranking.code.terms import ANALYSIS, terms_of, terms_of_words
from rag.storage.durable import disk_failures_told, make_private_folder
from rag.storage.lexical.damage import WordsDamaged, damage_told
from rag.syntax.cutting import CHUNKER
from rag.syntax.outline import CodeChunk, Outline
from rag.verbatim.demands import Demands
from rag.verbatim.folding import GRAM, grams

FIELDS = ("path", "name", "scope", "signature", "prose", "body")
"""Path of the file; names defined in the chunk; the names it stands in; signature; comments and
documentation; all of it."""

FORMAT = f"2/{ANALYSIS}/{CHUNKER}"
"""Changes with the schema, the terms and the cutting."""

MARK = 0  # "file" of the row that says what the index is; files count from 1
ASIDE = ".aside"  # after the name of a folder that is being filled
HEAP = 64_000_000  # bytes the writer buffers before it writes a segment
_TERMS = "terms"  # what an index calls its tokenizer: it is given terms
_GRAMS = "grams"  # and the one that cuts text into trigrams
MOST_GRAMS = 40  # of a piece of text that are asked for: of a long one each n-th


class Row(Struct, frozen=True):
    """A file about to be indexed."""

    file: int
    path: str
    text: str
    outline: Outline


Read: TypeAlias = Callable[[Sequence[int]], Iterable[Row]]
"""Reads files, by their numbers."""


class Match(Struct, frozen=True):
    """A chunk that has some of the terms."""

    file: int
    part: int
    """Its place among the chunks of its file."""
    score: float


class CodeWords:
    """Of one repository. Searched from many threads; one at a time brings it up to date."""

    def __init__(self, folder: Path, owner: str) -> None:
        """
        Args:
            owner: the library and repository it belongs to.
        """
        self._folder = folder
        self._owner = f"{owner}/{FORMAT}"
        self._writing = threading.Lock()
        self._source: tuple[Set[int], Read] = (set(), lambda _: ())
        """What it is built from."""
        self._index = self._opened() or self._empty()
        self.changes = self._mark()
        """How many changes of its repository it has seen; -1 for none."""

    def follow(self, changes: int, wanted: Set[int], read: Read) -> None:
        """Adds the files it lacks and removes those not wanted any more.

        Raises:
            OutOfSpace: the disk is full; it is as it was.
        """
        with self._writing, disk_failures_told(), damage_told():
            self._source = wanted, read
            if self.changes == changes:
                return
            present = self._files()
            self._write(self._index, changes, present - wanted, read(sorted(wanted - present)))
            self._index.reload()
            self.changes = changes

    def rebuild(self) -> None:
        """Builds it again beside the one that is there, which answers meanwhile."""
        with self._writing, disk_failures_told():
            aside = self._folder.with_name(self._folder.name + ASIDE)
            shutil.rmtree(aside, ignore_errors=True)
            make_private_folder(aside)
            wanted, read = self._source
            self._write(_index(aside), self.changes, set(), read(sorted(wanted)))
            shutil.rmtree(self._folder, ignore_errors=True)
            aside.replace(self._folder)
            self._index = _index(self._folder)

    def _write(
        self, index: tantivy.Index, changes: int, gone: Set[int], rows: Iterable[Row]
    ) -> None:
        writer = index.writer(HEAP, num_threads=1)
        try:
            for file in gone | {MARK}:
                writer.delete_documents_by_term("file", file)
            for row in rows:
                for document in _documents(row):
                    writer.add_document(document)
            writer.add_document(
                tantivy.Document(file=MARK, part=0, owner=self._owner, changes=changes)
            )
            writer.commit()
        except BaseException:
            writer.rollback()
            raise
        writer.wait_merging_threads()

    def search(
        self,
        weighted: Mapping[str, float],
        fields: Mapping[str, float],
        k: int,
        *,
        only: Collection[int] | None = None,
        without: Collection[int] = (),
    ) -> list[Match]:
        """The `k` best by BM25, the scores of fields and terms added up.

        Args:
            weighted: terms, and how much each counts.
            fields: those that are searched, and how much each counts.
            only: files that may be found, all where None.
            without: files that may not.
        """
        if not weighted or k < 1:
            return []
        schema = self._index.schema
        asked = [
            (
                Occur.Should,
                Query.boost_query(Query.term_query(schema, field, term, "freq"), weight * boost),
            )
            for field, boost in fields.items()
            for term, weight in weighted.items()
        ]
        query = Query.boolean_query(asked)
        if only is not None:
            listed = Query.const_score_query(Query.term_set_query(schema, "file", list(only)), 0.0)
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, listed)])
        elif without:
            listed = Query.term_set_query(schema, "file", list(without))
            query = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, listed)])
        with damage_told():
            searcher = self._index.searcher()
            hits = searcher.search(query, k, count=False).hits
            places = [place for _, place in hits]
            files = searcher.fast_field_values("file", places)
            parts = searcher.fast_field_values("part", places)
        return [
            Match(int(file), int(part), float(score or 0))
            for (score, _), file, part in zip(hits, files, parts, strict=True)
            if file is not None and part is not None
        ]

    def may_hold(self, demands: Demands, only: Collection[int]) -> list[int]:
        """Those of the files that have all trigrams of what one of the ways demands: every file
        that meets it, and few others. Of what is too short to have any, all."""
        with damage_told():
            searcher = self._index.searcher()
            ways = [self._having(way) for way in demands]
            query = Query.boolean_query([(Occur.Should, way) for way in ways])
            found = searcher.search(query, max(1, searcher.num_docs), count=False).hits
            files = searcher.fast_field_values("file", [place for _, place in found])
        numbers = {int(file) for file in files if file is not None} - {MARK}
        return sorted(numbers & set(only))

    def _having(self, pieces: Collection[str]) -> Query:
        asked: set[str] = set()
        for piece in pieces:
            all = sorted(grams(piece))
            asked.update(all[:: 1 + len(all) // MOST_GRAMS])
        if not asked:
            return Query.all_query()
        terms = [
            Query.term_query(self._index.schema, _GRAMS, gram, "basic") for gram in sorted(asked)
        ]
        return Query.boolean_query([(Occur.Must, Query.const_score_query(t, 0.0)) for t in terms])

    def remove(self) -> None:
        with self._writing:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> set[int]:
        searcher = self._index.searcher()
        count = searcher.num_docs
        if not count:
            return set()
        hits = searcher.search(Query.all_query(), count, count=False).hits
        values = searcher.fast_field_values("file", [place for _, place in hits])
        return {int(value) for value in values if value is not None} - {MARK}

    def _mark(self) -> int:
        """
        Raises:
            WordsDamaged: it is another's, or of another version.
        """
        searcher = self._index.searcher()
        if not searcher.num_docs:
            return -1
        query = Query.term_query(self._index.schema, "file", MARK)
        hits = searcher.search(query, 2, count=False).hits
        marks = [searcher.doc(place).to_dict() for _, place in hits]
        if len(marks) != 1 or marks[0]["owner"] != [self._owner]:
            raise WordsDamaged("not this repository's")
        return int(marks[0]["changes"][0])

    def _opened(self) -> tantivy.Index | None:
        if not (self._folder / "meta.json").exists():
            return None
        try:
            with damage_told():
                self._index = _index(self._folder)
                self._mark()
                return self._index
        except (WordsDamaged, OSError, KeyError):
            return None

    def _empty(self) -> tantivy.Index:
        with disk_failures_told():
            shutil.rmtree(self._folder, ignore_errors=True)
            make_private_folder(self._folder)
            return _index(self._folder)


def _documents(row: Row) -> Iterator[tantivy.Document]:
    path = " ".join(terms_of(row.path))
    for part, chunk in enumerate(row.outline.chunks):
        whole = {_GRAMS: row.text.replace("\r\n", "\n")} if part == 0 else {}
        yield tantivy.Document(
            file=row.file,
            part=part,
            path=path,
            name=" ".join(terms_of_words(chunk.defines)),
            scope=" ".join(terms_of_words(chunk.symbol)),
            signature=" ".join(terms_of(chunk.signature)),
            prose=" ".join(_prose(row.text, chunk)),
            body=" ".join(terms_of(row.text[chunk.start : chunk.end])),
            **whole,
        )


def _prose(text: str, chunk: CodeChunk) -> Iterable[str]:
    return chain.from_iterable(terms_of(text[start:end]) for start, end in chunk.prose)


def _index(folder: Path) -> tantivy.Index:
    index = tantivy.Index(_schema(), path=str(folder))
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_TERMS, analyzer)
    cutter = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(GRAM, GRAM, False))
    index.register_tokenizer(_GRAMS, cutter.filter(tantivy.Filter.lowercase()).build())
    return index


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("file", indexed=True, fast=True)
    builder.add_integer_field("part", fast=True)
    for field in FIELDS:
        builder.add_text_field(field, tokenizer_name=_TERMS, index_option="freq")
    builder.add_text_field(_GRAMS, tokenizer_name=_GRAMS, index_option="basic")
    builder.add_text_field("owner", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("changes", stored=True)
    return builder.build()
