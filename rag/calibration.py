"""The story of a self-check: an index learns how much to trust meaning against words.

It takes place as the index grows: where it gets as many chunks as can tell anything, and
whenever it has doubled since. Where the model is paid for, it costs about as much as embedding
`PAID_SAMPLE` chunks did.
"""

import asyncio
import math
from decimal import Decimal

import msgspec
from msgspec import Struct

from rag.domain import Collection
from rag.ports import Embedder, Embedders, PaidEmbedder
from rag.ranking.selfcheck import FEWEST, SAMPLE, Probe, Trial, best_weight, probes
from rag.storage.library import Library

SEED = 1  # of the sample: the same collection always gives the same weight

CANDIDATES = 100  # per leg and probe, as in a search

ABREAST = 32  # probes embedded together; between two such batches other work gets its turn

GROWTH = 2
"""Between two stages of a collection. A self-check for every third more chunks cost a collection
that grew file by file three times what its documents did."""

PAID_SAMPLE = 150
"""Chunks, where embedding is paid for. Chosen by 100 probes instead of 250, weights gave XQuAD in
English and German 0.001 less nDCG@10 at most, on average, with sound vectors and with noise."""


_MILLION = 1_000_000


def is_due(chunks: int, before: int) -> bool:
    """Whether a collection reached another stage since it had `before` chunks. The stages are the
    same wherever the counting begins, so that a program that is started for each file tries no
    more than one that runs on.

    >>> is_due(39, before=0), is_due(40, before=39), is_due(79, before=40), is_due(80, before=79)
    (False, True, False, True)
    """
    return chunks >= FEWEST and _stage(chunks) > _stage(before)


class SelfCheck(Struct, frozen=True):
    """What a collection's self-check costs once more chunks are there; 0 where none is due, or
    its model is not paid for."""

    tokens: int = 0
    """At most: a probe's question and the rest of its chunk are together no longer than the chunk
    was."""
    usd: Decimal = Decimal(0)
    """At most, and in either lane: it goes at once."""
    there: int = 0
    """Chunks that the collection has."""
    coming: int = 0
    """Chunks, at most."""
    sample: int = 0
    """Chunks that are drawn, at most."""
    chunk_tokens: int = 0
    """Of a chunk, at most."""
    token_usd: Decimal = Decimal(0)

    def __add__(self, other: "SelfCheck") -> "SelfCheck":
        """Of the same collection, or none."""
        one = self if self.sample else other
        return one.after(self.coming + other.coming)

    def after(self, coming: int) -> "SelfCheck":
        is_tried = is_due(self.there + coming, self.there)
        drawn = min(self.sample, self.there + coming) if is_tried else 0
        tokens = drawn * self.chunk_tokens
        return msgspec.structs.replace(
            self, coming=coming, tokens=tokens, usd=tokens * self.token_usd
        )


def foreseen(within: Collection, embedder: Embedder | None, coming: int) -> SelfCheck:
    """
    Args:
        coming: chunks, at most.
    """
    if not isinstance(embedder, PaidEmbedder):
        return SelfCheck()
    return SelfCheck(
        there=within.chunks,
        sample=PAID_SAMPLE,
        chunk_tokens=within.chunk_tokens,
        token_usd=embedder.cost(_MILLION) / _MILLION,
    ).after(coming)


async def calibrate(collection: Collection, *, embedders: Embedders, library: Library) -> float:
    """Sets the dense weight of the index through which the collection is seen, from probes made
    of its own sentences, and returns it.

    Raises:
        ModelUnavailable: the collection's model is not configured here.
        ProviderError: the probes could not be embedded.
    """
    if collection.embedding_model is None:
        return collection.dense_weight
    embedder = embedders[collection.embedding_model]
    sampled = await asyncio.to_thread(library.chunks.sample, collection, _sample(embedder), SEED)
    asked = await asyncio.to_thread(probes, sampled, SEED)
    if len(asked) < FEWEST:  # they would decide nothing, whatever they found
        return collection.dense_weight
    trials: list[Trial] = []
    for start in range(0, len(asked), ABREAST):
        trials += await _try(asked[start : start + ABREAST], collection, embedder, library)
    weight = await asyncio.to_thread(best_weight, trials)
    await asyncio.to_thread(library.collections.set_dense_weight, collection, weight)
    return weight


def _sample(embedder: Embedder) -> int:
    return PAID_SAMPLE if isinstance(embedder, PaidEmbedder) else SAMPLE


def _stage(chunks: int) -> int:
    return math.floor(math.log(max(chunks, 1) / FEWEST, GROWTH))


async def _try(
    asked: tuple[Probe, ...], collection: Collection, embedder: Embedder, library: Library
) -> list[Trial]:
    questions = await embedder.embed([probe.question for probe in asked], "query")
    remainders = await embedder.embed([probe.remainder for probe in asked], "passage")
    cosines = (questions * remainders).sum(axis=1)
    trials = []
    for probe, question, cosine in zip(asked, questions, cosines, strict=True):
        found = await asyncio.to_thread(
            library.chunks.search, collection, probe.question, question, k=CANDIDATES
        )
        holders = frozenset(hit.chunk_id for hit in found.hits if probe.sentence in hit.text)
        trials.append(Trial(probe, found.candidates, float(cosine), holders))
    return trials
