"""The chunks of a library, as questions find them."""

from collections.abc import Callable, Sequence

from rag.domain import Chunk, ChunkId, Collection, DocumentId, Evidence, Hit, Vectors
from rag.ranking.filters import Filter, bounded
from rag.ranking.passages import Piece
from rag.storage import evidence, samples, searching, surroundings
from rag.storage.database import Database
from rag.storage.holders import NO_TERMS, Terms
from rag.storage.opened import OpenIndexes
from rag.storage.searching import BOTH, Asked, Found, Mode, Rank, all_of
from rag.storage.texts import Texts
from rag.storage.tracing import Traced


class ChunkStore:
    """Chunks by meaning, by words, and by chance."""

    def __init__(
        self, database: Database, indexes: OpenIndexes, texts: Texts, wake: Callable[[], None]
    ) -> None:
        """
        Args:
            wake: has the indexes kept up.
        """
        self._wake = wake
        self._database = database
        self._indexes = indexes
        self._texts = texts

    def search(
        self,
        collection: Collection,
        question: str,
        vector: Vectors | None,
        rank: Rank = all_of,
        *,
        k: int,
        filter: Filter | None = None,
        modes: frozenset[Mode] = BOTH,
        terms: Terms = NO_TERMS,
    ) -> Found:
        """The `k` best chunks by meaning and the `k` best by words, together, within the filter and
        of what holds these terms; and those that `rank` chooses of them, as hits.

        Without a vector, or in a collection without a model, there is no dense leg. It is one
        index that is asked, from start to end: that through which the collection is seen, whether
        it still serves or not.

        Raises:
            IndexGone: that index was dropped; read the collection again.
        """
        asked = Asked(question, vector, k, bounded(filter) if filter else None, modes, terms)
        found = searching.search(
            asked,
            collection.id,
            rank,
            indexes=self._indexes.of(collection.index),
            database=self._database,
            texts=self._texts,
        )
        if found.missing or found.has_stood_in:  # perhaps it was found out just now
            self._wake()
        return found

    def trace(
        self,
        collection: Collection,
        document: DocumentId,
        question: str,
        vector: Vectors | None,
        *,
        filter: Filter | None = None,
        terms: Terms = NO_TERMS,
    ) -> tuple[Traced, ...]:
        """Where each chunk of a document stands in each leg, however far down; none where the
        index through which the collection is seen lacks the document.

        Raises:
            IndexGone: that index was dropped; read the collection again.
        """
        asked = Asked(question, vector, 0, bounded(filter) if filter else None, BOTH, terms)
        return searching.trace(
            asked,
            document,
            indexes=self._indexes.of(collection.index),
            database=self._database,
            texts=self._texts,
        )

    def evidence(self, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """The blocks that the hits cover, each once, numbered from 1 in the order of the hits."""
        with self._database.read() as session:
            return evidence.evidence_of(session, hits)

    def around(
        self, collection: Collection, hits: Sequence[Hit], reach: int
    ) -> dict[DocumentId, list[Piece]]:
        """The chunks of each hit's document in order, from `reach` characters before its first hit
        to as many after its last."""
        with self._database.read() as session:
            return surroundings.pieces_around(session, collection.index, hits, reach)

    def sample(self, collection: Collection, n: int, seed: int) -> list[tuple[ChunkId, str, Chunk]]:
        """Up to `n` live chunks with their documents' titles; the same for the same seed."""
        with self._database.read() as session:
            return samples.sample_chunks(session, collection.index, n, seed, self._texts)
