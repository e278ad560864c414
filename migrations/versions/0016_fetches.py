"""Items whose bytes are still to be fetched: from where, and how often that failed for now."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("item", sa.Column("fetch", sa.Text(), nullable=True))
    op.add_column("item", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    is_fetched = sa.text('"fetch" IS NOT NULL')
    op.create_index(
        "ix_item_fetch",
        "item",
        ["finished_at", "id"],
        sqlite_where=is_fetched,
        postgresql_where=is_fetched,
    )
