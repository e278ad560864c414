"""The service's search at a million chunks: over the bare index, by words, beside writes, at start.

    python scripts/bench/million.py --folder /tmp/million [--chunks 1000000] [--queries 1000]

The library is built in the folder at the first run, by bulk inserts, and both indexes by the
service itself. Vectors are those of `dense.py`, with its held-out questions; texts are words by
Zipf's law, and a question is five words of one passage, none of them a stop word. One question runs
at a time, but where it says so; what is compared is asked in turns. Over HTTP the service runs in a
process of its own with a stand-in for the model, and the client's time is counted as well.
"""

import argparse
import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from dense import QUESTIONS, D, memory, vectors
from filling import CHUNKS, MODEL, NAME, documents, fill, vocabulary
from msgspec import Struct

from rag.api.app import create_app
from rag.api.server import run, serve
from rag.domain import Collection, InputType, Vectors
from rag.ranking.analysis.stopwords import STOP_WORDS
from rag.settings import Settings
from rag.storage.derived import DerivedIndexes
from rag.storage.library import Library
from rag.storage.searching import Mode
from rag.wiring import Services

K = 10
RATE = 100  # chunks a second published beside questions
FIRST_NEW = 10**8  # number of the first document that is published beside questions


class Question(Struct, frozen=True):
    text: str
    vector: Vectors


def questions() -> list[Question]:
    random = np.random.default_rng(5)
    passages = [c[0].text for _, c in documents(10**9, QUESTIONS, vocabulary())]
    held_out = vectors(QUESTIONS, 10**9)
    return [
        Question(" ".join(random.choice(telling(passage), 5, replace=False)), held_out[n : n + 1])
        for n, passage in enumerate(passages)
    ]


