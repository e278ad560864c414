"""Collections, each seen through one of its index versions."""

import re
from difflib import get_close_matches

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from rag.domain import Collection, CollectionId, IndexId, Listing, derived_id
from rag.errors import Conflict, IndexGone, InvalidRequest, NotFound
from rag.ranking.selfcheck import PRIOR_WEIGHT
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.engines.looking import Look, Prepared
from rag.storage.indexversions import index_id, number_of
from rag.storage.locking import insert_new
from rag.storage.tables import (
    CollectionRow,
    GenerationRow,
    IndexVersionRow,
    ItemRow,
    JobRow,
    OperationRow,
)
from rag.storage.timestamps import now

DTYPE = "float32"
NAMES_SHOWN = 20  # in an error that lists what there is
NAMES_COMPARED = 1_000  # with the one that is not there: some 20 ms

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def create_collection(
    session: Session,
    name: str,
    *,
    embedding_model: str | None,
    dimension: int | None,
    chunk_tokens: int,
    chunker: str,
) -> Collection:
    """
    Raises:
        InvalidRequest: the name, or a model without a dimension.
        Conflict: the name is taken.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            "a collection's name is 1 to 64 lower-case letters, digits, `_` and `-`, "
            "and starts with a letter or digit"
        )
    if (embedding_model is None) != (dimension is None) or (dimension or 1) < 1 or chunk_tokens < 1:
        raise InvalidRequest("a collection needs a model and its dimension, or neither")

    id = derived_id("col", name)
    created_at = now()
    row = {"id": id, "name": name, "created_at": created_at}
    if not insert_new(session, CollectionRow, [row]):
        raise Conflict(f"there is already a collection {name!r}")
    session.execute(
        insert(IndexVersionRow).values(
            collection_id=id,
            model=embedding_model,
            dimension=dimension,
            dtype=DTYPE,
            chunker=chunker,
            chunk_tokens=chunk_tokens,
            dense_weight=PRIOR_WEIGHT,
            serves=True,
            created_at=created_at,
        )
    )
    return find_collection(session, id)


def find_collection(session: Session, name_or_id: str) -> Collection:
    """
    Raises:
        NotFound: with the names that exist.
    """
    by_either = or_(CollectionRow.id == name_or_id, CollectionRow.name == name_or_id)
    row = session.execute(_seen().where(IndexVersionRow.serves, by_either)).first()
    if row is None:
        raise NotFound(f"there is no such collection; {_existing(session, name_or_id)}")
    return _collection(*row)


_SERVING = Prepared(
    select(
        CollectionRow.id,
        CollectionRow.name,
        IndexVersionRow.model,
        IndexVersionRow.dimension,
        IndexVersionRow.chunk_tokens,
        IndexVersionRow.dense_weight,
        CollectionRow.documents,
        CollectionRow.chunks,
        CollectionRow.created_at,
        IndexVersionRow.id,
    )
    .join(IndexVersionRow, IndexVersionRow.collection_id == CollectionRow.id)
    .where(
        IndexVersionRow.serves,
        ~IndexVersionRow.is_dropped,
        (CollectionRow.id == bindparam("either")) | (CollectionRow.name == bindparam("either")),
    )
)


def collection_seen(look: Look, name_or_id: str) -> Collection | None:
    """`find_collection`, for every search beside which something is written."""
    rows = look.rows(_SERVING, either=name_or_id)
    if not rows:
        return None
    id, name, model, dimension, chunk_tokens, weight, documents, chunks, created, version = rows[0]
    return Collection(
        id=CollectionId(id),
        name=name,
        embedding_model=model,
        dimension=dimension,
        chunk_tokens=chunk_tokens,
        dense_weight=weight,
        documents=documents,
        chunks=chunks,
        created_at=created,
        index=index_id(version),
    )


def collection_through(session: Session, index: IndexId) -> Collection:
    """The collection of an index, seen through it.

    Raises:
        IndexGone: it was dropped, or its collection was deleted.
    """
    row = session.execute(_seen().where(IndexVersionRow.id == number_of(index))).first()
    if row is None:
        raise IndexGone("there is no such index: it was dropped, or its collection was deleted")
    return _collection(*row)


def views_of(session: Session, id: CollectionId) -> tuple[Collection, ...]:
    """The collection through each of its indexes: through the one that serves first.

    Raises:
        NotFound: it was deleted.
    """
    rows = session.execute(
        _seen()
        .where(CollectionRow.id == id)
        .order_by(IndexVersionRow.serves.desc(), IndexVersionRow.id)
    ).all()
    if not rows:
        raise NotFound(f"there is no such collection; {_existing(session, id)}")
    return tuple(_collection(*row) for row in rows)


def list_collections(session: Session, *, limit: int, after: str | None) -> Listing[Collection]:
    """By name."""
    query = (
        _seen()
        .where(IndexVersionRow.serves)
        .order_by(CollectionRow.name)
        .limit(checked_limit(limit) + 1)
    )
    if place := position(after, str):
        query = query.where(CollectionRow.name > place[0])
    rows = session.execute(query).all()
    data = tuple(_collection(*row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(data[-1].name) if has_more else None)


def set_dense_weight(session: Session, index: IndexId, weight: float) -> None:
    if not 0 <= weight <= 1:
        raise InvalidRequest(f"a weight is a share from 0 to 1, not {weight:g}")
    mine = IndexVersionRow.id == number_of(index)
    session.execute(update(IndexVersionRow).where(mine).values(dense_weight=weight))


def count_documents(
    session: Session, id: CollectionId, *, documents: int = 0, chunks: int = 0
) -> None:
    """Adds to the collection's counters, in the transaction that changes what they count."""
    key = {"collection": id, "more_documents": documents, "more_chunks": chunks}
    session.connection().execute(_COUNTED, key)


