"""Vectors of code, kept by the exact text they were made from."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "code_embedding",
        sa.Column("text_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("text_sha256", "model", name=op.f("pk_code_embedding")),
    )
    op.create_table(
        "code_cards",
        sa.Column("content_id", COUNTER, nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["code_content.id"], name=op.f("fk_code_cards_content_id_code_content")
        ),
        sa.PrimaryKeyConstraint("content_id", "model", name=op.f("pk_code_cards")),
    )
    op.create_table(
        "code_weight",
        sa.Column("repository_id", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["code_repository.id"],
            name=op.f("fk_code_weight_repository_id_code_repository"),
        ),
        sa.PrimaryKeyConstraint("repository_id", "model", name=op.f("pk_code_weight")),
    )
