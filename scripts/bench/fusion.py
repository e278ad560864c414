"""Ways to fuse the two legs, compared on judged questions: the table behind the default weight.

    rag eval FOLDER --keep DIR     # makes the library
    python scripts/bench/fusion.py FOLDER --library DIR

For each way and weight, nDCG@10 over the questions of FOLDER (BEIR layout), hits collapsed to
their documents. The last line is the weight the collection chose for itself.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

import msgspec
import numpy as np

from rag.cli.evaluate.folders import found_files, library_name, read_folder, write_files
from rag.domain import Candidate, ChunkId, Collection
from rag.evaluation.metrics import distinct, ndcg
from rag.ranking.fusion import fuse, reciprocal_rank
from rag.settings import load_settings
from rag.storage.searching import Found
from rag.wiring import Services

WEIGHTS = (0.0, 0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
DEPTH = 100  # candidates of each leg, as in a search

Way = Callable[[Sequence[Candidate], float], list[ChunkId]]  # candidates, weight -> best first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--library", type=Path, required=True)
    given = parser.parse_args()
    services = Services(load_settings({"RAG_DATA_DIR": str(given.library)}))
    try:
        compare(given.folder, services)
    finally:
        services.library.close()


def compare(folder: Path, services: Services) -> None:
    ground = read_folder(folder)
    judged = {each.id: each.relevant for each in ground.judged.scored}
    with tempfile.TemporaryDirectory() as scratch:
        ids = write_files(ground.judged.passages, Path(scratch))
        collection = services.library.collections.find(library_name(found_files([Path(scratch)])))
    searched = {each.id: search(each.text, collection, services) for each in ground.judged.scored}

    found = {question: each.candidates for question, each in searched.items()}
    names = {hit.chunk_id: ids[hit.key] for each in searched.values() for hit in each.hits}

    def score(way: Way, weight: float) -> float:
        ranked = {q: distinct(names[id] for id in way(found[q], weight)) for q in found}
        return mean(ndcg(ranked[q], judged[q]) for q in found)

    print(f"{len(found)} questions; weights" + "".join(f"{weight:7g}" for weight in WEIGHTS))
    for way in (convex, of_the_best, min_max, z_scores):
        print(f"{way.__name__:22s}" + "".join(f"{score(way, w):7.3f}" for w in WEIGHTS))
    print(f"{'reciprocal ranks':22s}{score(ranks, 0.5):7.3f}")
    chosen = collection.dense_weight
    print(f"chosen by self-check: {chosen:g}, nDCG@10 {score(convex, chosen):.4f}")


def search(question: str, collection: Collection, services: Services) -> Found:
    assert collection.embedding_model is not None
    embedder = services.embedders[collection.embedding_model]
    [vector] = asyncio.run(embedder.embed([question], "query"))
    return services.library.chunks.search(collection, question, vector, k=DEPTH)


def convex(found: Sequence[Candidate], weight: float) -> list[ChunkId]:
    return [each.chunk_id for each in fuse(found, dense_weight=weight)]


def of_the_best(found: Sequence[Candidate], weight: float) -> list[ChunkId]:
    """As convex, words as their part of the best alone: what the question asks for is not known."""
    return convex([msgspec.structs.replace(each, words_plain=None) for each in found], weight)


def ranks(found: Sequence[Candidate], _: float) -> list[ChunkId]:
    return [each.chunk_id for each in reciprocal_rank(found)]


def min_max(found: Sequence[Candidate], weight: float) -> list[ChunkId]:
    """Each leg stretched over 0..1 between its worst and best candidate."""
    dense, words = legs(found)
    return mixed(found, weight, *((x - x.min()) / (np.ptp(x) or 1) for x in (dense, words)))


def z_scores(found: Sequence[Candidate], weight: float) -> list[ChunkId]:
    """Each leg in standard deviations from its mean over the candidates."""
    dense, words = legs(found)
    return mixed(found, weight, *((x - x.mean()) / (x.std() or 1) for x in (dense, words)))


def legs(found: Sequence[Candidate]) -> tuple[np.ndarray, np.ndarray]:
    floor = min((c.words for c in found if c.words is not None), default=0.0)
    dense = np.array([c.dense if c.dense is not None else -1.0 for c in found])
    return dense, np.array([c.words if c.words is not None else floor for c in found])


def mixed(
    found: Sequence[Candidate], weight: float, dense: np.ndarray, words: np.ndarray
) -> list[ChunkId]:
    order = np.argsort(-(weight * dense + (1 - weight) * words), kind="stable")
    return [found[n].chunk_id for n in order]


if __name__ == "__main__":
    main()
