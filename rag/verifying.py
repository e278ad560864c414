"""The story of a check: anybody's claims and quotations against texts, given or stored, with the
verifier that answers go through. No model is asked."""

import asyncio
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rag.chunking.markdown import blocks
from rag.domain import (
    Block,
    Document,
    DocumentId,
    Dropped,
    Evidence,
    PageBoxes,
    Quotation,
    Verified,
    Version,
    version_of,
)
from rag.grounding.citations import NO_QUOTATION
from rag.grounding.locating import lines_of, pages_of
from rag.grounding.matching import Found, Passages, Rejected
from rag.grounding.passages import Part
from rag.grounding.support import Proof, Vocabulary
from rag.grounding.support import objections as beyond
from rag.storage.evidence import HIDDEN
from rag.storage.library import Library

ANYWHERE = 0
"""The label of no block: a quotation is looked for in all of the text."""


class Given(Struct, frozen=True):
    """A text to check against, as markdown or plain text."""

    text: str
    title: str = ""


class Stored(Struct, frozen=True):
    """A document of the library to check against; its current version if none is named."""

    document_id: DocumentId
    version: Version | None = None


class Quoted(Struct, frozen=True):
    """Words said to stand in a source."""

    quote: str
    source: int | None = None
    """Index of the source; in any of them if None."""


class Asserted(Struct, frozen=True):
    """A claim and what is to carry it; its own words are looked for where it quotes nothing."""

    text: str
    quotations: tuple[Quoted, ...] = ()


class Place(Struct, frozen=True):
    """Where a quotation stands: `source text[start:end] == quote`."""

    source: int
    quote: str
    verified: Verified
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    pages: tuple[PageBoxes, ...] = ()
    lines: tuple[int, int] | None = None
    confidence: float | None = None


class Verdict(Struct, frozen=True):
    text: str
    supported: bool
    """Whether a quotation was found, and nothing in the claim goes beyond what was."""
    objections: tuple[str, ...] = ()
    """Why it is not supported."""
    places: tuple[Place, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    """Quotations that stand nowhere, and why they were not believed."""


async def verify(
    claims: Sequence[Asserted], sources: Sequence[Given | Stored], library: Library
) -> tuple[Verdict, ...]:
    """A verdict for each claim, in their order.

    Raises:
        NotFound: a stored source is not there, or not in that version.
    """
    return await asyncio.to_thread(_verify, claims, sources, library)


def _verify(
    claims: Sequence[Asserted], sources: Sequence[Given | Stored], library: Library
) -> tuple[Verdict, ...]:
    shelf = _Shelf([_read(source, library) for source in sources])
    return tuple(shelf.verdict(claim) for claim in claims)


def _read(source: Given | Stored, library: Library) -> Document:
    if isinstance(source, Stored):
        return library.documents.text(source.document_id, source.version)
    version = version_of(source.text.encode())
    parts = blocks(source.text)
    return Document("", version, "text/markdown", source.title, source.text, parts)


class _Shelf:
    """The sources, each cut into its blocks once."""

    def __init__(self, documents: Sequence[Document]) -> None:
        each = [tuple(_evidence(i, document)) for i, document in enumerate(documents)]
        together = [item for items in each for item in items]
        self._all = Passages(_numbered(together))
        self._each = [Passages(_numbered(items)) for items in each]
        self._vocabulary = Vocabulary(together)

    def verdict(self, claim: Asserted) -> Verdict:
        quotations = claim.quotations or (Quoted(claim.text),)
        outcomes = [(quoted.quote, self._find(quoted)) for quoted in quotations]
        found = [outcome for _, outcome in outcomes if isinstance(outcome, Found)]
        objections: tuple[str, ...] = (NO_QUOTATION,)
        if found:
            objections = beyond(claim.text, Proof(found), self._vocabulary)
        return Verdict(
            claim.text,
            supported=not objections,
            objections=objections,
            places=tuple(_place(each.verified, part) for each in found for part in each.parts),
            dropped=tuple(
                Dropped(quote, outcome.reason)
                for quote, outcome in outcomes
                if isinstance(outcome, Rejected)
            ),
        )

    def _find(self, quoted: Quoted) -> Found | Rejected:
        passages = self._all if quoted.source is None else self._each[quoted.source]
        return passages.find(Quotation(ANYWHERE, quoted.quote))


def _evidence(index: int, document: Document) -> Iterator[Evidence]:
    """The blocks of a source, which is known by its index."""
    path: list[tuple[int, str]] = []
    for block in document.blocks or (Block("text", 0, len(document.text)),):
        if block.kind in HIDDEN:  # as in answers: what stands on every page proves nothing
            continue
        text = document.text[block.start : block.end]
        if block.kind == "title":
            path = [each for each in path if each[0] < block.level]
        first = None if document.pages else document.text.count("\n", 0, block.start) + 1
        yield Evidence(
            label=ANYWHERE,
            document_id=DocumentId(f"doc_{index}"),
            version=document.version,
            key=str(index),
            title=document.title,
            text=text,
            block=block,
            heading_path=tuple(heading for _, heading in path),
            first_line=first,
        )
        if block.kind == "title":
            path.append((block.level, text.strip("#=- \n")))


def _numbered(items: Sequence[Evidence]) -> list[Evidence]:
    return [replace(item, label=n) for n, item in enumerate(items, start=ANYWHERE + 1)]


def _place(verified: Verified, part: Part) -> Place:
    """Nobody said in which block it stands, and so it was not moved from there."""
    evidence = part.evidence
    start = evidence.block.start
    return Place(
        source=int(evidence.key),
        quote=part.text,
        verified="near" if verified == "near" else "exact",
        start=start + part.start,
        end=start + part.end,
        heading_path=evidence.heading_path,
        pages=pages_of(part),
        lines=lines_of(part),
        confidence=evidence.block.confidence,
    )
