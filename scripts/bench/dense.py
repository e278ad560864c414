"""Speed, recall, memory and start of the dense index, at any size.

    python scripts/bench/dense.py --rows 1000000 --folder /tmp/dense-bench

The vectors: 2,000 clusters with Zipf's weights on a manifold of 96 dimensions, and noise; questions
are held out. It is deliberately hard (nearest cosine about 0.7). A built folder is used again.
"""

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from rag.domain import Vectors
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.clustering_process import NICENESS
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.manifest import Published
from rag.storage.dense.scanning import Ids
from rag.storage.dense.segment import ROWS, open_segment
from rag.storage.dense.writing import Span, write_segment

D, TOPICS, MANIFOLD, SPREAD, NOISE = 1024, 2_000, 96, 0.6, 0.55
STEP, QUESTIONS, K = 20_000, 500, 10
SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)
OWNER = "bench"


def vectors(n: int, seed: int) -> Vectors:
    world = np.random.default_rng(0)
    topics = world.standard_normal((TOPICS, MANIFOLD), dtype=np.float32)
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    manifold = np.linalg.qr(world.standard_normal((D, MANIFOLD)))[0].T.astype(np.float32)
    weights = 1 / np.arange(1, TOPICS + 1)
    random = np.random.default_rng(seed)
    chosen = topics[random.choice(TOPICS, n, p=weights / weights.sum())]
    spread = random.standard_normal(chosen.shape, dtype=np.float32) * SPREAD / MANIFOLD**0.5
    made = (chosen + spread).astype(np.float32) @ manifold
    made += random.standard_normal((n, D), dtype=np.float32) * np.float32(NOISE / D**0.5)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def allowed_of(n: int, share: float) -> Ids:
    return np.arange(0, n, round(1 / share), dtype=np.int64)


class Truth:
    """The exact nearest of each question, for each filter, over rows as they pass."""

    def __init__(self, questions: Vectors) -> None:
        self.questions = questions
        self.best = {s: np.full((len(questions), K), -2, np.float32) for s in SHARES}
        self.ids = {s: np.full((len(questions), K), -1, np.int64) for s in SHARES}

    def see(self, ids: Ids, rows: Vectors) -> None:
        cosines = self.questions @ rows.T
        for share in SHARES:
            chosen = np.flatnonzero(ids % round(1 / share) == 0)
            numbers = np.broadcast_to(ids[chosen], (len(self.questions), len(chosen)))
            best = np.concatenate([self.best[share], cosines[:, chosen]], axis=1)
            numbers = np.concatenate([self.ids[share], numbers], axis=1)
            order = np.argpartition(-best, K, axis=1)[:, :K] if best.shape[1] > K else slice(None)
            self.best[share] = np.take_along_axis(best, order, axis=1)
            self.ids[share] = np.take_along_axis(numbers, order, axis=1)


def build(folder: Path, n: int) -> None:
    questions = vectors(QUESTIONS, 10**9)
    truth, taken = Truth(questions), [0.0]

    def blocks() -> Iterator[tuple[Ids, Vectors]]:
        for start in range(0, n, STEP):
            began = time.process_time()
            ids, rows = np.arange(start, min(start + STEP, n)), vectors(min(STEP, n - start), start)
            truth.see(ids, rows)
            taken[0] += time.process_time() - began
            yield ids, rows

    began, wall = time.process_time(), time.time()
    published = write_segment(folder, blocks(), Span(OWNER, D, 1, 1), niceness=0)
    ours = time.process_time() - began - taken[0]
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    (folder / "published.json").write_bytes(msgspec.json.encode(published))
    report = f"{ours:.0f} s writing + {child.ru_utime + child.ru_stime:.0f} s clustering"
    (folder / "build.txt").write_text(
        f"{report} CPU; {time.time() - wall:.0f} s wall with making the data; "
        f"child's peak {child.ru_maxrss / 1024:,.0f} MB"
    )
    np.savez(folder / "truth.npz", questions=questions, **{str(s): truth.ids[s] for s in SHARES})


