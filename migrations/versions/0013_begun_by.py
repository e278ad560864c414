"""An index that was begun by a job, and has never served, goes when that job is cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("index_version", sa.Column("begun_by", sa.String(length=64), nullable=True))
