"""What people said of answers."""

import msgspec
from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.orm import Session

from rag.domain import Answer, AnswerId, Feedback, Judged, Listing
from rag.errors import InvalidRequest, NotFound
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.tables import AnswerRow, FeedbackRow
from rag.storage.timestamps import now


def keep_feedback(session: Session, id: AnswerId, feedback: Feedback) -> Judged:
    """Instead of what was said of it before.

    Raises:
        NotFound: never given, or a document that it shows was deleted.
        InvalidRequest: it names a citation that the answer does not have.
    """
    content = session.scalar(select(AnswerRow.content).where(AnswerRow.id == id))
    if content is None:
        raise NotFound("there is no such answer; it goes when a document it shows is deleted")
    answer = msgspec.msgpack.decode(content, type=Answer)
    if foreign := set(feedback.right) - {citation.id for citation in answer.citations}:
        raise InvalidRequest(f"the answer has no citation {min(foreign)!r}")
    session.execute(delete(FeedbackRow).where(FeedbackRow.answer_id == id))
    at = now()
    said = msgspec.msgpack.encode(feedback)
    session.execute(insert(FeedbackRow).values(answer_id=id, content=said, created_at=at))
    return Judged(answer, feedback, at)


def list_feedback(session: Session, *, limit: int, after: str | None) -> Listing[Judged]:
    """Oldest first."""
    place = (FeedbackRow.created_at, FeedbackRow.answer_id)
    query = (
        select(FeedbackRow.content, FeedbackRow.created_at, AnswerRow.content)
        .join(AnswerRow, AnswerRow.id == FeedbackRow.answer_id)
        .order_by(*place)
    )
    if came := position(after, str, str):
        query = query.where(tuple_(*place) > tuple_(*came))
    rows = session.execute(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(
        Judged(
            msgspec.msgpack.decode(answer, type=Answer),
            msgspec.msgpack.decode(said, type=Feedback),
            created_at,
        )
        for said, created_at, answer in rows[:limit]
    )
    has_more = len(rows) > limit
    last = cursor(data[-1].created_at, data[-1].answer.id) if has_more else None
    return Listing(data, has_more, last)