def telling(passage: str) -> list[str]:
    return sorted(set(passage.split()) - STOP_WORDS["en"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="beside writes, each time")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = given.folder / str(given.chunks)
    asked = questions()
    if given.serve:
        run(serve_library(folder, asked))
        return
    build(folder, given.chunks)
    in_process(folder, asked, given)
    over_http(asked, given)


def build(folder: Path, chunks: int) -> None:
    fill(folder, chunks)
    began, processor = time.perf_counter(), time.process_time()
    with Library.open(folder) as library:
        while not is_built(library, chunks):
            time.sleep(1)
    print(
        f"both indexes are complete after {time.perf_counter() - began:.0f} s,"
        f" {time.process_time() - processor:.0f} s of CPU here besides the clustering's"
    )


def is_built(library: Library, chunks: int) -> bool:
    mine = [index for index in library.health().indexes if index.rows >= chunks]
    return len(mine) == 2 and all(index.state == "ready" for index in mine)


# --- in process ---------------------------------------------------------------------------------


class Bench:
    """A library that is open, and its indexes bare."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.collection: Collection = library.collections.find(NAME)
        self.indexes: DerivedIndexes = library._indexes.of(self.collection.index)

    def service(self, *modes: Mode, k: int = K) -> Callable[[Question], object]:
        return lambda q: self.library.chunks.search(
            self.collection, q.text, q.vector, k=k, modes=frozenset(modes)
        )

    def bare_dense(self, question: Question) -> object:
        assert self.indexes.dense is not None, "the collection has a model"
        return self.indexes.dense.index.search(question.vector, K)

    def bare_words(self, question: Question) -> object:
        return self.indexes.words.index.search(question.text, K)


def in_process(folder: Path, asked: Sequence[Question], given: argparse.Namespace) -> None:
    began = time.perf_counter()
    with Library.open(folder) as library:
        bench = Bench(library)
        bench.service("dense")(asked[0])
        print(f"opened and answered after {time.perf_counter() - began:.2f} s; {memory()}")
        settle(bench, asked)
        gc.freeze()  # as `rag serve` does
        ways = {
            "bare dense index": bench.bare_dense,
            "search, dense leg": bench.service("dense"),
            "bare word index": bench.bare_words,
            "search, words": bench.service("words"),
            "search, both legs": bench.service("dense", "words"),
            "both legs, k = 100": bench.service("dense", "words", k=100),
        }
        report(in_turns(ways, asked, given.queries))
        print(f"dense leg on 2 threads: {throughput(ways['search, dense leg'], asked):.0f}/s")
        print(f"both legs on 2 threads: {throughput(ways['search, both legs'], asked):.0f}/s")
        print(memory())
        beside_writes(bench, asked, given.seconds)


def settle(bench: Bench, asked: Sequence[Question]) -> None:
    """Checks what was not used yet, as the upkeep does after each start."""
    bench.indexes.keep_up()
    for question in asked:
        bench.service("dense", "words", k=100)(question)


def in_turns(
    ways: Mapping[str, Callable[[Question], object]], asked: Sequence[Question], queries: int
) -> dict[str, Vectors]:
    """Milliseconds by the clock and of this thread's processor, (queries, 2)."""
    took = {name: np.zeros((queries, 2), np.float32) for name in ways}
    for n in range(queries):
        for name, ask in ways.items():
            took[name][n] = timed(ask, asked[n % len(asked)])
    return took


def timed(ask: Callable[[Question], object], question: Question) -> tuple[float, float]:
    clock, processor = time.perf_counter(), time.thread_time()
    ask(question)
    return 1000 * (time.perf_counter() - clock), 1000 * (time.thread_time() - processor)


def report(took: Mapping[str, Vectors]) -> None:
    print(f"{'ms':28}  clock p50    p99    max    CPU p50    p99")
    for name, times in took.items():
        clock, processor = times.T
        print(
            f"{name:28}   {np.percentile(clock, 50):8.2f} {np.percentile(clock, 99):6.2f}"
            f" {clock.max():6.0f}   {np.percentile(processor, 50):8.2f}"
            f" {np.percentile(processor, 99):6.2f}"
        )


def throughput(
    ask: Callable[[Question], object], asked: Sequence[Question], seconds: float = 5.0
) -> float:
    counts, until = [0, 0], time.perf_counter() + seconds

    def run(place: int) -> None:
        while time.perf_counter() < until:
            ask(asked[counts[place] % len(asked)])
            counts[place] += 1

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


# --- beside writes ------------------------------------------------------------------------------


def beside_writes(bench: Bench, asked: Sequence[Question], seconds: float) -> None:
    ask = bench.service("dense", "words")
    took = {"both legs, idle": for_a_while(ask, asked, seconds / 3)}
    with publishing(bench.library, bench.collection):
        took[f"while {RATE} chunks/s come"] = for_a_while(ask, asked, seconds)
    bench.library.indexes.rebuild(NAME, ["dense"])
    took["while dense is built anew"] = for_a_while(ask, asked, seconds)
    report(took)


def for_a_while(
    ask: Callable[[Question], object], asked: Sequence[Question], seconds: float
) -> Vectors:
    took, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        took.append(timed(ask, asked[len(took) % len(asked)]))
    return np.array(took, np.float32)


@contextmanager
def publishing(library: Library, collection: Collection) -> Iterator[None]:
    """Documents at a steady rate, each acknowledged, until the block ends."""
    ending = threading.Event()
    words, first = vocabulary(), FIRST_NEW + library.health().documents

    def run() -> None:
        number, began = 0, time.perf_counter()
        while not ending.wait(max(0.0, began + number * CHUNKS / RATE - time.perf_counter())):
            [(document, chunks)] = documents(first + number, 1, words)
            library.originals.put(document.text.encode())
            library.documents.publish(collection, document, chunks, vectors(CHUNKS, first + number))
            number += 1
        seconds = time.perf_counter() - began
        rate = number * CHUNKS / seconds
        print(f"published {rate:.0f} chunks/s for {seconds:.0f} s", file=sys.stderr, flush=True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


# --- over HTTP ----------------------------------------------------------------------------------


class Standin:
    """An embedder that knows the questions."""

    model, dimension, max_tokens = MODEL, D, 256

    def __init__(self, asked: Sequence[Question]) -> None:
        self._known = {question.text: question.vector for question in asked}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        return np.concatenate([self._known[text] for text in texts])


async def serve_library(folder: Path, asked: Sequence[Question]) -> None:
    """Until it is killed; prints its address. Publishes while its input says so."""
    services = Services(Settings(data_dir=str(folder)))
    services.embedders[MODEL] = Standin(asked)
    await services.start()
    threading.Thread(target=_obey, args=(services.library,), daemon=True).start()
    await serve(create_app(services), "127.0.0.1", 0, on_ready=_say)


def _say(address: str) -> None:
    gc.freeze()  # as `rag serve` does
    print(address, flush=True)


def _obey(library: Library) -> None:
    for _ in sys.stdin:
        with publishing(library, library.collections.find(NAME)):
            sys.stdin.readline()


def over_http(asked: Sequence[Question], given: argparse.Namespace) -> None:
    library = ["--folder", given.folder, "--chunks", str(given.chunks)]
    command = [sys.executable, __file__, "--serve", *library]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None, "it was asked for"
        assert server.stdin is not None, "it was asked for"
        try:
            address = urlsplit(server.stdout.readline().strip())
            http = HTTPConnection(address.hostname or "", address.port)
            ways = {f"HTTP, {mode}": http_search(http, mode) for mode in ("dense", "words")}
            ways["HTTP, hybrid"] = http_search(http, "hybrid")
            ways["HTTP, /health/live"] = lambda _: exchange(http, "GET", "/health/live")
            in_turns(ways, asked, 100)
            report(in_turns(ways, asked, given.queries))
            took = {
                "HTTP, hybrid, idle": for_a_while(ways["HTTP, hybrid"], asked, given.seconds / 3)
            }
            print("start", file=server.stdin, flush=True)
            took["HTTP, beside publishing"] = for_a_while(
                ways["HTTP, hybrid"], asked, given.seconds
            )
            print("stop", file=server.stdin, flush=True)
            report(took)
        finally:
            server.terminate()


def http_search(http: HTTPConnection, mode: str) -> Callable[[Question], object]:
    path = f"/v1/collections/{NAME}/search"

    def ask(question: Question) -> object:
        body = json.dumps({"query": question.text, "k": K, "mode": mode}).encode()
        found = json.loads(exchange(http, "POST", path, body))
        assert len(found["data"]) == K, found
        assert found["degraded"] is None, found
        return found

    return ask


def exchange(http: HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    http.request(method, path, body, {"Content-Type": "application/json"})
    reply = http.getresponse()
    content = reply.read()
    assert reply.status == 200, content
    return content


if __name__ == "__main__":
    main()
