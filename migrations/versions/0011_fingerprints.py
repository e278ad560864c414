"""Which reader made a version's text: what one reader made is not another's to use."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("version", sa.Column("fingerprint", sa.String(length=300), nullable=True))
