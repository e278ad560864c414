"""Documents, their versions and chunks: one current version each, whole, and counted right."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from rag.storage.checking.again import queue_again, retire
from rag.storage.checking.findings import Findings, Holdings, mendable, some_of
from rag.storage.tables import (
    ChunkRow,
    CollectionRow,
    DocumentRow,
    IndexVersionRow,
    ItemRow,
    VersionRow,
)

READ_ANEW = "they are read anew from their stored bytes"


def is_waiting() -> ColumnElement[bool]:
    """The document of a `DocumentRow` is about to be read anew."""
    return exists().where(
        ItemRow.collection_id == DocumentRow.collection_id,
        ItemRow.key == DocumentRow.key,
        ItemRow.finished_at.is_(None),
    )


def check_documents(held: Holdings) -> Findings:
    with held.database.read() as session:
        twice = _keys(session, _with_current(func.count() > 1))
        none = _keys(session, _without_current())
        uneven = _keys(session, _miscounted())
    if twice:
        what = f"{len(twice):,} documents have several current versions: {some_of(_k(twice))}"
        yield mendable("documents", what, "the newest stays", lambda: _keep_newest(held))
    if none:
        what = f"{len(none):,} documents have no current version: {some_of(_k(none))}"
        yield mendable("documents", what, READ_ANEW, lambda: _again(held, none))
    if uneven:
        what = f"{len(uneven):,} documents have more or fewer chunks than they were given"
        what = f"{what}: {some_of(_k(uneven))}"
        yield mendable("documents", what, READ_ANEW, lambda: _again(held, uneven))


def check_chunks(held: Holdings) -> Findings:
    with held.database.read() as session:
        outside = _chunks(session, _reaches_beyond())
        former = _chunks(session, VersionRow.state != "current")
    if outside:
        keys = sorted({key for _, _, key in outside})
        what = f"{len(outside):,} chunks reach beyond the text of their document: {some_of(keys)}"

        def replace() -> None:
            retire(held.database, [id for id, _, _ in outside])
            queue_again(held.database, held.blobs, {document for _, document, _ in outside})
            held.wake()

        yield mendable("chunks", what, "they answer no more, and are cut anew", replace)
    if former:
        keys = sorted({key for _, _, key in former})
        what = f"{len(former):,} chunks of replaced versions still answer: {some_of(keys)}"

        def end() -> None:
            retire(held.database, [id for id, _, _ in former])
            held.wake()

        yield mendable("chunks", what, "they answer no more", end)


def check_counts(held: Holdings) -> Findings:
    with held.database.read() as session:
        rows = session.execute(_counted()).all()
    wrong = [row for row in rows if (row.documents, row.chunks) != (row.has, row.live)]
    for row in wrong:
        yield mendable(
            "counts",
            f"collection {row.name!r} says {row.documents:,} documents and {row.chunks:,} chunks,"
            f" and has {row.has:,} and {row.live:,}",
            "they are counted again",
            lambda: _count_again(held),
        )


def _k(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [key for _, key in rows]


def _keys(session: Session, query: Select[str, str]) -> list[tuple[str, str]]:
    return [(id, key) for id, key in session.execute(query.order_by(DocumentRow.key))]


def _documents() -> Select[str, str]:
    return select(DocumentRow.id, DocumentRow.key)


def _with_current(how_many: ColumnElement[bool]) -> Select[str, str]:
    return (
        _documents()
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(VersionRow.state == "current")
        .group_by(DocumentRow.id, DocumentRow.key)
        .having(how_many)
    )


def _without_current() -> Select[str, str]:
    current = exists().where(
        VersionRow.document_id == DocumentRow.id, VersionRow.state == "current"
    )
    return _documents().where(~current, ~is_waiting())


def _miscounted() -> Select[str, str]:
    """Documents whose chunks in the index that serves are not as many as their version says."""
    live = (
        select(func.count())
        .select_from(ChunkRow)
        .join(IndexVersionRow, IndexVersionRow.id == ChunkRow.index_version_id)
        .where(ChunkRow.version_id == VersionRow.id, ChunkRow.live, IndexVersionRow.serves)
        .correlate(VersionRow)
        .scalar_subquery()
    )
    return (
        _documents()
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(VersionRow.state == "current", VersionRow.chunks != live, ~is_waiting())
    )


def _reaches_beyond() -> ColumnElement[bool]:
    """A text that is not as long as it was counts as well."""
    return or_(
        ChunkRow.start < 0,
        ChunkRow.start >= ChunkRow.end,
        ChunkRow.end > VersionRow.characters,
        ChunkRow.end > func.length(VersionRow.text),
    )


def _chunks(session: Session, which: ColumnElement[bool]) -> list[tuple[int, str, str]]:
    """Number, document and key of live chunks."""
    rows = session.execute(
        select(ChunkRow.id, DocumentRow.id, DocumentRow.key)
        .join(VersionRow, VersionRow.id == ChunkRow.version_id)
        .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
        .where(ChunkRow.live, which)
        .order_by(DocumentRow.key, ChunkRow.id)
    )
    return [(id, document, key) for id, document, key in rows]


def _counted() -> Select[str, str, int, int, int, int]:
    has = (
        select(func.count())
        .select_from(DocumentRow)
        .where(DocumentRow.collection_id == CollectionRow.id)
        .correlate(CollectionRow)
        .scalar_subquery()
    )
    live = (
        select(func.count())
        .select_from(ChunkRow)
        .join(IndexVersionRow, IndexVersionRow.id == ChunkRow.index_version_id)
        .where(
            IndexVersionRow.collection_id == CollectionRow.id, IndexVersionRow.serves, ChunkRow.live
        )
        .correlate(CollectionRow)
        .scalar_subquery()
    )
    return select(
        CollectionRow.id,
        CollectionRow.name,
        CollectionRow.documents,
        CollectionRow.chunks,
        has.label("has"),
        live.label("live"),
    )


def _again(held: Holdings, documents: Sequence[tuple[str, str]]) -> None:
    queue_again(held.database, held.blobs, {id for id, _ in documents})


def _keep_newest(held: Holdings) -> None:
    newer = aliased(VersionRow)
    is_older = exists().where(
        newer.document_id == VersionRow.document_id,
        newer.state == "current",
        newer.id > VersionRow.id,
    )
    with held.database.alone() as session:
        session.execute(
            update(VersionRow)
            .where(VersionRow.state == "current", is_older)
            .values(state="superseded")
            .execution_options(synchronize_session=False)
        )


def _count_again(held: Holdings) -> None:
    with held.database.alone() as session:
        for row in session.execute(_counted()).all():
            session.execute(
                update(CollectionRow)
                .where(CollectionRow.id == row.id)
                .values(documents=row.has, chunks=row.live)
            )
