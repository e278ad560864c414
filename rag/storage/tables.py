"""The schema. SQL is the truth: whatever else is kept can be built again from these rows.

Ids are made by us, except the integers that order things (versions, chunks, operations), which
the database counts up and never uses twice. Times are RFC 3339 strings in UTC of one width, so
that they sort as text.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Counter = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only columns declared INTEGER, which hold 64 bits there all the same."""

NEVER_REUSED = {"sqlite_autoincrement": True}


class Row(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[int]: JSON,
    }


class MetaRow(Row):
    """Facts about the library itself, such as its id."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class CollectionRow(Row):
    __tablename__ = "collection"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    documents: Mapped[int] = mapped_column(default=0)
    """Counted up and down by the transactions that publish and delete; so is `chunks`, of the
    index version that serves."""
    chunks: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[str] = mapped_column(String(32))


class IndexVersionRow(Row):
    """One way of cutting and embedding a collection; exactly one serves, and all are kept up."""

    __tablename__ = "index_version"
    __table_args__ = (
        Index(
            "uq_index_version_serving",
            "collection_id",
            unique=True,
            sqlite_where=text("serves"),
            postgresql_where=text("serves"),
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collection.id"))
    model: Mapped[str | None] = mapped_column(String(200))
    dimension: Mapped[int | None]
    dtype: Mapped[str] = mapped_column(String(16))
    chunker: Mapped[str] = mapped_column(String(100))
    chunk_tokens: Mapped[int]
    dense_weight: Mapped[float]
    serves: Mapped[bool]
    is_dropped: Mapped[bool] = mapped_column(default=False)
    """It is an index version no more, and its rows are being removed."""
    begun_by: Mapped[str | None] = mapped_column(String(64))
    """The job that builds it, and with which it is called off; None where it has served."""
    created_at: Mapped[str] = mapped_column(String(32))


class DocumentRow(Row):
    __tablename__ = "document"
    __table_args__ = (UniqueConstraint("collection_id", "key"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collection.id"))
    key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(32))
    updated_at: Mapped[str] = mapped_column(String(32))


class VersionRow(Row):
    """One content of a document, known by its bytes; at most one per document is current."""

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("document_id", "sha256"),
        Index(
            "uq_version_current",
            "document_id",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
        Index(None, "sha256"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("document.id"))
    sha256: Mapped[str] = mapped_column(String(80))
    """`sha256:` and hex, as everywhere else."""
    state: Mapped[str] = mapped_column(String(16))
    """`current` or `superseded`."""
    revision: Mapped[int]
    """Counts how often these bytes were read anew; (id, revision) names one text for ever."""
    title: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""
    characters: Mapped[int]
    pages: Mapped[int]
    pages_ocred: Mapped[int]
    chunks: Mapped[int]
    attributes: Mapped[dict[str, Any]]
    created_at: Mapped[str] = mapped_column(String(32))
    fingerprint: Mapped[str | None] = mapped_column(String(300))
    """Of the reader that made the text; None where that was not noted."""
    # the long columns come last, so that reading the others does not walk over them
    text: Mapped[str] = mapped_column(Text, deferred=True)
    layout: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """MessagePack of the blocks and pages."""


class EmbeddingRow(Row):
    """A vector by all that decides it: truth for the dense index, and the cache that makes sure
    that no text is embedded twice."""

    __tablename__ = "embedding"
    __table_args__ = (
        UniqueConstraint("text_sha256", "model", "dimension", "dtype", "input_type"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    model: Mapped[str] = mapped_column(String(200))
    dimension: Mapped[int]
    dtype: Mapped[str] = mapped_column(String(16))
    input_type: Mapped[str] = mapped_column(String(16))
    text_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian float32."""
    crc32: Mapped[int] = mapped_column(BigInteger)
    """Of `vector`, compared whenever it is read."""


