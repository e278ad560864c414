"""The story of a self-check: a collection learns how much to trust meaning against words."""

import asyncio

from rag.domain import Collection
from rag.ports import Embedder, Embedders
from rag.ranking.selfcheck import SAMPLE, Probe, Trial, best_weight, probes
from rag.storage.library import Library

SEED = 1  # of the sample: the same collection always gives the same weight

CANDIDATES = 100  # per leg and probe, as in a search

ABREAST = 32  # probes embedded together; between two such batches other work gets its turn


async def calibrate(collection: Collection, *, embedders: Embedders, library: Library) -> float:
    """Sets the collection's dense weight from probes made of its own sentences, and returns it.

    Raises:
        ModelUnavailable: the collection's model is not configured here.
        ProviderError: the probes could not be embedded.
    """
    if collection.embedding_model is None:
        return collection.dense_weight
    embedder = embedders[collection.embedding_model]
    sampled = await asyncio.to_thread(library.sample_chunks, collection, SAMPLE, SEED)
    asked = await asyncio.to_thread(probes, sampled, SEED)
    trials: list[Trial] = []
    for start in range(0, len(asked), ABREAST):
        trials += await _try(asked[start : start + ABREAST], collection, embedder, library)
    weight = await asyncio.to_thread(best_weight, trials)
    await asyncio.to_thread(library.set_dense_weight, collection.id, weight)
    return weight


async def _try(
    asked: tuple[Probe, ...], collection: Collection, embedder: Embedder, library: Library
) -> list[Trial]:
    questions = await embedder.embed([probe.question for probe in asked], "query")
    remainders = await embedder.embed([probe.remainder for probe in asked], "passage")
    cosines = (questions * remainders).sum(axis=1)
    trials = []
    for probe, question, cosine in zip(asked, questions, cosines, strict=True):
        found = await asyncio.to_thread(
            library.search, collection, probe.question, question, k=CANDIDATES
        )
        holders = frozenset(hit.chunk_id for hit in found.hits if probe.sentence in hit.text)
        trials.append(Trial(probe, found.candidates, float(cosine), holders))
    return trials
