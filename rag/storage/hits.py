"""From the numbers that the indexes return to hits: the last gate that a search result passes."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from rag.domain import ChunkId, CollectionId, DocumentId, Hit, Ranked
from rag.storage.batches import batches
from rag.storage.engines.looking import Look, Prepared, Values
from rag.storage.tables import ChunkRow, DocumentRow, VersionRow
from rag.storage.texts import Texts

_NAMES = Prepared(
    select(ChunkRow.id, ChunkRow.chunk_id, ChunkRow.index_version_id).where(
        ChunkRow.id.in_(bindparam("ids", expanding=True))
    ),
    listed="ids",
)
_HITS = Prepared(
    select(
        ChunkRow.chunk_id,
        ChunkRow.document_id,
        DocumentRow.collection_id,
        DocumentRow.key,
        VersionRow.title,
        ChunkRow.start,
        ChunkRow.end,
        ChunkRow.pages,
        ChunkRow.lines,
        ChunkRow.heading_path,
        VersionRow.id,
        VersionRow.revision,
    )
    .join(VersionRow, VersionRow.id == ChunkRow.version_id)
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .where(
        ChunkRow.id.in_(bindparam("ids", expanding=True)),
        ChunkRow.live,
        VersionRow.state == "current",
    ),
    listed="ids",
)

NAMES_KEPT = 100_000  # some 15 MB


class ChunkNames:
    """Ids of an index version's chunks by their numbers, the recently used kept in memory: a
    number never stands for another chunk."""

    def __init__(self, index_version: int) -> None:
        self._index_version = index_version
        self._kept: dict[int, ChunkId] = {}

    def of(self, look: Look, numbers: Sequence[int]) -> dict[int, ChunkId]:
        """Those of the chunks that the database knows as this index version's, live or not.

        What they belong to is compared here, not in SQL: there it would tempt SQLite to start
        from everything that belongs instead of from the few chunks asked for.
        """
        kept = self._kept
        missing = [number for number in numbers if number not in kept]
        read = {
            id: ChunkId(chunk_id)
            for some in batches(missing)
            for id, chunk_id, owner in look.rows(_NAMES, ids=some)
            if owner == self._index_version
        }
        found = {n: kept[n] if n in kept else read[n] for n in numbers if n in kept or n in read}
        if len(kept) + len(read) > NAMES_KEPT:
            self._kept = read
        else:
            kept.update(read)
        return found


def live_hits(
    look: Look,
    collection_id: CollectionId,
    ranked: Sequence[Ranked],
    names: Mapping[int, ChunkId],
    texts: Texts,
) -> list[Hit]:
    """Hits for those of the chunks that are current now, in this collection, in the order given.

    Args:
        names: their ids by their numbers, by which they are found at once.
    """
    wanted = {each.chunk_id for each in ranked}
    ids = [id for id, chunk_id in names.items() if chunk_id in wanted]
    rows = {
        row[0]: row
        for some in batches(ids)
        for row in look.rows(_HITS, ids=some)
        if row[2] == collection_id
    }
    found = texts.at(look, {(row[-2], row[-1]) for row in rows.values()})
    return [_hit(each, rows[each.chunk_id], found) for each in ranked if each.chunk_id in rows]


def _hit(ranked: Ranked, row: Values, texts: Mapping[int, str]) -> Hit:
    _, document, _, key, title, start, end, pages, lines, heading_path, version, _ = row
    return Hit(
        chunk_id=ranked.chunk_id,
        document_id=DocumentId(document),
        key=key,
        title=title,
        score=ranked.score,
        found_by=ranked.found_by,
        text=texts[version][start:end],
        start=start,
        end=end,
        pages=tuple(pages),
        lines=(lines[0], lines[1]) if lines else None,
        heading_path=tuple(heading_path),
    )