_COUNTED = (
    update(CollectionRow)
    .where(CollectionRow.id == bindparam("collection"))
    .values(
        documents=CollectionRow.documents + bindparam("more_documents"),
        chunks=CollectionRow.chunks + bindparam("more_chunks"),
    )
)


def count_all(session: Session) -> tuple[int, int]:
    """Documents and chunks of all collections."""
    documents, chunks = session.execute(
        select(func.sum(CollectionRow.documents), func.sum(CollectionRow.chunks))
    ).one()
    return documents or 0, chunks or 0


def remove_collection(session: Session, id: CollectionId) -> None:
    """Removes the rows of a collection whose documents are already gone."""
    versions = select(IndexVersionRow.id).where(IndexVersionRow.collection_id == id)
    session.execute(delete(OperationRow).where(OperationRow.index_version_id.in_(versions)))
    session.execute(delete(GenerationRow).where(GenerationRow.index_version_id.in_(versions)))
    session.execute(delete(IndexVersionRow).where(IndexVersionRow.collection_id == id))
    session.execute(delete(ItemRow).where(ItemRow.collection_id == id))
    session.execute(delete(JobRow).where(JobRow.collection_id == id))
    session.execute(delete(CollectionRow).where(CollectionRow.id == id))


def _seen() -> Select[CollectionRow, IndexVersionRow]:
    return select(CollectionRow, IndexVersionRow).join(
        IndexVersionRow,
        (IndexVersionRow.collection_id == CollectionRow.id) & ~IndexVersionRow.is_dropped,
    )


def _collection(stored: CollectionRow, version: IndexVersionRow) -> Collection:
    return Collection(
        id=CollectionId(stored.id),
        name=stored.name,
        embedding_model=version.model,
        dimension=version.dimension,
        chunk_tokens=version.chunk_tokens,
        dense_weight=version.dense_weight,
        documents=stored.documents,
        chunks=stored.chunks,
        created_at=stored.created_at,
        index=index_id(version.id),
    )


def _existing(session: Session, wanted: str) -> str:
    """The names that there are, the most like the wanted one first."""
    names = session.scalars(
        select(CollectionRow.name).order_by(CollectionRow.name).limit(NAMES_COMPARED)
    ).all()
    if not names:
        return "there are none yet"
    alike = get_close_matches(wanted, names, NAMES_SHOWN)
    listed = list(dict.fromkeys([*alike, *names]))[:NAMES_SHOWN]
    return f"there are: {', '.join(listed)}" + (", …" if len(names) > NAMES_SHOWN else "")
