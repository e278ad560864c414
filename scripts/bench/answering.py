"""What an answer takes besides its model: search, evidence, verification, keeping.

    python scripts/bench/answering.py FOLDER [--documents 300] [--questions 100] [-k 20]

FOLDER holds `corpus.jsonl` ({"_id", "title", "text"} a line) and `queries.jsonl` ({"_id", "text"}).
A model that takes no time at all writes three claims, each with a sentence of a block as its
quotation. Told are wall and CPU time per question, whole and until the first event of a stream,
the first claim of one, and of the search alone: all within one run, in turns.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct, field

from rag.answering import Question, Said, answer, answering
from rag.chunking.chunks import chunk
from rag.chunking.markdown import blocks
from rag.domain import (
    Collection,
    Document,
    Draft,
    DraftClaim,
    Evidence,
    Quotation,
    Source,
    Usage,
    embedded_text,
)
from rag.local.minilm import load_minilm
from rag.ports import Embedder, Embedders
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library

CLAIMS = 3


class Line(Struct):
    text: str
    id: str = field(name="_id")
    title: str = ""


class Instant:
    """Writes a draft of true quotations as it is asked for one."""

    name = "instant"

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        quotations = [(e.label, e.text.split(". ")[0]) for e in evidence if len(e.text) > 80]
        claims = (DraftClaim(q, (Quotation(label, q),)) for label, q in quotations[:CLAIMS])
        return Draft(True, tuple(claims)), Usage(self.name)

    async def write(
        self, question: str, evidence: Sequence[Evidence]
    ) -> AsyncGenerator[DraftClaim | tuple[Draft, Usage], None]:
        draft, usage = await self.draft(question, evidence)
        for claim in draft.claims:
            yield claim
        yield draft, usage


class Took(Struct, frozen=True):
    """Milliseconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("-k", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, Library.open(Path(scratch)) as library:
        embedder = load_minilm(Path(scratch) / "models")
        within = asyncio.run(_fill(library, embedder, given.folder, given.documents))
        questions = _lines(given.folder / "queries.jsonl")[: given.questions]
        embedders = Embedders({embedder.model: embedder})
        asyncio.run(_measure([q.text for q in questions], within, embedders, library, given.k))


async def _fill(library: Library, embedder: Embedder, folder: Path, documents: int) -> Collection:
    within = library.collections.create(
        "bench",
        embedding_model=embedder.model,
        dimension=embedder.dimension,
        chunk_tokens=embedder.max_tokens,
    )
    for line in _lines(folder / "corpus.jsonl")[:documents]:
        source = Source(f"{line.id}.md", line.text.encode(), "text/markdown", line.title)
        library.originals.put(source.content)
        parts = blocks(line.text)
        document = Document(
            source.key, source.version, "text/markdown", line.title, line.text, parts
        )
        chunks = chunk(document, limit=within.chunk_tokens, count_tokens=embedder.count_tokens)
        texts = [embedded_text(each, line.title) for each in chunks]
        library.documents.publish(within, document, chunks, await embedder.embed(texts, "passage"))
    return within


async def _measure(
    questions: Sequence[str],
    within: Collection,
    embedders: Embedders,
    library: Library,
    k: int,
) -> None:
    took: dict[str, list[Took]] = {}
    for text in questions:
        question = Question(text, k=k)
        shared = {"embedders": embedders, "answerer": Instant(), "library": library}
        clock = _Clock()
        await search(Query(text, k=k), within, embedders=embedders, library=library)
        took.setdefault("search alone, question embedded", []).append(clock.took())
        clock = _Clock()
        await answer(question, [within], **shared)
        took.setdefault("whole answer, question known", []).append(clock.took())
        clock, first = _Clock(), dict[str, Took]()
        async for event in answering(question, [within], **shared):
            first.setdefault("first event", clock.took())
            if isinstance(event, Said):
                first.setdefault("first claim", clock.took())
        for what, one in first.items():
            took.setdefault(what, []).append(one)
    for what, times in took.items():
        print(f"{what:34} {_quantiles([t.wall for t in times])} wall", end="   ")
        print(f"{_quantiles([t.cpu for t in times])} CPU")


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def took(self) -> Took:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Took(1000 * wall, 1000 * cpu)


def _quantiles(values: Sequence[float]) -> str:
    p50, p95 = np.quantile(values, [0.5, 0.95])
    return f"p50 {p50:6.1f}  p95 {p95:6.1f} ms"


def _lines(path: Path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in path.read_bytes().splitlines()]


if __name__ == "__main__":
    main()
