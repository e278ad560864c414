"""How one part of the index is searched, and why so."""

from msgspec import Struct

from rag.domain import Vectors
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.parts import Block
from rag.storage.dense.scanning import NOTHING, Near, scan
from rag.storage.dense.segment import Segment


class Step(Struct, frozen=True):
    """What was done with one part of the index."""

    part: str
    rows: int
    allowed: int
    way: str
    reason: str


def search_part(
    part: Segment | Block, query: Vectors, k: int, allowed: Allowed | None
) -> tuple[Near, Step]:
    """The `k` nearest rows of a part that are live and allowed."""
    projection = allowed.within(part) if allowed is not None else None
    count = len(part) if projection is None else len(projection.positions)
    if not count:
        return NOTHING, Step(part.name, len(part), 0, "none", "nothing here is allowed")
    bitmap = None if projection is None else projection.bitmap
    if part.tombstones.count:
        bitmap = part.tombstones.live if bitmap is None else bitmap & part.tombstones.live
    rows = part.rows.all()
    return scan(rows, query, k, bitmap), Step(part.name, len(part), count, "scan", "few rows")