def memory() -> str:
    status = Path("/proc/self/status").read_text()
    sizes = dict(line.split(":", 1) for line in status.splitlines())
    anonymous, mapped = (int(sizes[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return f"anonymous {anonymous:,.0f} MB, mapped {mapped:,.0f} MB"


def timed(ask: Callable[[int], None], rounds: int) -> tuple[Vectors, Vectors]:
    """Milliseconds of each call: of this thread's processor, and by the clock."""
    cpu, wall = np.zeros(rounds, np.float32), np.zeros(rounds, np.float32)
    for i in range(rounds):
        began, clock = time.thread_time(), time.perf_counter()
        ask(i % QUESTIONS)
        cpu[i] = (time.thread_time() - began) * 1e3
        wall[i] = (time.perf_counter() - clock) * 1e3
    return cpu, wall


def percentiles(times: Vectors) -> str:
    p50, p99 = np.percentile(times, [50, 99])
    return f"{p50:6.2f} {p99:7.2f}"


def figures(folder: Path, n: int) -> None:
    published = msgspec.json.decode((folder / "published.json").read_bytes(), type=Published)
    kept = np.load(folder / "truth.npz")
    questions = kept["questions"]
    before = memory()
    began, clock = time.process_time(), time.perf_counter()
    segment = open_segment(folder, published, owner=OWNER, dimension=D)
    index = DenseIndex(D, [segment])
    index.search(questions[0], K)
    start = f"{time.process_time() - began:.2f} s CPU, {time.perf_counter() - clock:.2f} s wall"
    print(f"build            {(folder / 'build.txt').read_text()}")
    print(f"bytes            {published.size / 1e6:,.0f} MB, layout {segment.manifest.layout}")
    print(f"start to answer  {start}; before it {before}")
    cold, _ = timed(lambda i: index.search(questions[i], K) and None, 100)
    print(f"first 100, rows unchecked: {percentiles(cold)} ms CPU (p50, p99)")
    began = time.process_time()
    segment.rows.check()
    print(f"checking all rows {time.process_time() - began:.1f} s CPU; now {memory()}")
    for probing in segment.manifest.probing:
        print("                ", json.dumps(msgspec.to_builtins(probing)))
    rows = segment.rows.all()
    began = time.thread_time()
    np.asarray(rows).view(np.uint64).max()
    floor = rows.nbytes / (time.thread_time() - began)
    print(f"memory is read at {floor / 1e9:.1f} GB/s")
    print("allowed  recall  p50, p99 ms CPU   p50, p99 ms wall   floor ms  cold ms  way")
    for share in SHARES:
        numbers = allowed_of(n, share)
        allowed = None if share == 1.0 else Allowed(numbers)
        truth, hits = kept[str(share)], 0
        began = time.thread_time()
        index.search(questions[0], K, allowed)
        first = (time.thread_time() - began) * 1e3
        for i in range(QUESTIONS):
            found = index.search(questions[i], K, allowed)
            hits += len({number for number, _ in found} & set(truth[i].tolist()))
        cpu, wall = timed(lambda i, a=allowed: index.search(questions[i], K, a) and None, 1_000)
        [step] = index.explain(questions[0], K, allowed)[1]
        read = {"clusters": published.size - rows.nbytes, "fetch": len(numbers) * D * 2}
        at_least = read.get(step.way, rows.nbytes)
        if step.way == "clusters":
            probing = segment.manifest.probing[0]
            at_least = at_least * probing.lists // n**0.5 + probing.candidates * D * 2
        print(
            f"{share:7.1%}  {hits / K / QUESTIONS:.4f}  {percentiles(cpu)}   {percentiles(wall)} "
            f"     {at_least / floor * 1e3:6.2f}  {first:7.1f}  {step.way}: {step.reason}"
        )
    print(f"queries/s on 2 threads: {throughput(index, questions):.0f}; {memory()}")


def throughput(index: DenseIndex, questions: Vectors, seconds: float = 5.0) -> float:
    counts, until = [0, 0], time.perf_counter() + seconds

    def ask(place: int) -> None:
        while time.perf_counter() < until:
            index.search(questions[counts[place] % QUESTIONS], K)
            counts[place] += 1

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def during_build(folder: Path, n: int) -> None:
    """The first 5,000 answers while another process makes clusters of the same rows; no swap."""
    published = msgspec.json.decode((folder / "published.json").read_bytes(), type=Published)
    questions = np.load(folder / "truth.npz")["questions"]
    index = DenseIndex(D, [open_segment(folder, published, owner=OWNER, dimension=D)])
    index.segments[0].rows.check()
    _, idle = timed(lambda i: index.search(questions[i], K) and None, 1_000)
    files = str(folder / published.name / ROWS), str(folder / "again.faiss")
    child = subprocess.Popen(
        [sys.executable, "-m", "rag.storage.dense.clustering", *files, str(D), str(NICENESS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    _, busy = timed(lambda i: index.search(questions[i], K) and None, 5_000)
    child.kill()
    child.wait()
    print(f"wall ms p50, p99: idle {percentiles(idle)}; during a build {percentiles(busy)}")
    print(f"longest {busy.max():.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--during-build", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder / str(arguments.rows)
    if not (folder / "published.json").exists():
        build(folder, arguments.rows)
    figures(folder, arguments.rows)
    if arguments.during_build:
        during_build(folder, arguments.rows)


if __name__ == "__main__":
    main()
