"""The story of a miss: where a document was lost on its way into the hits, and what would have
found it."""

import asyncio
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import (
    Attribute,
    Collection,
    DocumentId,
    DocumentSummary,
    Elsewhere,
    Hit,
    IngestItem,
)
from rag.errors import NotFound
from rag.ports import Embedders
from rag.ranking.diversity import fold_duplicates
from rag.ranking.filters import And, Filter, matches
from rag.retrieval.chatting import NO_CHAT
from rag.retrieval.finding import Sought, find, of_each_leg
from rag.retrieval.queries import Mode, Query
from rag.retrieval.searching import vectors_for
from rag.retrieval.understanding import understand
from rag.storage.holders import Terms
from rag.storage.library import Library
from rag.storage.tracing import DEEPEST, Place, Traced

Lost: TypeAlias = Literal[
    "not_indexed", "filtered", "not_quoted", "excluded", "candidates", "folded", "cut"
]
"""`not_indexed`: it is not there to be found; `filtered`: the filter does not let it through;
`not_quoted`: it lacks a phrase that is required; `excluded`: it has what is left out; `candidates`:
no leg had it among those it returned; `folded`: a better hit says the same, or was one too many of
its document; `cut`: it ranks below `k`."""

MOST_HITS = 100  # of one search

NO_WORDS, NO_VECTOR = "none of the question's words", "no vector"


class Why(Struct, frozen=True):
    """What became of a document in a search."""

    found: bool
    rank: int | None
    """Of its best hit; where it is not found, the rank it would have if more were returned, and
    None where it would have none."""
    lost: Lost | None
    reason: str
    advice: tuple[str, ...]
    """What would have found it."""
    key: str
    document_id: DocumentId | None
    mode: Mode
    candidates: int
    """That each leg was asked for."""
    dense: Place | None = None
    words: Place | None = None
    """Of its best chunk there, among all that may be found."""
    chunks: tuple[Traced, ...] = ()
    folded_into: Elsewhere | None = None


async def why(
    query: Query, document: str, within: Collection, *, embedders: Embedders, library: Library
) -> Why:
    """
    Args:
        document: its key or id.

    Raises:
        What `search` raises.
    """
    query = replace(query, history=(), expand=(), rerank=False)  # nothing is bought to explain
    understood = await understand(query, NO_CHAT)
    vectors = await vectors_for(query, understood, within, embedders)
    mode: Mode = query.mode if vectors[0] is not None else "words"
    sought = Sought(query, understood, vectors, within, mode)
    return await asyncio.to_thread(_explained, sought, document, library)


def _explained(sought: Sought, document: str, library: Library) -> Why:
    summary = _summary(document, sought.within, library)
    if summary is None:
        return _absent(sought, document, library)
    case = _Case(sought, summary, library)
    chunks = case.traced(sought.query.filter, case.terms)
    if not chunks:
        index = sought.within.index
        reason = f"index {index} lacks this document so far; it is being built, or its model failed"
        return case.lost("not_indexed", reason)
    if not any(chunk.is_allowed for chunk in chunks):
        return _barred(case)
    return _ranked(case, chunks)


class _Case:
    """One document and one question."""

    def __init__(self, sought: Sought, summary: DocumentSummary, library: Library) -> None:
        self.sought = sought
        self.summary = summary
        self.library = library
        reading = sought.understood.reading
        self.terms = Terms(reading.phrases, reading.excluded)

    def traced(self, filter: Filter | None, terms: Terms) -> tuple[Traced, ...]:
        whole, vector = self.sought.understood.wordings[0], self.sought.vectors[0]
        if self.sought.mode == "words":
            vector = None
        return self.library.chunks.trace(
            self.sought.within, self.summary.id, whole.words, vector, filter=filter, terms=terms
        )

    def attributes(self) -> dict[str, Attribute]:
        return self.library.documents.attributes([self.summary.id]).get(self.summary.id, {})

    def lost(
        self, lost: Lost | None, reason: str, *advice: str, chunks: tuple[Traced, ...] = ()
    ) -> Why:
        query, mode = self.sought.query, self.sought.mode
        return Why(
            found=lost is None,
            rank=None,
            lost=lost,
            reason=reason,
            advice=advice,
            key=self.summary.key,
            document_id=self.summary.id,
            mode=mode,
            candidates=of_each_leg(mode, query.k, query.k),
            dense=_best([chunk.dense for chunk in chunks]),
            words=_best([chunk.words for chunk in chunks]),
            chunks=chunks,
        )


def _summary(document: str, within: Collection, library: Library) -> DocumentSummary | None:
    by_key = library.documents.find_by_key(within, document)
    if by_key is not None:
        return by_key
    try:
        found = library.documents.find(DocumentId(document))
    except NotFound:
        return None
    return found if found.collection == within.name else None


def _absent(sought: Sought, document: str, library: Library) -> Why:
    item = library.jobs.last_item(sought.within, document)
    reason, advice = _of_item(item, sought.within)
    each_leg = of_each_leg(sought.mode, sought.query.k, sought.query.k)
    return Why(False, None, "not_indexed", reason, advice, document, None, sought.mode, each_leg)


def _of_item(item: IngestItem | None, within: Collection) -> tuple[str, tuple[str, ...]]:
    if item is None:
        reason = f"nothing of this name was ever handed in to collection {within.name!r}"
        return reason, ("hand it in, or look at the collection's keys for how it is called",)
    if item.error is not None:
        return f"it was {item.state}: {item.error.message}", ("mend that, and hand it in again",)
    if item.state in ("indexed", "unchanged"):
        return "it was indexed, and deleted since", ("hand it in again",)
    if item.state == "cancelled":
        return "its ingestion was cancelled", ("hand it in again",)
    return f"it is still {item.state}", ("wait for its job to end",)


