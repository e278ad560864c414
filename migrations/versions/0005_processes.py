"""Several processes may serve one library on PostgreSQL: what each claims, calls and builds says
whose it is, and original bytes are kept where all of them reach them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("item", sa.Column("node", sa.String(length=64), nullable=True))
    op.add_column("ledger", sa.Column("node", sa.String(length=64), nullable=True))
    op.add_column(
        "generation",
        sa.Column("node", sa.String(length=64), nullable=False, server_default="owner"),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "blob_part",
        sa.Column("sha256", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_blob_part_sha256")),
        sa.PrimaryKeyConstraint("sha256", "number", name=op.f("pk_blob_part")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # what is kept there does not shrink: trying to costs more than writing it
        for table, column in (("blob_part", "content"), ("embedding", "vector")):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
