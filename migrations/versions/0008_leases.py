"""A claim has a number that is never used again, a batch buyer leads for a while, and workers show
that they are alive. Each change of an item has a number within its job, so that whoever follows a
job asks for what came after; and an item whose document was deleted is not tried again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (
        ("item", sa.Column("claims", sa.Integer(), nullable=False, server_default="0")),
        ("item", sa.Column("change", sa.Integer(), nullable=False, server_default="0")),
        (
            "item",
            sa.Column("is_forgotten", sa.Boolean(), nullable=False, server_default=sa.false()),
        ),
        ("job", sa.Column("changes", sa.Integer(), nullable=False, server_default="0")),
    ):
        op.add_column(table, column)
    op.execute("UPDATE item SET claims = attempts")
    op.create_index(op.f("ix_item_job_id_change_id"), "item", ["job_id", "change", "id"])
    op.create_table(
        "leader",
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_leader")),
    )
    op.create_table(
        "worker",
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("pause_code", sa.String(length=64), nullable=True),
        sa.Column("pause_stage", sa.String(length=64), nullable=True),
        sa.Column("pause_message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_worker")),
    )