def _barred(case: _Case) -> Why:
    """By the filter, by a phrase, or by an exclusion: whichever is the first."""
    filter = case.sought.query.filter
    if filter is not None and not matches(filter, case.attributes()):
        return case.lost(
            "filtered",
            f"the filter does not let it through: {_blamed(filter, case.attributes())}",
            "ask without that condition, or correct the document's attributes",
        )
    for phrase in case.terms.phrases:
        chunks = case.traced(filter, Terms(phrases=(phrase,)))
        if not any(chunk.is_allowed for chunk in chunks):
            reason = f'none of its passages holds "{phrase}" word for word'
            return case.lost("not_quoted", reason, "ask without the quotation marks")
    for said in case.terms.excluded:
        chunks = case.traced(filter, Terms(excluded=(said,)))
        if not any(chunk.is_allowed for chunk in chunks):
            reason = f'each of its passages holds "{said}", which the question leaves out'
            return case.lost("excluded", reason, f'ask without -"{said}"')
    reason = "no single passage of it meets all that the question requires and leaves out"
    return case.lost("not_quoted", reason, "require or leave out less")


def _blamed(filter: Filter, attributes: dict[str, Attribute]) -> str:
    """The conditions that it does not meet, as far down as they can be told apart."""
    if isinstance(filter, And):
        failed = [each for each in filter.filters if not matches(each, attributes)]
        return "; ".join(_blamed(each, attributes) for each in failed)
    key = getattr(filter, "key", None)
    kind = str(filter.__struct_config__.tag)
    if key is None:
        return f"a condition of type {kind!r}"
    has = "is missing" if attributes.get(key) is None else f"is {attributes[key]!r}"
    asked = getattr(filter, "value", getattr(filter, "values", None))
    return f"{key!r} {has}, and {kind!r} {asked!r} is asked"


def _ranked(case: _Case, chunks: tuple[Traced, ...]) -> Why:
    """It may be found: how far did it come?"""
    sought, mine = case.sought, case.summary.id
    k = sought.query.k
    each_leg = of_each_leg(sought.mode, k, k)
    pool = find(sought, 2 * each_leg, case.library)
    kept = fold_duplicates(pool.hits, len(pool.hits), per_document=sought.query.per_document)
    rank = next((n for n, hit in enumerate(kept, start=1) if hit.document_id == mine), None)
    if rank is not None and rank <= k:
        told = case.lost(None, f"it is found, at rank {rank}", chunks=chunks)
        return replace(told, rank=rank)
    if rank is not None:
        reason = f"it ranks {rank}, and the first {k} are returned"
        told = case.lost("cut", reason, *_deeper(rank), *_by_one_leg(chunks, k), chunks=chunks)
        return replace(told, rank=rank)
    if not any(hit.document_id == mine for hit in pool.hits):
        reason = _beyond(chunks, each_leg, sought.mode)
        advice = (*_by_one_leg(chunks, k), *_in_its_words(chunks))
        return case.lost("candidates", reason, *advice, chunks=chunks)
    other = _said_already(kept, mine)
    where = f"in {other.key!r}" if other else "by a hit"
    told = case.lost(
        "folded", f"a better hit says the same, {where}: see its `also`", chunks=chunks
    )
    return replace(told, folded_into=other)


def _said_already(kept: list[Hit], mine: DocumentId) -> Elsewhere | None:
    for hit in kept:
        if any(also.document_id == mine for also in hit.also):
            return Elsewhere(hit.document_id, hit.key)
    return None


def _deeper(rank: int) -> tuple[str, ...]:
    return (f"k of {rank} or more",) if rank <= MOST_HITS else ()


def _by_one_leg(chunks: tuple[Traced, ...], k: int) -> tuple[str, ...]:
    legs = {
        "dense": _best([chunk.dense for chunk in chunks]),
        "words": _best([chunk.words for chunk in chunks]),
    }
    return tuple(
        f"mode {leg!r}, where it ranks {place.rank}"
        for leg, place in legs.items()
        if place and place.rank and place.rank <= k
    )


def _in_its_words(chunks: tuple[Traced, ...]) -> tuple[str, ...]:
    if any(chunk.words.score is not None for chunk in chunks):
        return ("more of the words that stand in it, or a filter that leaves fewer documents",)
    return ("words that stand in it: it has none of the question's",)


def _beyond(chunks: tuple[Traced, ...], each_leg: int, mode: Mode) -> str:
    dense = _best([chunk.dense for chunk in chunks])
    words = _best([chunk.words for chunk in chunks])
    told = []
    if mode != "words":
        told.append(f"by meaning it ranks {_said(dense, NO_VECTOR)}")
    if mode != "dense":
        told.append(f"by words it ranks {_said(words, NO_WORDS)}")
    return f"{' and '.join(told)}; each leg returns {each_leg}"


def _said(place: Place | None, without: str) -> str:
    if place is None:
        return f"nowhere, for it has {without}"
    return f"{place.rank:,}" if place.rank else f"below {DEEPEST:,}"


def _best(places: list[Place]) -> Place | None:
    known = [place for place in places if place.score is not None]
    return max(known, key=lambda place: place.score or 0.0, default=None)
