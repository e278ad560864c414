"""The questions of a set, asked through the real search, and how good what it finds is."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rag.cli.door import Door
from rag.cli.progress import progress_of
from rag.domain import Hit
from rag.errors import RagError
from rag.evaluation.runs import Arm, Setting, Shown, Trace, figures
from rag.evaluation.scoring import (
    PAGES_AT,
    Spans,
    has_evidence_page,
    judged,
    ranking,
    relevant_units,
)
from rag.evaluation.sets import Grain, Question
from rag.evaluation.summaries import latency

DEPTH = 100
"""Hits asked for, the most a search gives: documents that are cut in several chunks must still
give ten documents."""

TIMED = 200
"""Questions whose search for ten hits is timed."""

SHOWN = 3  # hits kept of each question
SNIPPET = 160  # characters of each


class Way(Struct, frozen=True):
    """How questions are asked, and of what."""

    mode: str
    dense_weight: float | None = None
    """Of the fusion; the collection's own where None."""
    chunk_tokens: int | None = None
    """To which documents are cut; as in new collections where None."""

    @property
    def name(self) -> str:
        parts = [self.mode]
        if self.dense_weight is not None:
            parts.append(f"weight {self.dense_weight:g}")
        if self.chunk_tokens is not None:
            parts.append(f"{self.chunk_tokens} tokens")
        return ", ".join(parts)


class Exam(Struct, frozen=True):
    """What is asked of which collection."""

    questions: tuple[Question, ...]
    grain: Grain
    collection: str
    ids: Mapping[str, str]
    """Of documents in the set, by key; a key that is not there is its own."""
    spans: Mapping[str, Spans]
    """Of the evidence, by question, where passages are judged."""
    cutoffs: tuple[int, ...]

    @property
    def path(self) -> str:
        return f"/v1/collections/{self.collection}"


class Asking(Struct, frozen=True):
    """One way, and what came of it."""

    arm: Arm
    traces: Mapping[str, Trace]
    first: Mapping[str, tuple[Shown, ...]]


async def ask(exam: Exam, way: Way, door: Door, *, quiet: bool) -> Asking:
    """
    Raises:
        RagError: a search had less to go by than it should, so the figures would tell of nothing.
    """
    collection = await door.call("GET", exam.path)
    own_weight = collection["dense_weight"]
    if way.dense_weight is not None:
        await door.call("PATCH", exam.path, json={"dense_weight": way.dense_weight})
    try:
        return await _ask_all(exam, way, _setting(way, collection), door, quiet=quiet)
    finally:
        if way.dense_weight is not None:
            await door.call("PATCH", exam.path, json={"dense_weight": own_weight})


async def _ask_all(exam: Exam, way: Way, setting: Setting, door: Door, *, quiet: bool) -> Asking:
    traces, first, times = {}, {}, []
    total = len(exam.questions)
    with progress_of(total, quiet=quiet, doing=setting.name, unit="questions") as progress:
        for number, question in enumerate(exam.questions):
            if number < TIMED:
                times.append((await _search(exam, question, way, door, k=10))["milliseconds"])
            traces[question.id], first[question.id] = await _trace(exam, question, way, door)
            progress.step()
    arm = Arm(setting, figures([trace.scores for trace in traces.values()]), latency(times))
    return Asking(arm, traces, first)


async def _trace(
    exam: Exam, question: Question, way: Way, door: Door
) -> tuple[Trace, tuple[Shown, ...]]:
    hits = _hits(exam, await _search(exam, question, way, door, k=DEPTH))
    relevant = relevant_units(question, exam.grain)
    ranked = ranking(hits, relevant, exam.grain, exam.spans.get(question.id))
    found = judged(ranked, relevant, exam.cutoffs)
    scores = dict(found.scores)
    if exam.grain == "page":
        scores[f"page_evidence@{PAGES_AT}"] = has_evidence_page(hits, question)
        if question.document is not None:
            only = {"type": "eq", "key": "key", "value": question.document}
            inside = _hits(exam, await _search(exam, question, way, door, k=PAGES_AT, filter=only))
            named = f"page_evidence@{PAGES_AT}_in_document"
            scores[named] = has_evidence_page(inside, question)
    shown = tuple(_shown(hit) for hit in hits[:SHOWN])
    return Trace(scores, found.ranks), shown


async def _search(
    exam: Exam, question: Question, way: Way, door: Door, **asked: Any
) -> dict[str, Any]:
    body = {"query": question.text, "mode": way.mode, **asked}
    result: dict[str, Any] = await door.call("POST", f"{exam.path}/search", json=body)
    if result["degraded"]:
        raise RagError(f"a question was not asked as it should be: {result['degraded']}")
    return result


def _hits(exam: Exam, result: Mapping[str, Any]) -> Sequence[Hit]:
    """With ids of the set as keys."""
    return [_known(hit, exam.ids) for hit in msgspec.convert(result["data"], list[Hit])]


def _known(hit: Hit, ids: Mapping[str, str]) -> Hit:
    also = tuple(replace(each, key=ids.get(each.key, each.key)) for each in hit.also)
    return replace(hit, key=ids.get(hit.key, hit.key), also=also)


def _shown(hit: Hit) -> Shown:
    text = " ".join(hit.text.split())
    cut = text if len(text) <= SNIPPET else text[:SNIPPET].rstrip() + " …"
    return Shown(hit.key, hit.title, cut, hit.pages)


def _setting(way: Way, collection: Mapping[str, Any]) -> Setting:
    weight = way.dense_weight if way.dense_weight is not None else collection["dense_weight"]
    return Setting(
        way.name,
        way.mode,
        collection["embedding_model"],
        collection["chunk_tokens"],
        weight if way.mode == "hybrid" else None,
        collection["chunks"],
    )
