"""Which parts of the dense index are to be written anew, and as what.

New rows are kept in memory until there are enough for a segment; a segment is merged with all
newer ones when they hold as many rows as it does. So every segment holds more rows than all newer
ones together, a row is written some log2(n / FLUSH) times, and there are as many segments.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from rag.storage.dense.parts import Block
from rag.storage.dense.scanning import Ids, Rows
from rag.storage.dense.segment import Segment

FLUSH = 5_000  # rows in memory: 1.5 ms of CPU of a query at a width of 1,024, and 10 MB
MOSTLY_DEAD = 0.25  # of a segment's rows: it is written again without them
STEP = 4_096  # rows copied at once: 8 MB at 1,024


class Work(Struct, frozen=True, eq=False):
    """Neighboring parts that become one segment. What changes meanwhile is applied afterwards."""

    segments: tuple[Segment, ...]
    blocks: tuple[Block, ...]
    first: int
    last: int
    deleted: tuple[int, ...]
    """For segments older than these."""
    takes_memory: bool
    """The rows in memory are part of it."""
    taken: int
    """How many of the deletions that no segment names yet this one does."""

    def rows(self) -> Iterator[tuple[Ids, Rows]]:
        """What is live in it, a few rows at a time.

        Raises:
            SegmentDamaged: a row is not what was written.
        """
        for segment in self.segments:
            for start in range(0, segment.manifest.rows, STEP):
                end = min(start + STEP, segment.manifest.rows)
                yield segment.live_rows(np.arange(start, end))
        for block in self.blocks:
            yield block.all_live()


def first_to_merge(sizes: Sequence[int], most: int | None = None) -> int:
    """Where the run of newest parts begins that should become one; the last is always in it.

    Args:
        most: rows that the run may hold, if it is more than the last; any number where None.

    >>> first_to_merge([80, 40, 20, 20])
    0
    >>> first_to_merge([100, 40, 20, 20])
    1
    >>> first_to_merge([80, 40, 20, 20], most=50)
    2
    """
    wanting = (place for place, size in enumerate(sizes) if size <= sum(sizes[place + 1 :]))
    start = next(wanting, len(sizes) - 1)
    while most is not None and start < len(sizes) - 1 and sum(sizes[start:]) > most:
        start += 1
    return start
