"""Index versions: the ways in which a collection is cut and embedded.

One of them serves. All are kept up: what is published goes into each in one transaction, what is
deleted leaves each. Only so is another one right at the moment it is made to serve, and the former
at the moment of going back.
"""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from rag.domain import CollectionId, IndexId, IndexSummary
from rag.errors import IndexGone, NotFound
from rag.storage.tables import ChunkRow, CollectionRow, DocumentRow, IndexVersionRow

_PREFIX = "idx_"


class IndexVersion(Struct, frozen=True):
    """One (embedding model, dimension, dtype, chunker, chunk size) of a collection."""

    id: int
    collection_id: CollectionId
    model: str | None
    dimension: int | None
    dtype: str
    chunker: str
    chunk_tokens: int
    dense_weight: float
    serves: bool
    created_at: str

    @property
    def index(self) -> IndexId:
        """What it is called outside."""
        return index_id(self.id)


def index_id(number: int) -> IndexId:
    return IndexId(f"{_PREFIX}{number}")


def number_of(index: IndexId) -> int:
    """
    Raises:
        IndexGone: no index was ever called so.
    """
    digits = index.removeprefix(_PREFIX)
    if not digits.isdecimal() or len(digits) > 18 or index_id(int(digits)) != index:
        raise IndexGone("there is no such index")
    return int(digits)


def find_version(session: Session, index: IndexId) -> IndexVersion:
    """
    Raises:
        IndexGone: it was dropped, or its collection was deleted.
    """
    row = session.execute(_BY_ID, {"id": number_of(index)}).mappings().first()
    if row is None:
        raise IndexGone("there is no such index: it was dropped, or its collection was deleted")
    return _version(row)


def serving_version(session: Session, id: CollectionId) -> IndexVersion:
    """
    Raises:
        NotFound: the collection was deleted.
    """
    return maintained_versions(session, id)[0]


def maintained_versions(session: Session, id: CollectionId) -> tuple[IndexVersion, ...]:
    """All of a collection: the one that serves first, then by age.

    Raises:
        NotFound: the collection was deleted.
    """
    rows = session.connection().execute(_OF_COLLECTION, {"id": id}).mappings().all()
    if not rows:
        raise NotFound("the collection was deleted")
    return tuple(_version(row) for row in rows)


def all_versions(session: Session) -> tuple[IndexVersion, ...]:
    """Of all collections."""
    rows = session.execute(_versions().order_by(IndexVersionRow.id)).mappings()
    return tuple(_version(row) for row in rows)


def summary_of(session: Session, version: IndexVersion) -> IndexSummary:
    """What there is of it now, counted."""
    name, total = session.execute(
        select(CollectionRow.name, CollectionRow.documents).where(
            CollectionRow.id == version.collection_id
        )
    ).one()
    lacking = count_lacking(session, version)
    return IndexSummary(
        id=version.index,
        collection=name,
        embedding_model=version.model,
        dimension=version.dimension,
        chunk_tokens=version.chunk_tokens,
        chunker=version.chunker,
        state="building" if lacking else "ready",
        serves=version.serves,
        documents=total - lacking,
        documents_total=total,
        chunks=count_chunks(session, version),
        dense_weight=version.dense_weight,
        created_at=version.created_at,
    )


def count_lacking(session: Session, version: IndexVersion) -> int:
    """Documents that are to be found through the index that serves, and not through this one."""
    if version.serves:
        return 0
    return session.scalar(select(func.count()).where(_is_lacking(session, version))) or 0


def lacking_documents(session: Session, version: IndexVersion) -> ColumnElement[bool]:
    """Holds for a row of `DocumentRow` that such a document is."""
    return _is_lacking(session, version)


def count_chunks(session: Session, version: IndexVersion) -> int:
    live = (ChunkRow.index_version_id == version.id) & ChunkRow.live
    return session.scalar(select(func.count()).select_from(ChunkRow).where(live)) or 0


def models_in_use(session: Session) -> Sequence[str]:
    rows = session.scalars(
        select(IndexVersionRow.model)
        .where(~IndexVersionRow.is_dropped, IndexVersionRow.model.is_not(None))
        .distinct()
    )
    return [model for model in rows if model is not None]


def _is_lacking(session: Session, version: IndexVersion) -> ColumnElement[bool]:
    served, own = aliased(ChunkRow), aliased(ChunkRow)
    serving = serving_version(session, version.collection_id)
    return (
        (DocumentRow.collection_id == version.collection_id)
        & exists().where(
            served.document_id == DocumentRow.id,
            served.live,
            served.index_version_id == serving.id,
        )
        & ~exists().where(
            own.document_id == DocumentRow.id, own.live, own.index_version_id == version.id
        )
    )


def _version(row: RowMapping) -> IndexVersion:
    return IndexVersion(**row)


def _versions() -> Select[int, str, str | None, int | None, str, str, int, float, bool, str]:
    return select(
        IndexVersionRow.id,
        IndexVersionRow.collection_id,
        IndexVersionRow.model,
        IndexVersionRow.dimension,
        IndexVersionRow.dtype,
        IndexVersionRow.chunker,
        IndexVersionRow.chunk_tokens,
        IndexVersionRow.dense_weight,
        IndexVersionRow.serves,
        IndexVersionRow.created_at,
    ).where(~IndexVersionRow.is_dropped)


# Statements used by every search are built once: building one costs more than running it.
_BY_ID = _versions().where(IndexVersionRow.id == bindparam("id"))
_OF_COLLECTION = (
    _versions()
    .where(IndexVersionRow.collection_id == bindparam("id"))
    .order_by(IndexVersionRow.serves.desc(), IndexVersionRow.id)
)
