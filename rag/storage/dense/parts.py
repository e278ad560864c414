"""A part of the dense index: numbered rows, of which some have been deleted since.

Segments (files) and blocks (memory) are both parts.
"""

import numpy as np
import numpy.typing as npt

from rag.domain import Vectors
from rag.storage.dense.scanning import Bitmap, Ids, Positions, Rows, as_rows, bitmap_of


class Numbers:
    """The chunk numbers of a part's rows, and where each is."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        is_sorted = bool(np.all(ids[1:] > ids[:-1]))
        self._order = None if is_sorted else np.argsort(ids, kind="stable")
        self._sorted = ids if self._order is None else ids[self._order]

    def find(self, ids: Ids) -> Positions:
        """Positions of those that are here, in the order asked for; the others are left out."""
        if not len(ids) or not len(self._sorted):
            return np.empty(0, np.int64)
        places: Positions = np.searchsorted(self._sorted, ids)
        places = np.minimum(places, len(self._sorted) - 1)
        places = places[self._sorted[places] == ids]
        if self._order is not None:
            places = self._order[places]
        return places

    def have(self, ids: Ids) -> npt.NDArray[np.bool_]:
        return np.isin(ids, self.ids[self.find(ids)])


class Tombstones:
    """Which rows of a part are deleted. Bits are only ever cleared, so readers need no lock."""

    def __init__(self, rows: int) -> None:
        self.live: Bitmap = bitmap_of(np.ones(rows, np.bool_))
        self.rows = rows
        self.count = 0

    def bury(self, positions: Positions) -> None:
        positions = np.unique(positions[self.are_live(positions)])
        np.bitwise_and.at(self.live, positions >> 3, ~(np.uint8(1) << (positions & 7).astype("u1")))
        self.count += len(positions)

    def are_live(self, positions: Positions) -> npt.NDArray[np.bool_]:
        bits = self.live[positions >> 3] >> (positions & 7).astype(np.uint8)
        return np.asarray(bits & 1, np.bool_)

    def live_positions(self) -> Positions:
        return np.flatnonzero(np.unpackbits(self.live, count=self.rows, bitorder="little"))

    def dead_positions(self) -> Positions:
        return np.flatnonzero(np.unpackbits(self.live, count=self.rows, bitorder="little") == 0)


class MemoryRows:
    """Rows that need no checking."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def at(self, positions: Positions) -> Rows:
        return self._rows[positions]

    def all(self) -> Rows:
        return self._rows


class Block:
    """New rows, in memory until a segment holds them."""

    name = "memory"

    def __init__(self, ids: Ids, vectors: Vectors | Rows) -> None:
        self.numbers = Numbers(ids)
        self.rows = MemoryRows(as_rows(vectors))
        self.clusters = None
        self.tombstones = Tombstones(len(ids))

    def __len__(self) -> int:
        return self.tombstones.rows - self.tombstones.count

    def live_rows(self, positions: Positions) -> tuple[Ids, Rows]:
        """Those of the given rows that are live."""
        live = positions[self.tombstones.are_live(positions)]
        return self.numbers.ids[live], self.rows.at(live)

    def all_live(self) -> tuple[Ids, Rows]:
        return self.live_rows(self.tombstones.live_positions())


def joined(blocks: list[Block]) -> Block:
    """One block of what is live in several."""
    live = [block.all_live() for block in blocks]
    return Block(np.concatenate([ids for ids, _ in live]), np.concatenate([r for _, r in live]))


def compacted(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Joins blocks of like size, as a binary counter carries: few blocks, and few copies."""
    kept = [block for block in blocks if len(block)]
    while len(kept) > 1 and len(kept[-2]) <= len(kept[-1]):
        kept[-2:] = [joined(kept[-2:])]
    return tuple(kept)
