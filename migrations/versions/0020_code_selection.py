"""What somebody wants in or out of a repository's index, against the rules."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("code_repository", sa.Column("selection", sa.Text(), nullable=True))
