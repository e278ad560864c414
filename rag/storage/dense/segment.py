"""One immutable folder of the dense index, believed only as far as it has been checked."""

import hashlib
from pathlib import Path

import numpy as np

from rag.storage.dense.clusters import Clusters, Counts, read_clusters
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.manifest import FORMAT, Manifest, Published, read_manifest
from rag.storage.dense.parts import Numbers, Tombstones
from rag.storage.dense.rows import CheckedRows
from rag.storage.dense.scanning import Ids, Positions, Rows
from rag.storage.durable import sha256_of_file

ROWS = "rows.f16"
IDS = "ids.i64"
DELETED = "deleted.i64"
CHECKS = "checks.u32"
CLUSTERS = "clusters.faiss"


class Segment:
    """Rows put by a span of operations, and the numbers that those deleted from older segments.

    Nobody closes it: the map and the descriptor go when the last reader lets go of it, and its
    files may be unlinked before.
    """

    def __init__(self, folder: Path, published: Published, manifest: Manifest) -> None:
        self.name = published.name
        self.published = published
        self.manifest = manifest
        self._folder = folder / published.name
        self.numbers = Numbers(np.frombuffer(self._bytes(IDS), np.int64))
        self.deleted: Ids = np.frombuffer(self._bytes(DELETED), np.int64)
        self.tombstones = Tombstones(manifest.rows)
        self.rows = CheckedRows(
            self._sized(ROWS),
            (manifest.rows, manifest.dimension),
            np.frombuffer(self._bytes(CHECKS), np.uint32),
            manifest.block_rows,
            self.name,
        )
        self.clusters = self._clusters() if manifest.layout == "clustered" else None
        self._live_counts: tuple[int, Counts] | None = None

    def __len__(self) -> int:
        return self.manifest.rows - self.tombstones.count

    def live_rows(self, positions: Positions) -> tuple[Ids, Rows]:
        """Those of the given rows that are live, checked."""
        live = positions[self.tombstones.are_live(positions)]
        return self.numbers.ids[live], self.rows.at(live)

    def live_counts(self) -> Counts:
        """Live rows in each list of the clusters."""
        assert self.clusters is not None, "asked of clustered segments only"
        kept, dead = self._live_counts, self.tombstones.count
        if kept is None or kept[0] != dead:
            counts = self.clusters.counts(self.tombstones.live_positions())
            kept = self._live_counts = (dead, counts)
        return kept[1]

    def check(self) -> None:
        """Reads every byte of it again and compares SHA-256 sums: 10 s for a million rows.

        Raises:
            SegmentDamaged: a file is not what was written.
        """
        read_manifest(self._folder.parent, self.name, self.published.sha256)
        for file, sum in self.manifest.files.items():
            if sha256_of_file(self._sized(file)) != sum.sha256:
                raise SegmentDamaged(self.name, f"{file} was altered")

    def _clusters(self) -> Clusters:
        clusters = read_clusters(self._bytes(CLUSTERS))
        if clusters is None or clusters.rows != self.manifest.rows:
            raise SegmentDamaged(self.name, f"{CLUSTERS} is of another format")
        return clusters

    def _sized(self, file: str) -> Path:
        """The path of a file that has the size it should have."""
        path = self._folder / file
        try:
            size = path.stat().st_size
        except OSError as error:
            raise SegmentDamaged(self.name, f"{file}: {error.strerror}") from error
        if size != self.manifest.files[file].size:
            raise SegmentDamaged(self.name, f"{file} has {size} bytes")
        return path

    def _bytes(self, file: str) -> bytes:
        """A whole file: what is returned is what was compared."""
        content = self._sized(file).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.manifest.files[file].sha256:
            raise SegmentDamaged(self.name, f"{file} was altered")
        return content


def open_segment(folder: Path, published: Published, *, owner: str, dimension: int) -> Segment:
    """A segment whose every file but its rows was compared with what was published.

    Raises:
        SegmentDamaged: it is not there, not whole, not what was published, or another's.
    """
    manifest = read_manifest(folder, published.name, published.sha256)
    if manifest.format != FORMAT:
        raise SegmentDamaged(published.name, f"its format is {manifest.format}")
    if (manifest.owner, manifest.dimension) != (owner, dimension):
        raise SegmentDamaged(published.name, f"it belongs to {manifest.owner}")
    try:
        return Segment(folder, published, manifest)
    except OSError as error:
        raise SegmentDamaged(published.name, f"it cannot be read: {error.strerror}") from error
