"""Repositories of code: contents kept once, and the states that are made of them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "code_repository",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_repository")),
        sa.UniqueConstraint("name", name=op.f("uq_code_repository_name")),
    )
    op.create_table(
        "code_content",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("oid", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=32), nullable=False),
        sa.Column("chunker", sa.String(length=32), nullable=False),
        sa.Column("unwanted", sa.String(length=100), nullable=True),
        sa.Column("generated", sa.Boolean(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_content")),
        sa.UniqueConstraint(
            "oid", "language", "chunker", name=op.f("uq_code_content_oid_language_chunker")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "code_file",
        sa.Column("id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("repository_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_id", COUNTER, nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["code_repository.id"],
            name=op.f("fk_code_file_repository_id_code_repository"),
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["code_content.id"], name=op.f("fk_code_file_content_id_code_content")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_file")),
        sa.UniqueConstraint(
            "repository_id",
            "path",
            "content_id",
            name=op.f("uq_code_file_repository_id_path_content_id"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_code_file_content_id"), "code_file", ["content_id"])
    op.create_table(
        "code_snapshot",
        sa.Column("repository_id", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.String(length=300), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("indexed_at", sa.String(length=32), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("indexed", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.Column("left_out", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["code_repository.id"],
            name=op.f("fk_code_snapshot_repository_id_code_repository"),
        ),
        sa.PrimaryKeyConstraint("repository_id", "ref", name=op.f("pk_code_snapshot")),
    )
