"""The word index as a whole. A change is found by the next search; disk follows when told to."""

import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tantivy
from msgspec import Struct
from tantivy import FieldType, Order, Query

from rag.ranking.analysis.asking import Asked, terms_asked
from rag.ranking.analysis.quotations import quoted
from rag.storage.lexical.delta import Delta
from rag.storage.lexical.disk import DiskIndex
from rag.storage.lexical.rows import (
    FORMAT,
    Analyzed,
    Entry,
    Mark,
    any_of,
    both,
    holding,
    of_chunks,
    of_documents,
    row,
    schema,
)
from rag.storage.lexical.scoring import Statistics, plain_score
from rag.storage.lexical.terms import Terms, analyzed, languages_on_disk

Ids = npt.NDArray[np.int64]
Ranking = list[tuple[int, float]]
"""(chunk, score), best first."""

FEW_DOCUMENTS = 2_000
"""Documents that the index looks up one by one. Where there are more, it ranks more rows than are
wanted, and drops those that are not allowed."""

FEW_CHUNKS = 2_000  # looked up likewise, and rather

AT_A_TIME = 50_000  # rows listed at once: 10 MB

SPARE = 1.5  # times as many rows as should do, so that one look mostly does


class Found(Struct, frozen=True):
    ranking: Ranking
    plain_score: float
    """What a row of average length would have that says each of the question's words once, also
    those that no row says."""


class Within(Struct, frozen=True):
    """Which rows may be found."""

    chunks: Ids
    """Sorted."""
    documents: tuple[str, ...] | None = None
    """Theirs, where they are few enough to be looked up."""
    is_partial: bool = False
    """Whether these documents have other rows as well."""

    def holds(self, chunks: Ids) -> npt.NDArray[np.bool_]:
        places = np.searchsorted(self.chunks, chunks)
        there = places < len(self.chunks)
        there[there] = self.chunks[places[there]] == chunks[there]
        return np.asarray(there)

    def among(self, delta: Delta) -> frozenset[int]:
        chunks = np.array(delta.chunks(), dtype=np.int64)
        return frozenset(chunks[self.holds(chunks)].tolist())


class _Change(Struct, frozen=True):
    """What disk does not have yet."""

    rows: tuple[Analyzed, ...]
    deleted: tuple[int, ...]
    words: int


