"""Whether a repository's vectors are wanted, and who computes them at the moment.

Of those that are there already it is not known, and vectors may cost money: theirs are wanted once
they are indexed again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "code_repository",
        sa.Column("embeds", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("code_repository", sa.Column("embedded_until", sa.String(32), nullable=True))
