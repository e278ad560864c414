"""Items know what they were worth, and what of that was not paid because it was known. What
earlier items were worth nobody wrote down: they say 0.

The ledger is asked for what was paid for one document of a job.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("pages", "tokens"):
        _add_counter(f"worth_{column}", sa.Integer())
        _add_counter(f"saved_{column}", sa.Integer())
    _add_counter("worth_nanodollars", sa.BigInteger())
    _add_counter("saved_nanodollars", sa.BigInteger())
    op.drop_index(op.f("ix_ledger_job_id"), "ledger")
    op.create_index(
        op.f("ix_ledger_job_id_document_key"), "ledger", ["job_id", "document_key"], unique=False
    )


def _add_counter(name: str, type_: sa.types.TypeEngine[int]) -> None:
    op.add_column("item", sa.Column(name, type_, nullable=False, server_default="0"))
