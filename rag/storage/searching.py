"""Asking both indexes, and admitting only what the database says is current.

The indexes may be a moment ahead of or behind the database. So what they return is joined back
to it, and when a chunk turns out to be replaced since, both are asked again: a document that is
being replaced answers with its old version or its new one, never with neither.
"""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Candidate, ChunkId, CollectionId, DocumentId, Hit, Ranked, Vectors
from rag.errors import InvalidRequest
from rag.ranking.filters import Filter
from rag.storage.database import Database
from rag.storage.dense.searching import Step
from rag.storage.derived import DerivedIndexes, Followed
from rag.storage.hits import live_hits
from rag.storage.holders import NO_TERMS, Terms, bounds_of
from rag.storage.indexversions import find_version
from rag.storage.selecting import Selection
from rag.storage.texts import Texts
from rag.storage.tracing import (
    NOWHERE,
    Traced,
    allowed_among,
    dense_places,
    live_chunks,
    word_places,
)

Mode = Literal["dense", "words"]
BOTH: frozenset[Mode] = frozenset({"dense", "words"})

ATTEMPTS = 4  # the same document would have to be replaced in the middle of each


class Stages:
    """Measures one stage after another."""

    def __init__(self, before: Mapping[str, float] | None = None) -> None:
        """
        Args:
            before: milliseconds of stages that have ended.
        """
        self.milliseconds: dict[str, float] = dict(before or {})
        self._began = perf_counter()

    def end(self, stage: str) -> None:
        """What was done since the last stage ended was this one."""
        now = perf_counter()
        spent = self.milliseconds.get(stage, 0.0) + 1000 * (now - self._began)
        self.milliseconds[stage] = round(spent, 3)
        self._began = now


class Asked(Struct, frozen=True):
    """What the indexes are asked."""

    text: str
    vector: Vectors | None
    k: int
    filter: Filter | None
    modes: frozenset[Mode]
    terms: Terms = NO_TERMS


class _Narrowed(Struct, frozen=True):
    """What may be found."""

    selection: Selection | None
    unmet: tuple[str, ...] = ()
    is_bounded: bool = True


class _Legs(Struct, frozen=True):
    """Chunks and scores, best first: what each leg found, and how near the others' finds are."""

    words: dict[int, float]
    dense: dict[int, float]
    cosines: Mapping[int, float]
    steps: tuple[Step, ...] = ()
    words_plain: float | None = None
    """As of `Candidate`; None where the word index could not be asked."""


class Plan(Struct, frozen=True):
    """How the indexes were asked, and how long that took."""

    chunks_allowed: int | None
    """By the filter; None where there is none."""
    dense: tuple[Step, ...]
    """What was done with each part of the dense index, and why; none where the database stood in
    for it."""
    milliseconds: dict[str, float]
    """Of each stage."""


class Found(Struct, frozen=True):
    """What a search came to; candidates and hits of one moment."""

    candidates: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    missing: frozenset[Mode] = frozenset()
    """Legs that were asked for and could not be: their index is being built anew."""
    plan: Plan | None = None
    has_stood_in: bool = False
    """Whether the database answered for the dense index."""
    unmet: tuple[str, ...] = ()
    """Phrases that no passage holds together: it was searched as if they were not required."""
    is_bounded: bool = True
    """Whether phrases and exclusions were heeded: the word index says what meets them."""


Rank: TypeAlias = Callable[[Sequence[Candidate]], Sequence[Ranked]]
"""Chooses those candidates that become hits, best first."""


def all_of(candidates: Sequence[Candidate]) -> list[Ranked]:
    """A `Rank` that leaves them as they are."""
    return [Ranked(candidate.chunk_id, 0.0) for candidate in candidates]


def search(
    asked: Asked,
    collection_id: CollectionId,
    rank: Rank,
    *,
    indexes: DerivedIndexes,
    database: Database,
    texts: Texts,
) -> Found:
    """The `k` best of each leg, together; and those that `rank` chooses of them, as hits.

    Raises:
        InvalidRequest: the vector is not as wide as the collection's.
        IndexGone: the index was dropped.
    """
    stages = Stages()
    for _ in range(ATTEMPTS):
        followed = indexes.follow()
        stages.end("follow")
        narrowed = _narrowed(asked, indexes, database, texts, followed)
        selection = narrowed.selection
        stages.end("filter")
        legs = _ask(asked, selection, indexes, followed, stages)
        ids = list(legs.words | legs.dense)
        with database.look() as look:
            names = indexes.names.of(look, ids)
            candidates = _candidates(names, legs)
            ranked = rank(candidates)
            hits = live_hits(look, collection_id, ranked, names, texts)
        if not hits or len(hits) < len(ranked):  # nothing there, or nothing any more?
            with database.read() as session:
                find_version(session, indexes.version.index)
        if len(names) == len(ids) and len(hits) == len(ranked):
            break
    stages.end("hits")
    is_missing = "words" in asked.modes and legs.words_plain is None
    missing: frozenset[Mode] = frozenset({"words"} if is_missing else ())
    allowed = None if selection is None else len(selection.allowed)
    plan = Plan(allowed, legs.steps, stages.milliseconds)
    has_stood_in = bool(legs.dense) and not legs.steps
    unmet, is_bounded = narrowed.unmet, narrowed.is_bounded
    return Found(candidates, tuple(hits), missing, plan, has_stood_in, unmet, is_bounded)


