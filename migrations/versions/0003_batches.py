"""Jobs have a lane. What the batch lane has under way is known from before the provider hears of
it, so that nothing is bought twice when a process dies, and no open call counts as lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "job", sa.Column("lane", sa.String(length=16), nullable=False, server_default="direct")
    )
    op.add_column("item", sa.Column("ahead", sa.String(length=16), nullable=True))
    _index_where("ix_item_ahead", "item", ["job_id", "ahead"], "ahead IS NOT NULL")
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.String(length=100), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    _index_where("ix_batch_open", "batch", ["state"], "ended_at IS NULL")
    op.create_table(
        "batch_request",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("intent_id", COUNTER, nullable=False),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("document_key", sa.Text(), nullable=False),
        sa.Column("memo", sa.LargeBinary(), nullable=False),
        sa.Column("texts", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_request_batch_id")),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["ledger.id"], name=op.f("fk_batch_request_intent_id")
        ),
        sa.PrimaryKeyConstraint("batch_id", "name", name=op.f("pk_batch_request")),
    )
    _index("batch_request", "collection_id", "document_key")
    _index("batch_request", "intent_id")
    op.create_table(
        "batch_purchase",
        sa.Column("what", sa.LargeBinary(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id", "name"],
            ["batch_request.batch_id", "batch_request.name"],
            name=op.f("fk_batch_purchase_batch_id_name"),
        ),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_batch_purchase")),
    )
    _index("batch_purchase", "batch_id", "name")
    op.create_table(
        "batch_wait",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", COUNTER, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_wait_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "item_id", name=op.f("pk_batch_wait")),
    )
    _index("batch_wait", "item_id")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
