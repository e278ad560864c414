"""What people said of answers: it is kept with the answer, and goes with it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("answer_id", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name="fk_feedback_answer_id"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_feedback"),
    )
