"""Search and publish rates of a library, in process and over HTTP, embedding apart.

    python scripts/bench/search.py [--chunks 10000] [--queries 500]

Texts are drawn from a Zipf-distributed vocabulary and vectors from clusters, both seeded.
One query runs at a time. Percentiles are wall clock; `cpu` is the process's own time, which
neighbors on the machine disturb less. Over HTTP the service runs in a process of its own, with a
stand-in for the sentence model that takes no time, and the client's time is counted as well.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np

from rag.api.app import create_app
from rag.api.server import serve
from rag.domain import Chunk, Collection, Document, InputType, Vectors, version_of
from rag.ranking.filters import Eq, Filter
from rag.settings import Settings
from rag.storage.library import Library
from rag.wiring import Services

MODEL = "synthetic"
DIMENSION = 384
CHUNKS_PER_DOCUMENT = 10
WORDS_PER_CHUNK = 150
VOCABULARY = 30_000
CLUSTERS = 200
YEARS = 100  # one of a hundred passes the filter: 1 %


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve_library(arguments.serve))
        return
    rng = np.random.default_rng(7)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        with Library.open(Path(folder)) as library:
            collection = library.collections.create(
                "bench", embedding_model=MODEL, dimension=DIMENSION, chunk_tokens=256
            )
            figures |= publish_all(library, collection, arguments.chunks, rng)
            figures |= search_all(library, collection, arguments.queries, rng)
        figures["reopen_seconds"] = seconds_to_open(Path(folder))
        figures |= search_over_http(Path(folder), arguments.queries, rng)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=2))


def publish_all(
    library: Library, collection: Collection, chunks: int, rng: np.random.Generator
) -> dict[str, float]:
    centers = rng.normal(size=(CLUSTERS, DIMENSION))
    prepared = [
        (document(i, rng), unit(centers[rng.integers(CLUSTERS, size=CHUNKS_PER_DOCUMENT)], rng))
        for i in range(chunks // CHUNKS_PER_DOCUMENT)
    ]
    for one, _ in prepared:
        library.originals.put(one.text.encode())
    started, cpu_started = time.perf_counter(), time.process_time()
    for one, vectors in prepared:
        library.documents.publish(collection, one, cut(one), vectors)
    published, cpu_published = time.perf_counter(), time.process_time()
    library.chunks.search(collection, "the first question", prepared[0][1][:1], k=10)
    return {
        "chunks": chunks,
        "publish_chunks_per_second": chunks / (published - started),
        "publish_chunks_per_cpu_second": chunks / (cpu_published - cpu_started),
        "first_search_after_seconds": time.perf_counter() - published,
    }


def search_all(
    library: Library, collection: Collection, queries: int, rng: np.random.Generator
) -> dict[str, float]:
    figures: dict[str, float] = {}
    filters: dict[str, Filter | None] = {"": None, "_filtered_1_percent": Eq("year", 3)}
    for name, filter in filters.items():
        for k in (10, 50):
            times = []
            cpu = 0.0
            for _ in range(queries):
                vector = unit(rng.normal(size=(1, DIMENSION)), rng)
                question = text(8, rng)
                started, cpu_started = time.perf_counter(), time.process_time()
                found = library.chunks.search(collection, question, vector, k=k, filter=filter)
                times.append(1000 * (time.perf_counter() - started))
                cpu += 1000 * (time.process_time() - cpu_started)
                assert len(found.hits) >= k
            figures[f"k{k}{name}_cpu_ms"] = cpu / queries
            figures[f"k{k}{name}_p50_ms"] = float(np.percentile(times, 50))
            figures[f"k{k}{name}_p99_ms"] = float(np.percentile(times, 99))
    return figures


class Standin:
    """An embedder that takes no time: a vector that depends on the text, and on nothing else."""

    model = MODEL
    dimension = DIMENSION
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        rng = np.random.default_rng(len("".join(texts)))
        return unit(rng.normal(size=(len(texts), DIMENSION)), rng)


async def serve_library(folder: Path) -> None:
    """Until it is killed; prints its address."""
    services = Services(Settings(data_dir=str(folder)))
    services.embedders[MODEL] = Standin()
    await services.start()
    await serve(create_app(services), "127.0.0.1", 0, on_ready=lambda at: print(at, flush=True))


def search_over_http(folder: Path, queries: int, rng: np.random.Generator) -> dict[str, float]:
    command = [sys.executable, __file__, "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            with httpx.Client(base_url=server.stdout.readline().strip()) as http:
                times = [timed_search(http, text(8, rng)) for _ in range(queries)]
        finally:
            server.terminate()
    return {
        "http_k10_p50_ms": float(np.percentile(times, 50)),
        "http_k10_p99_ms": float(np.percentile(times, 99)),
    }


def timed_search(http: httpx.Client, question: str) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    reply = http.post("/v1/collections/bench/search", json={"query": question, "k": 10})
    elapsed = 1000 * (time.perf_counter() - started)
    assert len(reply.json()["data"]) == 10, reply.text
    return elapsed


def seconds_to_open(folder: Path) -> float:
    started = time.perf_counter()
    with Library.open(folder):
        return time.perf_counter() - started


def document(number: int, rng: np.random.Generator) -> Document:
    paragraphs = [text(WORDS_PER_CHUNK, rng) for _ in range(CHUNKS_PER_DOCUMENT)]
    body = "\n\n".join(paragraphs)
    source = body.encode()
    return Document(
        key=f"{number}.md",
        version=version_of(source),
        media_type="text/markdown",
        title=text(5, rng),
        text=body,
        attributes={"year": number % YEARS},
    )


def cut(document: Document) -> list[Chunk]:
    chunks: list[Chunk] = []
    start = 0
    for line, paragraph in enumerate(document.text.split("\n\n")):
        end = start + len(paragraph)
        at = 2 * line + 1
        chunks.append(Chunk(start, end, paragraph, tokens=200, lines=(at, at)))
        start = end + 2
    return chunks


def text(length: int, rng: np.random.Generator) -> str:
    """Words by Zipf's law, a sentence every dozen."""
    ranks = np.minimum(rng.zipf(1.2, size=length), VOCABULARY)
    words = [WORDS[rank - 1] for rank in ranks]
    return ". ".join(" ".join(words[i : i + 12]) for i in range(0, length, 12)) + "."


def unit(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    """Near the given ones, of length 1."""
    near = vectors + 0.6 * rng.normal(size=vectors.shape)
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


def vocabulary() -> list[str]:
    """Pronounceable words, the frequent ones short."""
    syllables = [c + v for c in "bcdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "ar", "en")]
    rng = np.random.default_rng(1)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        length = 1 + min(4, len(found) // 100 + int(rng.integers(1, 3)))
        found["".join(rng.choice(syllables, size=length))] = None
    return list(found)


WORDS = vocabulary()

if __name__ == "__main__":
    main()