class WordIndex:
    """Words by chunk number, complete up to operation `seq`. Safe to use from many threads."""

    kind = "words"

    def __init__(self, folder: Path, owner: str) -> None:
        """Opens the index in a folder, or starts an empty one where none is sound.

        Args:
            owner: the library and index version it belongs to; that of another is not used.
        """
        self._disk = DiskIndex(folder, f"{owner}/{FORMAT}")
        self._absorbing = threading.Lock()
        self._changing = threading.Lock()
        """Of all below."""
        self._delta = Delta()
        self._deleted: frozenset[int] = frozenset()
        """Rows on disk that are none any more."""
        self._changes: list[_Change] = []
        self._schema = schema()
        self._languages: tuple[tantivy.Searcher, dict[str, int]] | None = None
        """Of the rows on disk, as one searcher sees them."""
        self.seq = self._disk.mark.seq

    @property
    def was_sound(self) -> bool:
        return self._disk.was_sound

    @property
    def was_lost(self) -> bool:
        """Whether there were rows on disk that are not believed."""
        return self._disk.was_lost

    @property
    def unsaved(self) -> int:
        """Rows put and deleted that disk does not know of."""
        return len(self._delta) + len(self._deleted)

    def __len__(self) -> int:
        with self._changing:
            searcher = self._disk.searcher
            on_disk = max(0, searcher.num_docs - 1)  # without the mark
            return on_disk - _count(searcher, self._deleted) + len(self._delta)

    def moment(self) -> tuple[int, Ids]:
        """An operation, and the rows that are here at it."""
        with self._changing:
            searcher, deleted = self._disk.searcher, self._deleted
            newer, seq = self._delta.chunks(), self.seq
        older = _all_chunks(searcher, self._schema)
        gone = np.fromiter(deleted, np.int64, len(deleted))
        return seq, np.union1d(older[~np.isin(older, gone)], np.array(newer, np.int64))

    def change(self, entries: Sequence[Entry], deleted: Sequence[int], seq: int) -> None:
        """Puts rows whose numbers are new, removes others. Found by the next search."""
        rows = tuple(map(analyzed, entries))
        lengths = [row.terms.count(" ") + bool(row.terms) for row in rows]
        with self._changing:
            self._delta.remove(deleted)
            self._delta.put(zip(rows, lengths, strict=True))
            self._deleted = self._deleted.union(deleted)  # on disk, or about to be written there
            self._changes.append(_Change(rows, tuple(deleted), sum(lengths)))
            self.seq = seq

    def search(self, question: str, k: int, *, within: Within | None = None) -> Found:
        """The `k` best by BM25 over the question's words, any of which may be missing."""
        terms = terms_asked(question, self._vocabulary()) if k > 0 else ()
        if not terms:
            return Found([], 0.0)
        # memory before disk: what moves from one to the other meanwhile is then found twice, and
        # not missed
        newer, statistics = self._search_delta(terms, within)
        with self._changing:
            searcher, deleted = self._disk.searcher, self._deleted
        older = _search_disk(searcher, self._schema, terms, k, deleted, within)
        found = dict(older) | newer
        ranking = sorted(found.items(), key=lambda each: (-each[1], each[0]))[:k]
        return Found(ranking, plain_score(terms, statistics))

    def holding(self, quotation: str) -> Ids:
        """Rows with these words side by side, sorted, each word in any of its forms; where the last
        one ends in `*`, whatever begins so. None where there is no word in it."""
        ways = quoted(quotation, self._vocabulary().languages)
        if not ways:
            return np.empty(0, np.int64)
        newer = self._delta.holding(ways)
        with self._changing:
            searcher, deleted = self._disk.searcher, self._deleted
        older = _all_chunks(searcher, self._schema, holding(self._schema, ways))
        gone = np.fromiter(deleted, np.int64, len(deleted))
        return np.union1d(older[~np.isin(older, gone)], np.array(newer, np.int64))

    def languages(self) -> dict[str, int]:
        """How many rows are in each language; those deleted since the last write among them."""
        return self._vocabulary().counted()

    def _vocabulary(self) -> Terms:
        with self._changing:
            searcher, known = self._disk.searcher, self._languages
            if known is None or known[0] is not searcher:
                known = self._languages = searcher, languages_on_disk(searcher)
            return Terms(searcher, known[1], self._delta)

    def absorb(self) -> None:
        """Writes to disk what is in memory. Changes and searches go on meanwhile, also where it
        fails: it can be tried again.

        Raises:
            ValueError: tantivy failed: its files are damaged, or the disk does not take more.
        """
        with self._absorbing:
            with self._changing:
                changes, self._changes = self._changes, []
                seq = self.seq
            if not changes and seq == self._disk.mark.seq:
                return
            before = self._disk.mark
            put = [each for change in changes for each in change.rows]
            gone = [chunk for change in changes for chunk in change.deleted]
            mark = Mark(
                seq,
                before.words + sum(change.words for change in changes),
                before.rows + len(put),
            )
            lasting = set(gone)
            rows = ((each.chunk, row(each)) for each in put if each.chunk not in lasting)
            try:
                self._disk.write(rows, gone, mark)
            finally:
                if self._disk.mark is not mark:
                    with self._changing:
                        self._changes[:0] = changes  # or the next mark would claim them
            with self._changing:
                self._delta.remove([each.chunk for each in put])
                self._deleted -= lasting

    def close(self) -> None:
        self.absorb()
        with self._absorbing:
            self._disk.close()

    def _search_delta(
        self, terms: Sequence[Asked], within: Within | None
    ) -> tuple[dict[int, float], Statistics]:
        """Scores of rows in memory, and what is known of all rows."""
        with self._changing:
            delta, on_disk = self._delta, self._statistics(terms)
            if not len(delta):
                return {}, on_disk
            matches = delta.matches(terms)
        together = _added(on_disk, matches.statistics)
        allowed = None if within is None else within.among(delta)
        return matches.scores(together, allowed), together

    def _statistics(self, terms: Sequence[Asked]) -> Statistics:
        """Of the rows on disk, and the mark among them, which tantivy counts too."""
        searcher, mark = self._disk.searcher, self._disk.mark
        rows = max(1, searcher.num_docs)
        length = mark.words / mark.rows if mark.rows else 0.0
        having = {asked.term: searcher.doc_freq("text", asked.term) for asked in terms}
        return Statistics(rows, round(length * (rows - 1)), having)


