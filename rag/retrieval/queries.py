"""What is asked of a collection, and what comes back."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from rag.domain import Block, ChunkId, DocumentId, Hit, IndexId, Usage
from rag.questions.reading import Reading
from rag.questions.rephrasing import Turn
from rag.ranking.boosts import Boost
from rag.ranking.filters import Filter
from rag.storage.searching import BOTH, Plan
from rag.storage.searching import Mode as Leg

Mode: TypeAlias = Literal["hybrid", "dense", "words"]

LEGS: Mapping[Mode, frozenset[Leg]] = {
    "hybrid": BOTH,
    "dense": frozenset({"dense"}),
    "words": frozenset({"words"}),
}

Expansion: TypeAlias = Literal["variants", "hypothesis"]
"""`variants` also asks the question in other words; `hypothesis` (HyDE) looks near a passage that
might answer it. A chat model writes both."""


class PassagesWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """Hits grown to what can be read by itself."""

    max_tokens: Annotated[int, Meta(ge=400, le=100_000)] = 2_000
    """Of all passages together, as the collection's own model counts them; 400 is the longest
    chunk."""


class Query(Struct, frozen=True):
    text: str
    k: int = 10
    mode: Mode = "hybrid"
    filter: Filter | None = None
    explain: bool = False
    literal: bool = False
    """Whether quotation marks and minus signs are text like all else."""
    per_document: int | None = None
    """Hits of one document at most."""
    boosts: tuple[Boost, ...] = ()
    passages: PassagesWanted | None = None
    history: tuple[Turn, ...] = ()
    """What was said before, oldest first."""
    expand: tuple[Expansion, ...] = ()
    rerank: bool = False


class Passage(Struct, frozen=True):
    """Hits of one document and what stands around them, as one span of its text."""

    document_id: DocumentId
    key: str
    title: str
    score: float
    """Of its best hit."""
    text: str
    start: int
    end: int
    tokens: int
    """At most."""
    hits: tuple[ChunkId, ...]
    """That it holds, best first."""
    heading_path: tuple[str, ...] = ()
    """What all of it stands below."""
    pages: tuple[int, ...] = ()
    lines: tuple[int, int] | None = None
    blocks: tuple[Block, ...] = ()
    """With their pages and boxes: a quotation is shown where it stands."""


class LegSaid(Struct, frozen=True):
    """What one leg of the search says of a hit."""

    score: float | None
    """Cosine or BM25; None where it is not known."""
    rank: int | None
    """From 1; None where this leg did not return it."""


class Stage(Struct, frozen=True):
    """A hit's place after one stage."""

    rank: int
    score: float


class HitExplained(Struct, frozen=True):
    """How a hit came to its place."""

    chunk_id: ChunkId
    rank: int
    score: float
    dense: LegSaid
    words: LegSaid
    fused: Stage | None = None
    """Of both legs, before anything else; of the best way in which the question was asked."""
    boosted: Stage | None = None
    reranked: Stage | None = None
    """None where that stage was not asked for."""


class Explained(Struct, frozen=True):
    """How the question was understood, how the indexes were asked, and what became of each hit."""

    reading: Reading
    asked: tuple[str, ...]
    """In how many ways the question was asked, and how: whole, its parts, its variants."""
    index: IndexId
    dense_weight: float
    plan: Plan | None
    """Of the filter, and of each part of the dense index."""
    milliseconds: dict[str, float]
    """Of each stage; those of `plan` are parts of `search`."""
    candidates: int
    """Chunks that a leg returned."""
    folded: int
    """Hits that said what a better one says, or were one too many of their document."""
    hits: tuple[HitExplained, ...]


class SearchResult(Struct, frozen=True):
    data: tuple[Hit, ...]
    mode: Mode
    """How it was searched in the end."""
    degraded: str | None = None
    """Why a leg or a stage that was asked for is missing; None when none is."""
    milliseconds: float = 0.0
    explain: Explained | None = None
    passages: tuple[Passage, ...] | None = None
    """None unless they were asked for."""
    notes: tuple[str, ...] = ()
    """What the caller should know of how the question was taken."""
    usage: Usage | None = None
    """Of the chat model, where it was asked; None where not."""
