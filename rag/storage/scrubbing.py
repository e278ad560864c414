"""Reading again, now and then, what was believed once: disks and memory forget without being asked.

A little of every index at a time, at a low priority; no lock is held for longer than it takes to
note what an index holds, 7 ms for a million rows. `rag check` reads all of it.
"""

import logging
import os
import random
import threading
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from rag.errors import RagError
from rag.storage.checking.indexes import differing, is_undamaged
from rag.storage.database import Database, node_of
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex
from rag.storage.dense_leg import DenseLeg
from rag.storage.derived import DerivedIndexes
from rag.storage.operations import latest_operation
from rag.storage.tables import ChunkRow, MetaRow
from rag.storage.timestamps import now
from rag.storage.word_leg import WordLeg

log = logging.getLogger(__name__)

SLICE = 256 << 20
"""Bytes of an index that are read in one scrub: 0.2 s of one core, and as long as the disk takes.
At one scrub an hour, a million vectors of 1,024 numbers are read whole in eight."""
SAMPLE = 1_000
"""Vectors compared with the database: an index of which one in a thousand is wrong is found out by
two scrubs of three."""
NICENESS = 15  # of 19: whatever else there is to do goes first


class Scrubbed(Struct, frozen=True):
    """What was read again, and what was wrong."""

    at: str
    indexes: int
    vectors: int
    """Compared with the database."""
    flaws: tuple[str, ...]
    """The indexes that have one were begun anew."""


class Scrubber:
    """For one thread at a time."""

    def __init__(self, database: Database, *, seed: int | None = None) -> None:
        self._database = database
        self._random = random.Random(seed)  # noqa: S311 - it guards no secret
        self._next_block: dict[int, int] = {}
        """By index version: where the next slice begins."""

    def scrub(self, all_indexes: Sequence[DerivedIndexes]) -> Scrubbed:
        """Looks at each index, and begins those anew that are not what they should be."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)  # of this thread alone
        flaws, vectors = [], 0
        for indexes in all_indexes:
            dense = indexes.dense
            if dense is not None:
                index = dense.index
                flaw = self._flaw_of_rows(indexes, dense, index)
                vectors += min(SAMPLE, len(index))
                if flaw and index is dense.index:
                    flaws.append(f"{indexes.version.collection_id} dense: {flaw}")
                    indexes.begin_anew("dense", flaw)
            if flaw := self._flaw_of_words(indexes):
                flaws.append(f"{indexes.version.collection_id} words: {flaw}")
                indexes.begin_anew("words", flaw)
        scrubbed = Scrubbed(now(), len(all_indexes), vectors, tuple(flaws))
        log.log(
            logging.WARNING if flaws else logging.INFO,
            "indexes were read again",
            extra={"action": "scrubbed", "flaws": len(flaws), "vectors": vectors},
        )
        with self._database.write() as session:
            _keep(session, scrubbed)
        return scrubbed

    def _flaw_of_rows(
        self, indexes: DerivedIndexes, dense: DenseLeg, index: DenseIndex
    ) -> str | None:
        try:
            self._read_slice(indexes.version.id, index)
            wrong = self._compare_sample(index)
        except SegmentDamaged as damage:
            return damage.reason
        if wrong:
            return f"{wrong} of {SAMPLE} vectors are not the database's"
        return _miscount(self._database, indexes.version.id, dense)

    def _read_slice(self, version: int, index: DenseIndex) -> None:
        left = SLICE // (index.dimension * 2)  # rows
        blocks = [
            (segment, block) for segment in index.segments for block in range(segment.rows.blocks)
        ]
        begin = self._next_block.get(version, 0) % max(1, len(blocks))
        for segment, block in (blocks[begin:] + blocks[:begin])[: len(blocks)]:
            if left <= 0:
                break
            segment.rows.recheck(block)
            left -= segment.manifest.block_rows
            begin += 1
        self._next_block[version] = begin

    def _compare_sample(self, index: DenseIndex) -> int:
        """How many of some vectors are not what the database has."""
        wrong, parts = 0, index.moment()[1]
        rows = sum(len(live) for _, live in parts)
        for part, live in parts:
            share = round(SAMPLE * len(live) / rows) if rows else 0
            if share:
                chosen = np.array(self._random.sample(range(len(live)), min(share, len(live))))
                with self._database.read() as session:
                    wrong += differing(session, part, live[chosen])
        return wrong

    def _flaw_of_words(self, indexes: DerivedIndexes) -> str | None:
        """All its files at once, as seldom as their size asks for."""
        words = indexes.words
        if words.is_to_be_new:
            return None
        size = sum(path.stat().st_size for path in words.folder.glob("*") if path.is_file())
        if self._random.random() * size < SLICE and not is_undamaged(indexes):
            return "a file of it is damaged"
        return _miscount(self._database, indexes.version.id, words)


def last_scrub(session: Session) -> Scrubbed | None:
    """This node's."""
    value = session.scalar(select(MetaRow.value).where(MetaRow.key == _key(session)))
    try:
        return None if value is None else msgspec.json.decode(value, type=Scrubbed)
    except msgspec.DecodeError as error:
        raise RagError("what is known of the last scrub cannot be read") from error


def _keep(session: Session, scrubbed: Scrubbed) -> None:
    key, value = _key(session), msgspec.json.encode(scrubbed).decode()
    if session.scalar(select(MetaRow.key).where(MetaRow.key == key)) is None:
        session.execute(insert(MetaRow).values(key=key, value=value))
    else:
        session.execute(update(MetaRow).where(MetaRow.key == key).values(value=value))


def _key(session: Session) -> str:
    return f"scrub/{node_of(session)}"[:64]


def _miscount(database: Database, version: int, leg: DenseLeg | WordLeg) -> str | None:
    """Where the index has followed to the end, and nothing happened while it was counted."""
    before = leg.seq
    live = select(func.count()).where(ChunkRow.index_version_id == version, ChunkRow.live)
    if isinstance(leg, DenseLeg):
        live = live.where(ChunkRow.embedding_id.is_not(None))
    with database.read() as session:
        should = session.scalar(live) or 0
        latest = latest_operation(session, version)
    has = len(leg)
    if before == latest == leg.seq and has != should:
        return f"it has {has:,} chunks, and the database {should:,}"
    return None
