"""Hits -> passages that can be read by themselves, cut from the stored text."""

from collections.abc import Sequence

from rag.domain import Collection, Document, DocumentId, Hit
from rag.errors import NotFound
from rag.ranking.passages import Piece, Run, heading_of, runs
from rag.retrieval.queries import Passage
from rag.storage.library import Library

CHARACTERS_PER_TOKEN = 8  # at most, of what is looked at around hits: long words of European prose


def grown(
    hits: Sequence[Hit], max_tokens: int, within: Collection, library: Library
) -> tuple[Passage, ...]:
    """Best first. What was deleted or replaced since it was found is left out."""
    documents = {hit.document_id: _document(hit.document_id, library) for hit in hits}
    there = [hit for hit in hits if _stands(hit, documents[hit.document_id])]
    pieces = library.chunks.around(within, there, CHARACTERS_PER_TOKEN * max_tokens)
    return tuple(
        _passage(run, pieces[run.document_id][run.first : run.last + 1], document)
        for run in runs(there, pieces, max_tokens)
        if (document := documents[run.document_id]) is not None
    )


def _document(id: DocumentId, library: Library) -> Document | None:
    try:
        return library.documents.text(id)
    except NotFound:
        return None


def _stands(hit: Hit, document: Document | None) -> bool:
    return document is not None and document.text[hit.start : hit.end] == hit.text


def _passage(run: Run, pieces: Sequence[Piece], document: Document) -> Passage:
    start, end = pieces[0].start, max(piece.end for piece in pieces)
    lines = [piece.lines for piece in pieces if piece.lines]
    return Passage(
        document_id=run.document_id,
        key=document.key,
        title=document.title,
        score=run.score,
        text=document.text[start:end],
        start=start,
        end=end,
        tokens=sum(piece.tokens for piece in pieces),
        hits=run.hits,
        heading_path=heading_of(pieces),
        pages=tuple(sorted({page for piece in pieces for page in piece.pages})),
        lines=(lines[0][0], lines[-1][1]) if lines else None,
        blocks=tuple(b for b in document.blocks if b.start < end and b.end > start),
    )
