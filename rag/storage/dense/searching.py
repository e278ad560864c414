"""How one part of the index is searched, and why so."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Vectors
from rag.storage.dense.allowed import Allowed, Projection
from rag.storage.dense.clusters import Clusters
from rag.storage.dense.manifest import Probing
from rag.storage.dense.parts import Block
from rag.storage.dense.scanning import NOTHING, Near, scan, scan_some
from rag.storage.dense.segment import Segment

# microseconds at 1,024, on one core of a 2.5 GHz Xeon
PER_FETCHED_ROW = 1.2  # a row somewhere in a mapped file, and its cosine
PER_SCANNED_ROW = 0.3  # one after the other

Way = Literal["nothing", "scan", "fetch", "clusters"]
"""Every row; each allowed row by itself; or candidates from the nearest clusters, re-scored."""


class Step(Struct, frozen=True):
    """What was done with one part of the index, and why."""

    part: str
    rows: int
    allowed: int
    way: Way
    reason: str


class _Asked(Struct, frozen=True):
    query: Vectors
    k: int
    projection: Projection | None
    count: int
    """Rows that are allowed; some of them may be deleted."""


def search_part(
    part: Segment | Block, query: Vectors, k: int, allowed: Allowed | None
) -> tuple[Near, Step]:
    """The `k` nearest rows of a part that are live and allowed, or as many as there are.

    Raises:
        SegmentDamaged: a row that is needed is not what was written.
    """
    projection = allowed.within(part) if allowed is not None else None
    count = len(part) if projection is None else len(projection.positions)
    asked = _Asked(query, k, projection, count)
    if not count or k < 1:
        return NOTHING, Step(part.name, len(part), count, "nothing", "nothing here is allowed")
    if isinstance(part, Block) or part.clusters is None:
        near = _scan(part, asked)
        return near, Step(part.name, len(part), count, "scan", "too few rows for clusters")
    return _search_clustered(part, part.clusters, asked)


def _search_clustered(segment: Segment, clusters: Clusters, asked: _Asked) -> tuple[Near, Step]:
    scale = segment.manifest.dimension / 1024
    is_whole = asked.projection is None
    exact = asked.count * (PER_SCANNED_ROW if is_whole else PER_FETCHED_ROW) * scale
    share = asked.count / segment.manifest.rows
    probing = probing_for(segment.manifest.probing, share, asked.k)
    way: Way = "scan" if is_whole else "fetch"
    if probing is None:
        reason = f"clusters were not measured for {asked.k} of 1 in {1 / share:,.0f} rows"
    elif exact <= clusters.cost(probing):
        reason = f"about {exact:,.0f} us against {clusters.cost(probing):,.0f} by clusters"
    else:
        reason = f"about {clusters.cost(probing):,.0f} us against {exact:,.0f} by a {way}"
        way = "clusters"
    if probing is not None and way == "clusters":
        near = _probe(segment, clusters, probing, asked)
    elif asked.projection is None:
        near = _scan(segment, asked)
    else:
        positions = asked.projection.positions
        live = positions[segment.tombstones.are_live(positions)]
        near = scan_some(segment.rows.at, asked.query, asked.k, live)
    return near, Step(segment.name, len(segment), asked.count, way, reason)


def probing_for(measured: tuple[Probing, ...], share: float, k: int) -> Probing | None:
    """The search that was measured as deep, or the next deeper: the `k` nearest of a share of
    the rows are among the k / share nearest of all.

    It was measured with as few rows allowed, or fewer. Then there are more candidates as near
    now, and as many times more are taken.
    """
    taken = [
        replace(each, candidates=max(2 * k, round(each.candidates * share / each.fraction)))
        for each in measured
        if each.fraction <= 1.001 * share and k / share <= 1.001 * each.nearest / each.fraction
    ]
    return min(
        taken, key=lambda each: (each.nearest / each.fraction, each.candidates), default=None
    )


def _probe(segment: Segment, clusters: Clusters, probing: Probing, asked: _Asked) -> Near:
    """Candidates from the nearest lists; from all lists where those hold too few."""
    bitmap, counts = None, None
    if asked.projection is not None:
        bitmap, counts = asked.projection.bitmap, asked.projection.counts
    if segment.tombstones.count:
        live = segment.tombstones.live
        bitmap = live if bitmap is None else bitmap & live
        counts = segment.live_counts() if counts is None else counts
    found = clusters.nearest(asked.query, probing.candidates, probing.lists, bitmap, counts)
    if len(found) < min(asked.k, asked.count):
        found = clusters.nearest(asked.query, probing.candidates, clusters.lists, bitmap)
    return scan_some(segment.rows.at, asked.query, asked.k, found)


def _scan(part: Segment | Block, asked: _Asked) -> Near:
    bitmap = None if asked.projection is None else asked.projection.bitmap
    if part.tombstones.count:
        live = part.tombstones.live
        bitmap = live if bitmap is None else bitmap & live
    return scan(part.rows.all(), asked.query, asked.k, bitmap)
