"""What no state of a repository has any more: kept for a while, since branches come back.

Then it goes: a content with its last file, and a vector with the last content that is embedded as
it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rag.storage.batches import batches
from rag.storage.code.tables import CardsRow, CodeEmbeddingRow, CodeFileRow, ContentRow
from rag.storage.timestamps import now, written

DIGEST = 32  # bytes
KEPT = timedelta(days=30)
"""For which a file that no ref has stays known: who goes back to its branch pays for nothing."""


def each_digest(packed: bytes) -> list[bytes]:
    """Of the texts that a content is embedded as."""
    return [packed[at : at + DIGEST] for at in range(0, len(packed), DIGEST)]


def mark_unused(session: Session, repository: str, used: set[int]) -> None:
    """Notes since when files are in no state; those that are in one again are not counted."""
    rows = session.execute(
        select(CodeFileRow.id, CodeFileRow.unused_since.is_(None)).where(
            CodeFileRow.repository_id == repository
        )
    ).all()
    newly = [id for id, is_used in rows if is_used and id not in used]
    again = [id for id, is_used in rows if not is_used and id in used]
    for ids, since in ((newly, now()), (again, None)):
        for some in batches(ids):
            marked = update(CodeFileRow).where(CodeFileRow.id.in_(some))
            session.execute(marked.values(unused_since=since))


def drop_unused_files(session: Session, repository: str) -> None:
    """Those that were in no state for long, with what only they had."""
    before = written(datetime.now(UTC) - KEPT)
    rows = session.execute(
        select(CodeFileRow.id, CodeFileRow.content_id).where(
            CodeFileRow.repository_id == repository, CodeFileRow.unused_since < before
        )
    ).all()
    for some in batches([row.id for row in rows]):
        session.execute(delete(CodeFileRow).where(CodeFileRow.id.in_(some)))
    drop_contents(session, sorted({row.content_id for row in rows}))


def drop_contents(session: Session, contents: Sequence[int]) -> None:
    """Those of them that no file has, with the vectors that nothing else is embedded as."""
    gone = set(contents)
    for some in batches(contents):
        having = select(CodeFileRow.content_id).where(CodeFileRow.content_id.in_(some))
        gone -= set(session.scalars(having))
    digests: dict[str, set[bytes]] = {}
    for some in batches(sorted(gone)):
        is_one = CardsRow.content_id.in_(some)
        for model, packed in session.execute(
            select(CardsRow.model, CardsRow.digests).where(is_one)
        ):
            digests.setdefault(model, set()).update(each_digest(packed))
        session.execute(delete(CardsRow).where(is_one))
        session.execute(delete(ContentRow).where(ContentRow.id.in_(some)))
    for model, candidates in digests.items():
        drop_vectors(session, model, candidates - used_digests(session, model))


def used_digests(session: Session, model: str) -> set[bytes]:
    """Of all texts that a content is embedded as."""
    return {digest for packed in _all_cards(session, model) for digest in each_digest(packed)}


def drop_vectors(session: Session, model: str, digests: set[bytes]) -> None:
    for some in batches(sorted(digests)):
        session.execute(
            delete(CodeEmbeddingRow).where(
                CodeEmbeddingRow.text_sha256.in_(some), CodeEmbeddingRow.model == model
            )
        )


def _all_cards(session: Session, model: str) -> Iterator[bytes]:
    rows = select(CardsRow.digests).where(CardsRow.model == model)
    yield from session.scalars(rows.execution_options(yield_per=1_000))
