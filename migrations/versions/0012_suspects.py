"""Items that were in hand when a worker died are found without a look at all that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    was_begun = sa.text("attempts > 0")
    op.create_index(
        "ix_item_suspect",
        "item",
        ["finished_at", "attempts"],
        sqlite_where=was_begun,
        postgresql_where=was_begun,
    )
