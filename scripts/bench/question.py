"""What is done before and after fusion, over fusing two lists, in a library of many chunks.

    python scripts/bench/question.py --folder /tmp/hundred [--chunks 100000] [--queries 300]

The library is that of `million.py`, with as many chunks as are asked for; questions are five words
of one passage, their vectors are given. Each way of asking takes its turn with the bare search of
both legs and their fusion, so that what is told is a difference within one run.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from filling import MODEL
from million import Bench, Question, Standin, build, questions, settle

from rag.domain import Vectors
from rag.ports import Embedders
from rag.ranking.boosts import Recency
from rag.ranking.fusion import fuse
from rag.retrieval.finding import CANDIDATES
from rag.retrieval.queries import PassagesWanted, Query
from rag.retrieval.searching import search
from rag.storage.library import Library

LOOK = 13  # hits that a search of ten makes whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    given = parser.parse_args()
    asked = questions()
    folder = given.folder / str(given.chunks)
    build(folder, given.chunks)
    with Library.open(folder) as library:
        bench = Bench(library)
        settle(bench, asked[:200])
        asyncio.run(measure(bench, asked, given.queries))


async def measure(bench: Bench, asked: Sequence[Question], queries: int) -> None:
    ways = {
        "a question": Query,
        "with explain": partial(Query, explain=True),
        "a phrase of two words": lambda text: Query(f'{text} "{" ".join(text.split()[:2])}"'),
        "a word left out": lambda text: Query(f"{text} -{text.split()[0]}"),
        "one hit a document": partial(Query, per_document=1),
        "with a boost": partial(Query, boosts=(Recency("created_at"),)),
        "with passages": partial(Query, passages=PassagesWanted()),
    }
    bare: list[tuple[float, float]] = []
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for n in range(queries):
        question = asked[n % len(asked)]
        bare.append(timed(lambda q=question: fused(bench, q)))
        for name, way in ways.items():
            took[name].append(await story(bench, way(question.text), question.vector))
    report(bare, took)


def fused(bench: Bench, question: Question) -> object:
    rank = partial(fuse, dense_weight=bench.collection.dense_weight, k=LOOK)
    return bench.library.chunks.search(
        bench.collection, question.text, question.vector, rank, k=CANDIDATES
    )


async def story(bench: Bench, query: Query, vector: Vectors) -> tuple[float, float]:
    embedders = Embedders({MODEL: Given(vector)})
    clock, processor = time.perf_counter(), time.process_time()
    await search(query, bench.collection, embedders=embedders, library=bench.library)
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


class Given(Standin):
    """An embedder that gives one vector for everything."""

    def __init__(self, vector: Vectors) -> None:
        super().__init__(())
        self._vector = vector

    async def embed(self, texts: Sequence[str], input_type: object) -> Vectors:
        return np.repeat(self._vector, len(texts), axis=0)


def timed(ask: Callable[[], object]) -> tuple[float, float]:
    clock, processor = time.perf_counter(), time.process_time()
    ask()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - processor)


def report(
    bare: Sequence[tuple[float, float]], took: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    base = np.array(bare)
    clock, cpu = np.median(base, axis=0)
    print(f"both legs and their fusion: clock p50 {clock:.2f} ms, CPU p50 {cpu:.2f} ms")
    print(f"{'over that, ms':24} {'clock p50':>10} {'CPU p50':>8} {'CPU p90':>8}")
    for name, times in took.items():
        more = np.array(times) - base
        clock, cpu = np.median(more, axis=0)
        print(f"{name:24} {clock:10.2f} {cpu:8.2f} {np.percentile(more[:, 1], 90):8.2f}")


if __name__ == "__main__":
    main()
