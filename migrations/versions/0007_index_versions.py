"""Several index versions of a collection may exist side by side: each has its own size of chunks
and its own weight, a span of text is a chunk of each, and a job may build one of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("chunk_tokens", sa.Integer(), nullable=False, server_default="256"),
        sa.Column("dense_weight", sa.Double(), nullable=False, server_default="0.5"),
    ):
        op.add_column("index_version", column)
    op.execute(
        "UPDATE index_version SET (chunk_tokens, dense_weight) ="
        " (SELECT collection.chunk_tokens, collection.dense_weight FROM collection"
        " WHERE collection.id = index_version.collection_id)"
    )
    op.execute("ALTER TABLE collection DROP COLUMN chunk_tokens")
    op.execute("ALTER TABLE collection DROP COLUMN dense_weight")
    op.add_column(
        "index_version",
        sa.Column("is_dropped", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.drop_index("uq_chunk_live", table_name="chunk")
    op.create_index(
        "uq_chunk_live",
        "chunk",
        ["chunk_id", "index_version_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.drop_index(op.f("ix_chunk_document_id_live"), table_name="chunk")
    op.create_index(
        op.f("ix_chunk_document_id_live_index_version_id"),
        "chunk",
        ["document_id", "live", "index_version_id"],
    )
    for table in ("job", "item"):
        op.add_column(table, sa.Column("index_version_id", COUNTER, nullable=True))
    op.create_index(
        op.f("ix_item_finished_at_index_version_id_id"),
        "item",
        ["finished_at", "index_version_id", "id"],
    )