class ChunkRow(Row):
    """A span of a version's text. Its text is not stored again: it is cut from there.

    A chunk of a replaced version stays, with `live` false, until its document is deleted: it
    says which embeddings are the document's.
    """

    __tablename__ = "chunk"
    __table_args__ = (
        Index(
            "uq_chunk_live",
            "chunk_id",
            "index_version_id",
            unique=True,
            sqlite_where=text("live"),
            postgresql_where=text("live"),
        ),
        Index(None, "document_id", "live", "index_version_id"),
        Index(None, "index_version_id", "live"),
        Index(None, "version_id"),
        Index(None, "embedding_id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    """What the derived indexes know it by; never used again for another chunk."""
    chunk_id: Mapped[str] = mapped_column(String(64))
    """Of the span: the same in every index version that has it."""
    document_id: Mapped[str] = mapped_column(ForeignKey("document.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"))
    index_version_id: Mapped[int] = mapped_column(ForeignKey("index_version.id"))
    embedding_id: Mapped[int | None] = mapped_column(ForeignKey("embedding.id"))
    live: Mapped[bool]
    start: Mapped[int]
    end: Mapped[int]
    tokens: Mapped[int]
    heading_path: Mapped[list[str]]
    context: Mapped[str] = mapped_column(Text)
    pages: Mapped[list[int]]
    lines: Mapped[list[int] | None]


class OperationRow(Row):
    """What happened to the chunks of an index version, in order: derived indexes follow it."""

    __tablename__ = "operation"
    __table_args__ = (Index(None, "index_version_id", "seq"), NEVER_REUSED)

    seq: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    index_version_id: Mapped[int] = mapped_column(ForeignKey("index_version.id"))
    kind: Mapped[str] = mapped_column(String(8))
    """`put` or `delete`."""
    chunk: Mapped[int] = mapped_column(BigInteger)
    """`chunk.id`; no foreign key, for it outlives the chunk."""


class GenerationRow(Row):
    """One immutable file of a derived index."""

    __tablename__ = "generation"
    __table_args__ = (Index(None, "index_version_id", "kind"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    index_version_id: Mapped[int] = mapped_column(ForeignKey("index_version.id"))
    kind: Mapped[str] = mapped_column(String(8))
    file: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""
    rows: Mapped[int]
    first: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    """It holds what these operations and those between them put."""
    node: Mapped[str] = mapped_column(String(64))
    """Whose file it is."""
    created_at: Mapped[str] = mapped_column(String(32))


class ReadingRow(Row):
    """What a reader made of some bytes: a document, or the reason why there is none."""

    __tablename__ = "reading"

    sha256: Mapped[str] = mapped_column(String(80), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(300), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`document`, `failure` or `reply`; `survey` and `passing` go with the item they are for."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """Compressed MessagePack."""


class BlobRow(Row):
    """Original bytes, where every process of a library must reach them; a library on SQLite keeps
    them in a folder."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(String(80), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    """In bytes."""


class RemovalRow(Row):
    """Original bytes to be removed, unless somebody has them again."""

    __tablename__ = "removal"

    sha256: Mapped[str] = mapped_column(String(80), primary_key=True)


class BlobPartRow(Row):
    __tablename__ = "blob_part"

    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 0."""
    content: Mapped[bytes] = mapped_column(LargeBinary)


class JobRow(Row):
    __tablename__ = "job"
    __table_args__ = (Index(None, "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collection.id"), index=True)
    lane: Mapped[str] = mapped_column(String(16), default="direct")
    index_version_id: Mapped[int | None] = mapped_column(Counter)
    """What it builds; None where it ingests. No foreign key: it outlives the index version."""
    changes: Mapped[int] = mapped_column(default=0)
    """Counts the changes of its items."""
    created_at: Mapped[str] = mapped_column(String(32))
    finished_at: Mapped[str | None] = mapped_column(String(32))


class ItemRow(Row):
    __tablename__ = "item"
    __table_args__ = (
        Index(None, "job_id", "id"),
        Index(None, "job_id", "change", "id"),
        Index(None, "job_id", "finished_at"),
        Index(None, "finished_at", "id"),
        Index(None, "finished_at", "index_version_id", "id"),
        Index(None, "collection_id", "key"),
        Index(None, "sha256"),
        Index(
            "ix_item_fetch",
            "finished_at",
            "id",
            sqlite_where=text('"fetch" IS NOT NULL'),
            postgresql_where=text('"fetch" IS NOT NULL'),
        ),
        Index(
            "ix_item_suspect",
            "finished_at",
            "attempts",
            sqlite_where=text("attempts > 0"),
            postgresql_where=text("attempts > 0"),
        ),
        Index(
            "ix_item_ahead",
            "job_id",
            "ahead",
            sqlite_where=text("ahead IS NOT NULL"),
            postgresql_where=text("ahead IS NOT NULL"),
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"))
    collection_id: Mapped[str] = mapped_column(ForeignKey("collection.id"))
    key: Mapped[str] = mapped_column(Text)
    index_version_id: Mapped[int | None] = mapped_column(Counter)
    """Its job's: what was published is cut and embedded for it; None where bytes are read."""
    sha256: Mapped[str] = mapped_column(String(80))
    media_type: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    ahead: Mapped[str | None] = mapped_column(String(16))
    """What is bought for it in a batch before a worker may have it: `read`, then `embed`; None
    when nothing is, or no more."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Counted when an attempt begins, so that one that kills the process counts too; those that
    were given back untried count no more."""
    claims: Mapped[int] = mapped_column(default=0)
    """Counts claims, and names the last: whoever had the item before can do nothing to it."""
    lease: Mapped[float] = mapped_column(default=0.0)
    """Seconds a claim lasts without a sign of life."""
    lease_until: Mapped[float | None]
    """By the clock of `leases`: so long the item belongs to whoever claimed it."""
    node: Mapped[str | None] = mapped_column(String(64))
    """Who claimed it last; a node that starts again has none of its workers left."""
    change: Mapped[int] = mapped_column(default=0)
    """Which of its job's changes was its last."""
    fetch: Mapped[str | None] = mapped_column(Text)
    """From where its bytes are still to be fetched, as `rag.fetching` writes it down; then it has
    no `sha256` yet, but an empty one. None where they are here."""
    tries: Mapped[int] = mapped_column(default=0)
    """Fetches that failed, and were to be tried again."""
    is_forgotten: Mapped[bool] = mapped_column(default=False)
    """Its document was deleted since, with all bytes that came for it: there is nothing to try."""
    document_id: Mapped[str | None] = mapped_column(String(64))
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_stage: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    pages: Mapped[int] = mapped_column(default=0)
    pages_ocred: Mapped[int] = mapped_column(default=0)
    chunks: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    worth_pages: Mapped[int] = mapped_column(default=0)
    worth_tokens: Mapped[int] = mapped_column(default=0)
    worth_nanodollars: Mapped[int] = mapped_column(BigInteger, default=0)
    """What a provider would have been paid for all of it, had nothing been known."""
    saved_pages: Mapped[int] = mapped_column(default=0)
    saved_tokens: Mapped[int] = mapped_column(default=0)
    saved_nanodollars: Mapped[int] = mapped_column(BigInteger, default=0)
    """What of that was not paid."""
    finished_at: Mapped[str | None] = mapped_column(String(32))


class WebhookRow(Row):
    """Whom to tell when a job has ended."""

    __tablename__ = "webhook"

    job_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """No foreign key: a job goes with its collection, and then nobody is told."""
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    """As `DeliveryState`."""
    attempts: Mapped[int]
    due_at: Mapped[str | None] = mapped_column(String(32), index=True)
    """When it is sent, for the first time or again."""
    said: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed."""


class LeaderRow(Row):
    """Who alone does what only one process may do."""

    __tablename__ = "leader"

    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    node: Mapped[str] = mapped_column(String(64))
    until: Mapped[float]
    """By the clock of `leases`."""


class WorkerRow(Row):
    """A process that works on what is queued."""

    __tablename__ = "worker"

    node: Mapped[str] = mapped_column(String(64), primary_key=True)
    until: Mapped[float]
    """By the clock of `leases`: without a sign of life, it counts as dead from then on."""
    pause_code: Mapped[str | None] = mapped_column(String(64))
    pause_stage: Mapped[str | None] = mapped_column(String(64))
    pause_message: Mapped[str | None] = mapped_column(Text)
    """Why it begins nothing at the moment."""


class AnswerRow(Row):
    __tablename__ = "answer"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[str] = mapped_column(String(32))


class AnswerDocumentRow(Row):
    """An answer shows text of a document, or of a repository, and goes when that goes."""

    __tablename__ = "answer_document"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    """Or the repository's id."""


class CitationRow(Row):
    __tablename__ = "citation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id"), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class FeedbackRow(Row):
    """What was said last of an answer."""

    __tablename__ = "feedback"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answer.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[str] = mapped_column(String(32))


class LedgerRow(Row):
    """One paid call: under way, billed, or without a reply."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index(
            "ix_ledger_open",
            "state",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "job_id", "document_key"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    at: Mapped[str] = mapped_column(String(32), index=True)
    """When it left."""
    ended_at: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """`open`, `settled` or `lost`."""
    node: Mapped[str | None] = mapped_column(String(64))
    """Who made the call; nobody waits for its reply once that node starts again."""
    provider: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200))
    operation: Mapped[str] = mapped_column(String(32))
    lane: Mapped[str] = mapped_column(String(16))
    most_units: Mapped[int] = mapped_column(BigInteger)
    most_nanodollars: Mapped[int] = mapped_column(BigInteger)
    """The most it may cost. USD / 10^9: whole numbers add up exactly on every database."""
    input_units: Mapped[int] = mapped_column(BigInteger, default=0)
    """Pages or tokens, as the provider counts the operation; this and the next three are 0 until
    it is settled."""
    output_units: Mapped[int] = mapped_column(BigInteger, default=0)
    cached_units: Mapped[int] = mapped_column(BigInteger, default=0)
    nanodollars: Mapped[int] = mapped_column(BigInteger, default=0)
    collection_id: Mapped[str | None] = mapped_column(String(64))
    job_id: Mapped[str | None] = mapped_column(String(64))
    document_key: Mapped[str | None] = mapped_column(Text)


class BatchRow(Row):
    """Requests that a provider works on together, from before it hears of them."""

    __tablename__ = "batch"
    __table_args__ = (
        Index(
            "ix_batch_open",
            "state",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Ours; the provider is told it too, so that a batch whose creation was not heard of can be
    found there."""
    state: Mapped[str] = mapped_column(String(16))
    """`made`, `sent`, `under_way`, `cancelling`, and then how it ended."""
    provider_id: Mapped[str | None] = mapped_column(String(200))
    job_id: Mapped[str] = mapped_column(String(64))
    endpoint: Mapped[str] = mapped_column(String(100))
    model: Mapped[str] = mapped_column(String(200))
    requests: Mapped[int]
    looks: Mapped[int] = mapped_column(default=0)
    """How often the provider was asked for it; those for a creation that was not heard of start
    from 0 again."""
    created_at: Mapped[str] = mapped_column(String(32))
    ended_at: Mapped[str | None] = mapped_column(String(32))


class BatchRequestRow(Row):
    """One request of a batch that is not accounted for yet. Its paid call is open in the ledger,
    and stays so though the process dies; both end in one transaction."""

    __tablename__ = "batch_request"
    __table_args__ = (Index(None, "collection_id", "document_key"), Index(None, "intent_id"))

    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Within its batch; what comes back bears it."""
    intent_id: Mapped[int] = mapped_column(ForeignKey("ledger.id"))
    collection_id: Mapped[str] = mapped_column(String(64))
    document_key: Mapped[str] = mapped_column(Text)
    memo: Mapped[bytes] = mapped_column(LargeBinary)
    """How the reply is read and billed; no text of a document."""
    texts: Mapped[bytes | None] = mapped_column(LargeBinary)
    """What it sends of the document, as far as its purchase is kept under it. Compressed
    MessagePack; None once the document was deleted, and then the purchase is not kept."""


class BatchPurchaseRow(Row):
    """What a request of a batch under way buys: nobody else needs to."""

    __tablename__ = "batch_purchase"
    __table_args__ = (
        ForeignKeyConstraint(
            ["batch_id", "name"], ["batch_request.batch_id", "batch_request.name"]
        ),
        Index(None, "batch_id", "name"),
    )

    what: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of all that decides it."""
    batch_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))


class BatchWaitRow(Row):
    """An item waits for a batch; it may wait for several, and for one of another job."""

    __tablename__ = "batch_wait"

    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False, index=True)
    """No foreign key: items go with their collection, and the batch is then called off."""
