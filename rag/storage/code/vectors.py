"""Vectors of code: kept by what was embedded, found by what holds it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from msgspec import Struct
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from rag.domain import Vectors
from rag.storage.batches import batches
from rag.storage.bulk import insert_new_rows
from rag.storage.code.forgetting import each_digest
from rag.storage.code.tables import (
    CardsRow,
    CodeEmbeddingRow,
    CodeFileRow,
    CodeWeightRow,
    ContentRow,
)
from rag.storage.embeddings import check_vectors

ALIKE = 0.8
"""Share of a repository's contents that another has too, which is then as good a judge of what
meaning is worth."""


class DenseView(Struct, frozen=True, eq=False):
    """The vectors of one state, each with the chunk it stands for."""

    vectors: Vectors
    files: tuple[int, ...]
    parts: tuple[int, ...]
    pending: int
    """Chunks that are not embedded yet."""
    contents: frozenset[int]
    """Those whose vectors are all here."""

    def nearest(self, question: Vectors, k: int) -> list[tuple[int, int, float]]:
        """File, part and cosine of the nearest, nearest first."""
        if not len(self.files):
            return []
        cosines = self.vectors @ question
        few = np.argpartition(-cosines, min(k, len(cosines)) - 1)[:k]
        best = few[np.argsort(-cosines[few])]
        return [(self.files[n], self.parts[n], float(cosines[n])) for n in best]


def unembedded(session: Session, model: str, contents: Sequence[int]) -> list[int]:
    """Those of the contents that are not embedded whole."""
    done = {
        id
        for some in batches(contents)
        for id in session.scalars(
            select(CardsRow.content_id).where(
                CardsRow.content_id.in_(some), CardsRow.model == model
            )
        )
    }
    return [id for id in contents if id not in done]


def unknown_texts(session: Session, model: str, texts: Iterable[str]) -> list[str]:
    """Those that have no vector yet, each once."""
    by_digest = {digest_of(text): text for text in texts}
    known = {
        digest
        for some in batches(list(by_digest))
        for digest in session.scalars(
            select(CodeEmbeddingRow.text_sha256).where(
                CodeEmbeddingRow.text_sha256.in_(some), CodeEmbeddingRow.model == model
            )
        )
    }
    return [text for digest, text in by_digest.items() if digest not in known]


def keep_vectors(session: Session, model: str, texts: Sequence[str], vectors: Vectors) -> None:
    """
    Raises:
        InvalidRequest: not one vector of length 1 for each text.
    """
    check_vectors(vectors, len(texts))
    same = {"model": model, "dimension": vectors.shape[1]}
    rows = sorted(
        (digest_of(text), vector.astype("<f4").tobytes())
        for text, vector in zip(texts, vectors, strict=True)
    )
    insert_new_rows(session, CodeEmbeddingRow, same, ("text_sha256", "vector"), rows)


def keep_cards(session: Session, model: str, cards: Mapping[int, Sequence[str]]) -> None:
    """Says that the contents are embedded whole, as these texts. Those that were deleted
    meanwhile, or a vector of theirs, are left out."""
    there = set(session.scalars(select(ContentRow.id).where(ContentRow.id.in_(list(cards)))))
    lost = set(unknown_texts(session, model, [text for each in cards.values() for text in each]))
    rows = [
        (id, b"".join(map(digest_of, texts)))
        for id, texts in sorted(cards.items())
        if id in there and lost.isdisjoint(texts)
    ]
    insert_new_rows(session, CardsRow, {"model": model}, ("content_id", "digests"), rows)


def dense_view(
    session: Session,
    model: str,
    dimension: int,
    files: Mapping[int, tuple[int, int]],
    known: DenseView | None = None,
) -> DenseView:
    """
    Args:
        files: content and number of chunks of each file, by its number.
        known: what was read of them before; what has come since is read now.
    """
    known = known or DenseView(np.zeros((0, dimension), np.float32), (), (), 0, frozenset())
    digests = _digests(session, model, {content for content, _ in files.values()} - known.contents)
    vectors = _vectors(
        session, model, {d for packed in digests.values() for d in each_digest(packed)}
    )
    placed = [
        (file, part, vectors[digest])
        for file, (content, _) in files.items()
        for part, digest in enumerate(each_digest(digests.get(content, b"")))
        if digest in vectors
    ]
    new = np.frombuffer(b"".join(vector for *_, vector in placed), "<f4")
    matrix = np.concatenate([known.vectors, new.reshape(len(placed), dimension)])
    return DenseView(
        matrix,
        (*known.files, *(file for file, *_ in placed)),
        (*known.parts, *(part for _, part, _ in placed)),
        sum(chunks for _, chunks in files.values()) - len(matrix),
        known.contents | digests.keys(),
    )


def _digests(session: Session, model: str, contents: Set[int]) -> dict[int, bytes]:
    """Of what is embedded whole."""
    return {
        id: digests
        for some in batches(sorted(contents))
        for id, digests in session.execute(
            select(CardsRow.content_id, CardsRow.digests).where(
                CardsRow.content_id.in_(some), CardsRow.model == model
            )
        )
    }


def weight_of(session: Session, repository: str, model: str) -> float | None:
    """None where it was not checked."""
    return session.scalar(
        select(CodeWeightRow.weight).where(
            CodeWeightRow.repository_id == repository, CodeWeightRow.model == model
        )
    )


def weight_of_twin(session: Session, model: str, contents: Sequence[int]) -> float | None:
    """That of a repository with nearly the same contents, as another clone of it has."""
    shared: Counter[str] = Counter()
    for some in batches(contents):
        counted = (
            select(CodeFileRow.repository_id, func.count(CodeFileRow.content_id.distinct()))
            .where(CodeFileRow.content_id.in_(some))
            .group_by(CodeFileRow.repository_id)
        )
        for repository, count in session.execute(counted):
            shared[repository] += count
    for repository, count in shared.most_common():
        weight = weight_of(session, repository, model)
        if weight is not None and count >= ALIKE * len(contents):
            return weight
    return None


def set_weight(session: Session, repository: str, model: str, weight: float) -> None:
    where = (CodeWeightRow.repository_id == repository, CodeWeightRow.model == model)
    session.execute(delete(CodeWeightRow).where(*where))
    session.execute(
        insert(CodeWeightRow).values(repository_id=repository, model=model, weight=weight)
    )


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _vectors(session: Session, model: str, digests: set[bytes]) -> dict[bytes, bytes]:
    return {
        digest: vector
        for some in batches(sorted(digests))
        for digest, vector in session.execute(
            select(CodeEmbeddingRow.text_sha256, CodeEmbeddingRow.vector).where(
                CodeEmbeddingRow.text_sha256.in_(some), CodeEmbeddingRow.model == model
            )
        )
    }
