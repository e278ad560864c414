"""The whole library: collections, documents and their versions, chunks and embeddings, the log
of operations that derived indexes follow, jobs, answers, caches and the ledger.

The first step: everything later starts from here.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite counts up only columns declared INTEGER, which hold 64 bits there all the same."""


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("chunk_tokens", sa.Integer(), nullable=False),
        sa.Column("dense_weight", sa.Double(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sa.UniqueConstraint("name", name=op.f("uq_collection_name")),
    )
    op.create_table(
        "embedding",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.String(length=16), nullable=False),
        sa.Column("input_type", sa.String(length=16), nullable=False),
        sa.Column("text_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding")),
        sa.UniqueConstraint(
            "text_sha256",
            "model",
            "dimension",
            "dtype",
            "input_type",
            name=op.f("uq_embedding_text_sha256_model_dimension_dtype_input_type"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("nanodollars", sa.BigInteger(), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "reading",
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "fingerprint", name=op.f("pk_reading")),
    )
    op.create_table(
        "answer_document",
        sa.Column("answer_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answer.id"], name=op.f("fk_answer_document_answer_id")
        ),
        sa.PrimaryKeyConstraint("answer_id", "document_id", name=op.f("pk_answer_document")),
    )
    op.create_index(
        op.f("ix_answer_document_document_id"), "answer_document", ["document_id"], unique=False
    )
    op.create_table(
        "citation",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("answer_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_citation_answer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
    )
    op.create_index(op.f("ix_citation_answer_id"), "citation", ["answer_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_document_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("collection_id", "key", name=op.f("uq_document_collection_id_key")),
    )
    op.create_table(
        "index_version",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("dimension", sa.Integer(), nullable=True),
        sa.Column("dtype", sa.String(length=16), nullable=False),
        sa.Column("chunker", sa.String(length=100), nullable=False),
        sa.Column("serves", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_index_version_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_version")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_index_version_serving",
        "index_version",
        ["collection_id"],
        unique=True,
        sqlite_where=sa.text("serves"),
        postgresql_where=sa.text("serves"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_job_collection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_collection_id"), "job", ["collection_id"], unique=False)
    op.create_index(op.f("ix_job_created_at_id"), "job", ["created_at", "id"], unique=False)
    op.create_table(
        "generation",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("index_version_id", COUNTER, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["index_version_id"], ["index_version.id"], name=op.f("fk_generation_index_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_generation_index_version_id_kind"),
        "generation",
        ["index_version_id", "kind"],
        unique=False,
    )
    op.create_table(
        "item",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("document_id", sa.String(length=64), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_stage", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("pages_ocred", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_item_collection_id")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_item_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_item_collection_id_key"), "item", ["collection_id", "key"], unique=False
    )
    op.create_index(op.f("ix_item_finished_at_id"), "item", ["finished_at", "id"], unique=False)
    op.create_index(
        op.f("ix_item_job_id_finished_at"), "item", ["job_id", "finished_at"], unique=False
    )
    op.create_index(op.f("ix_item_job_id_id"), "item", ["job_id", "id"], unique=False)
    op.create_index(op.f("ix_item_sha256"), "item", ["sha256"], unique=False)
    op.create_table(
        "operation",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        sa.Column("index_version_id", COUNTER, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("chunk", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["index_version_id"], ["index_version.id"], name=op.f("fk_operation_index_version_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_operation")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_operation_index_version_id_seq"),
        "operation",
        ["index_version_id", "seq"],
        unique=False,
    )
    op.create_table(
        "version",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("pages_ocred", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_version_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("document_id", "sha256", name=op.f("uq_version_document_id_sha256")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_version_sha256"), "version", ["sha256"], unique=False)
    op.create_index(
        "uq_version_current",
        "version",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("state = 'current'"),
        postgresql_where=sa.text("state = 'current'"),
    )
    op.create_table(
        "chunk",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("chunk_id", sa.String(length=64), nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("version_id", COUNTER, nullable=False),
        sa.Column("index_version_id", COUNTER, nullable=False),
        sa.Column("embedding_id", COUNTER, nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("heading_path", sa.JSON(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("pages", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_chunk_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["embedding_id"], ["embedding.id"], name=op.f("fk_chunk_embedding_id")
        ),
        sa.ForeignKeyConstraint(
            ["index_version_id"], ["index_version.id"], name=op.f("fk_chunk_index_version_id")
        ),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk_chunk_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunk")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_chunk_document_id_live"), "chunk", ["document_id", "live"], unique=False
    )
    op.create_index(op.f("ix_chunk_embedding_id"), "chunk", ["embedding_id"], unique=False)
    op.create_index(
        op.f("ix_chunk_index_version_id_live"), "chunk", ["index_version_id", "live"], unique=False
    )
    op.create_index(op.f("ix_chunk_version_id"), "chunk", ["version_id"], unique=False)
    op.create_index(
        "uq_chunk_live",
        "chunk",
        ["chunk_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
