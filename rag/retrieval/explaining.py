"""How each hit came to its place, from what every stage left behind."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from rag.domain import Candidate, ChunkId, Collection, Hit
from rag.retrieval.finding import Pool
from rag.retrieval.queries import Explained, HitExplained, LegSaid, Query, Stage
from rag.retrieval.understanding import Understood


class Trace(Struct, frozen=True):
    """What a search went through."""

    understood: Understood
    pool: Pool
    chosen: Sequence[Hit]
    """After the last stage that changes the order."""
    milliseconds: dict[str, float]
    folded: int


def explained(query: Query, hits: Sequence[Hit], within: Collection, trace: Trace) -> Explained:
    fused = _stages(trace.pool.fused)
    boosted = _stages(trace.pool.hits) if query.boosts else {}
    reranked = _stages(trace.chosen) if query.rerank else {}
    return Explained(
        reading=trace.understood.reading,
        asked=tuple(f"{each.role}: {each.text}" for each in trace.understood.wordings),
        index=within.index,
        dense_weight=within.dense_weight,
        plan=trace.pool.first.plan,
        milliseconds=trace.milliseconds,
        candidates=len(trace.pool.candidates),
        folded=trace.folded,
        hits=tuple(
            _hit(rank, hit, trace.pool.candidates, fused, boosted, reranked)
            for rank, hit in enumerate(hits, start=1)
        ),
    )


def _stages(hits: Sequence[Hit]) -> dict[ChunkId, Stage]:
    return {hit.chunk_id: Stage(rank, hit.score) for rank, hit in enumerate(hits, start=1)}


def _hit(
    rank: int,
    hit: Hit,
    candidates: Mapping[ChunkId, Candidate],
    fused: Mapping[ChunkId, Stage],
    boosted: Mapping[ChunkId, Stage],
    reranked: Mapping[ChunkId, Stage],
) -> HitExplained:
    legs = candidates[hit.chunk_id]
    return HitExplained(
        hit.chunk_id,
        rank,
        hit.score,
        LegSaid(legs.dense, legs.dense_rank),
        LegSaid(legs.words, legs.words_rank),
        fused.get(hit.chunk_id),
        boosted.get(hit.chunk_id),
        reranked.get(hit.chunk_id),
    )