def _all_chunks(
    searcher: tantivy.Searcher, schema: tantivy.Schema, matching: Query | None = None
) -> Ids:
    """Sorted, of all rows or of those that match; some thousands at a time, for a hit is an object
    of Python's."""
    pages, last, rows = [np.empty(0, np.int64)], 0, max(0, searcher.num_docs - 1)
    while rows:
        found = _after(searcher, schema, last, min(rows, AT_A_TIME), matching)
        if not len(found):
            break
        pages.append(found)
        last, rows = int(found[-1]), rows - len(found)
    return np.concatenate(pages)


def _after(
    searcher: tantivy.Searcher, schema: tantivy.Schema, last: int, k: int, matching: Query | None
) -> Ids:
    """The next chunks after one, sorted."""
    later = Query.range_query(schema, "chunk", FieldType.Integer, last, None, include_lower=False)
    sought = later if matching is None else both(matching, later)
    hits = searcher.search(sought, k, count=False, order_by_field="chunk", order=Order.Asc).hits
    chunks = searcher.fast_field_values("chunk", [address for _, address in hits])
    return np.array([int(chunk or 0) for chunk in chunks], np.int64)


def _count(searcher: tantivy.Searcher, chunks: Iterable[int]) -> int:
    """How many of them are on disk."""
    return sum(searcher.doc_freq("chunk", chunk) for chunk in chunks)


def _added(one: Statistics, other: Statistics) -> Statistics:
    having = {term: n + other.rows_with.get(term, 0) for term, n in one.rows_with.items()}
    return Statistics(one.rows + other.rows, one.words + other.words, having)


def _search_disk(
    searcher: tantivy.Searcher,
    schema: tantivy.Schema,
    terms: Sequence[Asked],
    k: int,
    deleted: frozenset[int],
    within: Within | None,
) -> Ranking:
    rows = searcher.num_docs
    query = any_of(schema, terms)
    if rows < 2 or (within is not None and not len(within.chunks)):
        return []
    wanted = float(k)
    if within is not None:
        if len(within.chunks) <= FEW_CHUNKS:
            query, within = both(query, of_chunks(schema, within.chunks.tolist())), None
        elif within.documents is not None:
            query = both(query, of_documents(schema, within.documents))
            within = within if within.is_partial else None
        else:
            wanted *= SPARE * rows / len(within.chunks)
    while True:
        ranked = math.ceil(wanted) + (len(deleted) if len(deleted) < k else k)
        found = _ranked(searcher, query, min(ranked, rows))
        kept = _kept(found, deleted, within)
        if len(kept) >= k or len(found) < min(ranked, rows) or ranked >= rows:
            return kept[:k]
        wanted = 4.0 * ranked


def _ranked(searcher: tantivy.Searcher, query: tantivy.Query, k: int) -> Ranking:
    hits = searcher.search(query, k, count=False).hits
    chunks = searcher.fast_field_values("chunk", [address for _, address in hits])
    return [(int(chunk or 0), score) for (score, _), chunk in zip(hits, chunks, strict=True)]


def _kept(found: Ranking, deleted: frozenset[int], within: Within | None) -> Ranking:
    if within is not None and found:
        allowed = within.holds(np.array([chunk for chunk, _ in found], dtype=np.int64))
        found = [each for each, is_allowed in zip(found, allowed, strict=True) if is_allowed]
    return [(chunk, score) for chunk, score in found if chunk not in deleted] if deleted else found
