"""Filters look for attributes in rows of their own; a segment of the dense index knows its first
operation. Segments are derived: those there are go, and are built anew.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HEAD = 100  # characters of a text that are indexed
BY_CODE_POINT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.execute("DELETE FROM generation")
    with op.batch_alter_table("generation", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("first", sa.BigInteger(), nullable=False))
    attribute = op.create_table(
        "attribute",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("key", sa.String(length=200)),
        sa.Column("place", sa.Integer()),
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("text", BY_CODE_POINT),
        sa.Column("head", BY_CODE_POINT),
        sa.Column("whole", sa.BigInteger()),
        sa.Column("number", sa.Double()),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_attribute_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "key", "place", name=op.f("pk_attribute")),
    )
    for column in ("head", "whole", "number"):
        name = op.f(f"ix_attribute_collection_id_key_{column}")
        op.create_index(name, "attribute", ["collection_id", "key", column])
    connection = op.get_bind()
    versions = connection.execute(
        sa.text(
            "SELECT version.id, document.collection_id, version.attributes FROM version"
            " JOIN document ON document.id = version.document_id WHERE version.state = 'current'"
        )
    )
    for id, collection, attributes in versions.all():
        given = json.loads(attributes) if isinstance(attributes, str) else attributes
        rows = [{"version_id": id, "collection_id": collection, **row} for row in _rows(given)]
        if rows:
            connection.execute(attribute.insert(), rows)


def _rows(attributes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in attributes.items():
        if isinstance(value, list):
            yield _row(key, 0, "list")
            for place, element in enumerate(value, start=1):
                yield _row(key, place, "element", text=element)
        elif isinstance(value, bool):
            yield _row(key, 0, "flag", whole=int(value))
        elif isinstance(value, int):
            yield _row(key, 0, "number", whole=value)
        elif isinstance(value, float):
            yield _row(key, 0, "number", number=value)
        elif isinstance(value, str):
            yield _row(key, 0, "text", text=value)


def _row(key: str, place: int, kind: str, **values: Any) -> dict[str, Any]:
    text = values.get("text")
    empty = {"text": None, "head": None, "whole": None, "number": None}
    head = None if text is None else text[:HEAD]
    return {"key": key, "place": place, "kind": kind, **empty, **values, "head": head}
