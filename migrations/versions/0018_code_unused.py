"""Since when a file of a repository is in none of its states, so that it can be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("code_file", sa.Column("unused_since", sa.String(32), nullable=True))