def trace(
    asked: Asked,
    document: DocumentId,
    *,
    indexes: DerivedIndexes,
    database: Database,
    texts: Texts,
) -> tuple[Traced, ...]:
    """Where each chunk of a document stands in each leg, in the order of its text; none where the
    index lacks the document."""
    followed = indexes.follow()
    with database.read() as session:
        chunks = live_chunks(session, indexes.version, document)
    selection = _narrowed(asked, indexes, database, texts, followed).selection
    numbers = [number for number, _ in chunks]
    allowed = allowed_among(selection, numbers)
    words, dense = word_places(indexes, asked.text, numbers, selection), {}
    if asked.vector is not None:
        dense = dense_places(indexes, asked.vector, numbers, selection)
    return tuple(
        replace(
            chunk,
            is_allowed=number in allowed,
            dense=dense.get(number, NOWHERE),
            words=words.get(number, NOWHERE),
        )
        for number, chunk in chunks
    )


def _narrowed(
    asked: Asked,
    indexes: DerivedIndexes,
    database: Database,
    texts: Texts,
    followed: Followed,
) -> _Narrowed:
    if asked.filter is None and asked.terms.are_none:
        return _Narrowed(None)
    selector, selection = indexes.selector, None
    with database.read() as session:
        if asked.filter is not None:
            selection = selector.select(session, asked.filter, followed.latest)
        if asked.terms.are_none:
            return _Narrowed(selection)
        is_behind = "words" in followed.behind
        bounds = None if is_behind else bounds_of(asked.terms, indexes.words, session, texts)
        if bounds is None:
            return _Narrowed(selection, is_bounded=False)
        narrowed = selector.narrowed(session, selection, bounds, followed.latest)
    return _Narrowed(narrowed, bounds.unmet)


def _ask(
    asked: Asked,
    selection: Selection | None,
    indexes: DerivedIndexes,
    followed: Followed,
    stages: Stages,
) -> _Legs:
    by_words = None
    if "words" in asked.modes and "words" not in followed.behind:
        within = selection.within if selection else None
        by_words = indexes.words.search(asked.text, asked.k, within)
    words = dict(by_words.ranking) if by_words else {}
    plain = by_words.plain_score if by_words else None
    stages.end("words")
    if "dense" not in asked.modes or asked.vector is None or indexes.dense is None:
        return _Legs(words, {}, {}, words_plain=plain)
    vector = _checked(asked.vector, indexes.dense.dimension)
    allowed = selection.allowed if selection else None
    is_behind = "dense" in followed.behind
    look = indexes.dense.search_rows if is_behind else indexes.dense.search
    found, steps = look(vector, asked.k, allowed)
    dense = dict(found)
    others = [id for id in words if id not in dense]
    cosines = dense | indexes.dense.cosines(vector, others) if others else dense
    stages.end("dense")
    return _Legs(words, dense, cosines, steps, plain)


def _checked(vector: Vectors, dimension: int) -> Vectors:
    if vector.size != dimension:
        raise InvalidRequest(
            f"the question's vector has {vector.size} numbers, and the collection's {dimension}"
        )
    return vector.reshape(1, dimension)


def _candidates(names: Mapping[int, ChunkId], legs: _Legs) -> tuple[Candidate, ...]:
    cosines, words, plain = legs.cosines, legs.words, legs.words_plain
    dense_ranks = _ranks(legs.dense, names)
    words_ranks = _ranks(legs.words, names)
    return tuple(
        [
            Candidate(
                names[id],
                cosines.get(id),
                words.get(id),
                dense_ranks.get(id),
                words_ranks.get(id),
                plain,
            )
            for id in legs.dense | legs.words
            if id in names
        ]
    )


def _ranks(leg: Mapping[int, float], names: Mapping[int, ChunkId]) -> dict[int, int]:
    named = [id for id in leg if id in names]
    return dict(zip(named, range(1, len(named) + 1), strict=True))
