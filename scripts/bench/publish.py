"""How many chunks a second are published, vectors given, each document acknowledged on disk.

    python scripts/bench/publish.py [--chunks 4000] [--each 100] [--dimension 1024] [URL ...]

Without a URL it measures SQLite in a temporary folder; with the URLs of empty PostgreSQL databases
those too, in the same run. `--tests` starts the tests' own PostgreSQL for it.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from rag.domain import Chunk, Document, Vectors, version_of
from rag.storage.library import Library

SENTENCE = "The quick brown fox {} jumps over the lazy dog, and then it rests for a while. "
REPEATED = 12  # times the sentence, which makes a passage of 900 characters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=4_000)
    parser.add_argument("--each", type=int, default=100, help="chunks of a document")
    parser.add_argument("--dimension", type=int, default=1_024)
    parser.add_argument("--tests", action="store_true", help="start the tests' PostgreSQL too")
    parser.add_argument("urls", nargs="*")
    given = parser.parse_args()
    with ExitStack() as stack:
        urls: list[str | None] = [None, *given.urls]
        if given.tests:
            sys.path.insert(0, str(Path(__file__).parents[2]))
            from tests.postgres import running_server

            urls.append(stack.enter_context(running_server()).url)
        for url in urls:
            name = "sqlite" if url is None else "postgresql"
            rate, cpu_rate, slowest = measure(url, given.chunks, given.each, given.dimension)
            print(
                f"{name:>10}: {rate:7,.0f} chunks/s, {cpu_rate:7,.0f} in a second of our CPU,"
                f" slowest document {slowest * 1000:5.0f} ms"
            )


def measure(url: str | None, chunks: int, each: int, dimension: int) -> tuple[float, float, float]:
    """Chunks a second, chunks in a second of this process's CPU time, which neighbors on the
    machine disturb less, and the slowest document's seconds."""
    chance = np.random.default_rng(0)
    with (
        tempfile.TemporaryDirectory() as folder,
        Library.open(Path(folder), database_url=url) as library,
    ):
        collection = library.collections.create(
            "bench", embedding_model="given", dimension=dimension, chunk_tokens=256
        )
        took = []
        busy = 0.0
        for number in range(chunks // each):
            document, pieces = made(number, each)
            library.originals.put(document.text.encode())
            vectors = unit_vectors(chance, each, dimension)
            began, computing = time.perf_counter(), time.process_time()
            library.documents.publish(collection, document, pieces, vectors)
            took.append(time.perf_counter() - began)
            busy += time.process_time() - computing
    published = len(took) * each
    return published / sum(took), published / busy, max(took)


def made(number: int, chunks: int) -> tuple[Document, list[Chunk]]:
    passages = [SENTENCE.format(f"{number}-{n}") * REPEATED + "\n" for n in range(chunks)]
    text = "".join(passages)
    pieces, start = [], 0
    for passage in passages:
        end = start + len(passage)
        pieces.append(Chunk(start, end, passage, tokens=200))
        start = end
    key = f"document-{number}"
    return Document(key, version_of(text.encode()), "text/plain", key, text), pieces


def unit_vectors(chance: np.random.Generator, n: int, dimension: int) -> Vectors:
    rows = chance.standard_normal((n, dimension), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
