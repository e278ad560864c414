"""Answers and their citations, as they were given."""

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from rag.domain import Answer, AnswerId, Citation, CitationId, Hit
from rag.errors import NotFound
from rag.storage.code.repositories import has_file
from rag.storage.tables import (
    AnswerDocumentRow,
    AnswerRow,
    CitationRow,
    FeedbackRow,
    VersionRow,
)
from rag.storage.timestamps import now


def keep_answer(session: Session, answer: Answer) -> None:
    session.execute(
        insert(AnswerRow).values(
            id=answer.id, content=msgspec.msgpack.encode(answer), created_at=now()
        )
    )
    shown = {_owner(citation) for citation in answer.citations}
    shown |= {_owner(hit) for hit in answer.nearest}
    owners = [{"answer_id": answer.id, "document_id": document} for document in sorted(shown)]
    if owners:
        session.execute(insert(AnswerDocumentRow), owners)
    citations = [
        {"id": each.id, "answer_id": answer.id, "content": msgspec.msgpack.encode(each)}
        for each in answer.citations
    ]
    if citations:
        session.execute(insert(CitationRow), citations)


def _owner(shown: Citation | Hit) -> str:
    """With which it goes: its document, or its repository."""
    return shown.document_id if shown.code is None else shown.code.repository_id


def find_answer(session: Session, id: AnswerId) -> Answer:
    """
    Raises:
        NotFound: never given, or a document that it shows was deleted.
    """
    content = session.scalar(select(AnswerRow.content).where(AnswerRow.id == id))
    if content is None:
        raise NotFound("there is no such answer; it goes when a document it shows is deleted")
    answer = msgspec.msgpack.decode(content, type=Answer)
    citations = tuple(_as_of_now(session, citation) for citation in answer.citations)
    return msgspec.structs.replace(answer, citations=citations)


def find_citation(session: Session, id: CitationId) -> Citation:
    """
    Raises:
        NotFound: never given, or a document that its answer shows was deleted.
    """
    content = session.scalar(select(CitationRow.content).where(CitationRow.id == id))
    if content is None:
        raise NotFound("there is no such citation; it goes when its document is deleted")
    return _as_of_now(session, msgspec.msgpack.decode(content, type=Citation))


def _as_of_now(session: Session, citation: Citation) -> Citation:
    """With whether it is stale: its document has other bytes, or the same were read anew and the
    quotation stands elsewhere. Only the span is fetched, not the text. A file of code is the same
    text wherever it has the same id."""
    if citation.code is not None:
        return msgspec.structs.replace(citation, stale=not has_file(session, citation.code))
    span = citation.source
    quoted = session.scalar(
        select(func.substr(VersionRow.text, span.start + 1, span.end - span.start)).where(
            VersionRow.document_id == citation.document_id,
            VersionRow.sha256 == citation.version,
            VersionRow.state == "current",
        )
    )
    return msgspec.structs.replace(citation, stale=quoted != citation.quote)


def remove_answers_showing(session: Session, deleted: str) -> None:
    """Every copy of deleted text goes, and quotations are copies.

    Args:
        deleted: id of a document, or of a repository.
    """
    ids = session.scalars(
        select(AnswerDocumentRow.answer_id).where(AnswerDocumentRow.document_id == deleted)
    ).all()
    for id in ids:
        session.execute(delete(FeedbackRow).where(FeedbackRow.answer_id == id))
        session.execute(delete(CitationRow).where(CitationRow.answer_id == id))
        session.execute(delete(AnswerDocumentRow).where(AnswerDocumentRow.answer_id == id))
        session.execute(delete(AnswerRow).where(AnswerRow.id == id))
