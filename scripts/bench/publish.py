"""How many chunks a second are published, vectors given, each document acknowledged on disk.

    python scripts/bench/publish.py [--chunks 4000] [--each 100] [--dimension 1024] [URL ...]

Without a URL it measures SQLite in a temporary folder; with the URLs of empty PostgreSQL databases
those too, in the same run. `--tests` starts the tests' own PostgreSQL for it. `--each 1` measures
small documents.

The floor is what the database itself takes to keep the same bytes in the same number of commits,
without an index, a check or a word: a bare `executemany`, or a bare `COPY`.
"""

import argparse
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from msgspec import Struct

from rag.domain import Chunk, Document, Vectors, version_of
from rag.storage.library import Library

CHARACTERS = 900  # of a passage
VOCABULARY = 30_000  # words, as frequent as words are (Zipf's law)
FLATTENED = 10  # added to a word's rank: the most frequent is one word in seventy


class Prepared(Struct, frozen=True):
    """A document with what is published of it."""

    document: Document
    chunks: list[Chunk]
    vectors: Vectors


Keep: TypeAlias = Callable[[Prepared], object]
"""Returns when it is on disk."""


class Taken(Struct, frozen=True):
    """What some documents took."""

    seconds: float
    slowest: float
    cpu: float
    """Seconds of this process's, which neighbors on the machine disturb less."""


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
            compare(url, given.chunks // given.each, given.each, given.dimension)


def compare(url: str | None, documents: int, each: int, dimension: int) -> None:
    given = list(prepared(documents, each, dimension))
    floor = timed(in_sqlite() if url is None else in_postgresql(url), given)
    before = memory()
    taken = timed(in_library(url, given, dimension), given)
    chunks = documents * each
    print(
        f"{'sqlite' if url is None else 'postgresql':>10}: {chunks / taken.seconds:7,.0f} chunks/s"
        f" in {documents / taken.seconds:,.0f} documents/s,"
        f" {chunks / taken.cpu:,.0f} chunks in a second of our CPU,"
        f" slowest document {taken.slowest * 1000:,.0f} ms, {memory() - before:,.0f} MB more\n"
        f"{'its floor':>10}: {chunks / floor.seconds:7,.0f} chunks/s"
        f" in {documents / floor.seconds:,.0f} documents/s;"
        f" we take {taken.seconds / floor.seconds:.1f} times as long"
    )


def timed(keeping: AbstractContextManager[Keep], given: list[Prepared]) -> Taken:
    slowest = 0.0
    with keeping as keep:
        began, computing = time.perf_counter(), time.process_time()
        for one in given:
            at = time.perf_counter()
            keep(one)
            slowest = max(slowest, time.perf_counter() - at)
        seconds, cpu = time.perf_counter() - began, time.process_time() - computing
    return Taken(seconds, slowest, cpu)


@contextmanager
def in_library(url: str | None, given: list[Prepared], dimension: int) -> Iterator[Keep]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Library.open(Path(folder), database_url=url) as library,
    ):
        collection = library.collections.create(
            "bench", embedding_model="given", dimension=dimension, chunk_tokens=256
        )
        for one in given:
            library.originals.put(one.document.text.encode())
        put = library.documents.publish
        yield lambda one: put(collection, one.document, one.chunks, one.vectors)


@contextmanager
def in_sqlite() -> Iterator[Keep]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)) as bare,
    ):
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute("CREATE TABLE bare (text TEXT, vector BLOB)")

        def keep(one: Prepared) -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany("INSERT INTO bare VALUES (?, ?)", bare_rows(one))
            bare.execute("COMMIT")

        yield keep


@contextmanager
def in_postgresql(url: str) -> Iterator[Keep]:
    import psycopg

    with psycopg.connect(url) as bare:
        bare.execute("CREATE TABLE bare (text text, vector bytea)")
        bare.commit()

        def keep(one: Prepared) -> None:
            with bare.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["text", "bytea"])
                for row in bare_rows(one):
                    copy.write_row(row)
            bare.commit()

        yield keep
        bare.execute("DROP TABLE bare")


def bare_rows(one: Prepared) -> list[tuple[str, bytes]]:
    return [
        (chunk.text, vector.tobytes())
        for chunk, vector in zip(one.chunks, one.vectors, strict=True)
    ]


def prepared(documents: int, each: int, dimension: int) -> Iterator[Prepared]:
    chance, words = np.random.default_rng(0), random.Random(0)
    vocabulary = ["".join(words.choices("etaoinshrdlu", k=2 + n % 9)) for n in range(VOCABULARY)]
    weights = [1 / (rank + FLATTENED) for rank in range(VOCABULARY)]
    for number in range(documents):
        passages = [
            " ".join(words.choices(vocabulary, weights, k=CHARACTERS // 5))[:CHARACTERS] + ".\n"
            for _ in range(each)
        ]
        vectors = chance.standard_normal((each, dimension), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield Prepared(*made(f"document-{number}", passages), vectors)


def made(key: str, passages: list[str]) -> tuple[Document, list[Chunk]]:
    text = "".join(passages)
    pieces, start = [], 0
    for passage in passages:
        end = start + len(passage)
        pieces.append(Chunk(start, end, passage, tokens=200))
        start = end
    return Document(key, version_of(text.encode()), "text/plain", key, text), pieces


def memory() -> float:
    """The most that this process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
