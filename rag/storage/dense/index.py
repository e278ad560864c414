"""The dense index: immutable segments, newer rows in memory, and what was deleted since.

Readers take the state as it is and never wait: a change makes a new state, and only one thread
makes one at a time. A row can be in memory and in a new segment for no moment at all, since both
change in one step.
"""

import threading
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.domain import Vectors
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.compaction import FLUSH, MOSTLY_DEAD, Work, first_to_merge
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.parts import Block, Numbers, compacted
from rag.storage.dense.scanning import (
    NOTHING,
    Ids,
    Near,
    Positions,
    as_pairs,
    as_query,
    as_rows,
    cosines_of,
    merged,
)
from rag.storage.dense.searching import Step, search_part
from rag.storage.dense.segment import Segment

Found = list[tuple[int, float]]
"""(chunk number, cosine), best first."""

NO_IDS: Ids = np.empty(0, np.int64)


class _State(Struct, frozen=True, eq=False):
    segments: tuple[Segment, ...]
    blocks: tuple[Block, ...]
    deleted: tuple[Ids, ...]
    """Since the newest segment, one for each change; no segment names them yet."""
    seq: int

    @property
    def parts(self) -> tuple[Segment | Block, ...]:
        return (*self.segments, *self.blocks)


class DenseIndex:
    """Vectors by chunk number, complete up to operation `seq`. Safe to use from many threads.

    Whatever touches a segment's rows may raise SegmentDamaged; then the index is of no use, and
    the rows in SQL are searched (`exact_search`) until a new one is built.
    """

    def __init__(self, dimension: int, segments: Sequence[Segment] = ()) -> None:
        """
        Args:
            segments: oldest first; the operations of each begin where the former's end.
        """
        _require_chain(segments)
        for place, segment in enumerate(segments):
            for older in segments[:place]:
                older.tombstones.bury(older.numbers.find(segment.deleted))
        seq = segments[-1].manifest.last if segments else 0
        self._state = _State(tuple(segments), (), (), seq)
        self._changing = threading.Lock()
        self.dimension = dimension

    @property
    def seq(self) -> int:
        return self._state.seq

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Oldest first."""
        return self._state.segments

    def __len__(self) -> int:
        return sum(map(len, self._state.parts))

    def moment(self) -> tuple[int, tuple[tuple[Segment | Block, Positions], ...]]:
        """An operation, and the rows that are live at it, part by part."""
        with self._changing:
            state = self._state
            live = tuple((part, part.tombstones.live_positions()) for part in state.parts)
            return state.seq, live

    def change(self, ids: Ids, vectors: Vectors, deleted: Sequence[int] | Ids, seq: int) -> None:
        """Puts rows, deletes others, and is complete up to operation `seq` then.

        A number that is here already is left as it is: numbers are never used again.
        """
        ids, gone = np.asarray(ids, np.int64), np.asarray(deleted, np.int64)
        with self._changing:
            state = self._state
            new = _not_here(ids, state.parts)
            blocks = state.blocks
            if new.any():
                blocks = (*blocks, Block(ids[new], as_rows(vectors)[new]))
            deletions = (*state.deleted, gone) if len(gone) else state.deleted
            state = _State(state.segments, blocks, deletions, seq)
            # put before delete: who reads in between may see both, and asks SQL which is current
            self._state = state
            _bury(state.parts, gone)
            self._state = msgspec.structs.replace(state, blocks=compacted(blocks))

    def search(self, vector: Vectors, k: int, allowed: Allowed | None = None) -> Found:
        """The `k` nearest to one vector with their cosines, or as many as there are; of equals,
        those with the smaller numbers."""
        return self.explain(vector, k, allowed)[0]

    def explain(
        self, vector: Vectors, k: int, allowed: Allowed | None = None
    ) -> tuple[Found, tuple[Step, ...]]:
        """What `search` finds, and how each part was searched."""
        query, near, steps = as_query(vector), [NOTHING], []
        for part in self._state.parts:
            found, step = search_part(part, query, k, allowed)
            near.append(Near(part.numbers.ids[found.positions], found.cosines))
            steps.append(step)
        return as_pairs(merged(near, k).first(k)), tuple(steps)

    def cosines(self, vector: Vectors, ids: Sequence[int] | Ids) -> dict[int, float]:
        """Of those chunks that are here."""
        query, asked = as_query(vector), np.asarray(ids, np.int64)
        found: dict[int, float] = {}
        for part in self._state.parts:
            numbers, rows = part.live_rows(part.numbers.find(asked))
            found |= dict(zip(numbers.tolist(), cosines_of(rows, query).tolist(), strict=True))
        return found

    def due(self, *, at_least: int = FLUSH, most: int | None = None) -> Work | None:
        """What should be written next, if anything; pass it to `write_segment`, then to `swap`.

        Args:
            at_least: rows in memory that are worth a segment; 1 leaves nothing for the next start.
            most: rows that are merged, so that it takes no longer; any number where None.
        """
        with self._changing:
            state = self._state
        waiting = sum(map(len, state.blocks))
        if waiting >= at_least or (state.deleted and sum(map(len, state.deleted)) >= at_least):
            start = first_to_merge([*map(len, state.segments), waiting], most)
            return _work(state, start, len(state.segments), takes_memory=True)
        for place, segment in enumerate(state.segments):
            if segment.tombstones.count > MOSTLY_DEAD * segment.manifest.rows:
                return _work(state, place, place + 1, takes_memory=False)
        return None

    def swap(self, work: Work, segment: Segment) -> None:
        """Puts a segment in the place of what it was written from, in one step.

        Raises:
            ValueError: that is not here any more.
        """
        with self._changing:
            state = self._state
            place = _place_of(work, state)
            for former in work.segments:
                dead = former.numbers.ids[former.tombstones.dead_positions()]
                segment.tombstones.bury(segment.numbers.find(dead))
            _bury((segment,), *state.deleted)
            segments = (
                *state.segments[:place],
                segment,
                *state.segments[place + len(work.segments) :],
            )
            blocks, deleted = state.blocks, state.deleted
            if work.takes_memory:
                blocks = compacted(tuple(_without(block, segment.numbers) for block in blocks))
                deleted = deleted[work.taken :]
            self._state = _State(segments, blocks, deleted, state.seq)


def _require_chain(segments: Sequence[Segment]) -> None:
    last = 0
    for segment in segments:
        if segment.manifest.first != last + 1:
            raise SegmentDamaged(segment.name, f"operations after {last} are missing")
        last = segment.manifest.last


def _not_here(ids: Ids, parts: Sequence[Segment | Block]) -> npt.NDArray[np.bool_]:
    is_new = np.ones(len(ids), np.bool_)
    for part in parts:
        is_new &= ~part.numbers.have(ids)
    return is_new


def _bury(parts: Sequence[Segment | Block], *deleted: Ids) -> None:
    for ids in deleted:
        for part in parts:
            part.tombstones.bury(part.numbers.find(ids))


def _work(state: _State, start: int, end: int, *, takes_memory: bool) -> Work:
    segments = state.segments[start:end]
    named = [segment.deleted for segment in segments]
    if takes_memory:
        named += state.deleted
    older = state.segments[:start]
    gone = np.unique(np.concatenate([NO_IDS, *named]))
    still_there = ~_not_here(gone, older)
    before = state.segments[start - 1].manifest.last if start else 0
    return Work(
        segments=segments,
        blocks=state.blocks if takes_memory else (),
        first=before + 1,
        last=state.seq if takes_memory else segments[-1].manifest.last,
        deleted=tuple(gone[still_there].tolist()),
        takes_memory=takes_memory,
        taken=len(state.deleted) if takes_memory else 0,
    )


def _place_of(work: Work, state: _State) -> int:
    """Where the segments of some work begin."""
    ends = [0, *(segment.manifest.last for segment in state.segments)]
    if work.first - 1 in ends:
        place = ends.index(work.first - 1)
        there = state.segments[place:]
        if (there if work.takes_memory else there[: len(work.segments)]) == work.segments:
            return place
    raise ValueError("what the segment was written from is not in the index any more")


def _without(block: Block, numbers: Numbers) -> Block:
    """What of a block a segment does not hold."""
    ids, rows = block.all_live()
    kept = ~numbers.have(ids)
    return block if kept.all() else Block(ids[kept], rows[kept])
