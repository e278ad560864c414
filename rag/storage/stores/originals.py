"""The original bytes of a library's documents."""

from pathlib import Path

from rag.domain import Version
from rag.storage.blobs import Blobs
from rag.storage.space import Space
from rag.storage.spooling import Spool


class OriginalStore:
    """Bytes by their content; they stay as long as a document or an item of a job has them."""

    def __init__(self, blobs: Blobs, space: Space, data_dir: Path) -> None:
        self._blobs = blobs
        self._space = space
        self._data_dir = data_dir

    def spool(self) -> Spool:
        """For bytes that come in, on the library's disk.

        Raises:
            OutOfSpace: the library may not grow.
        """
        self._space.require_room()
        return Spool(self._data_dir)

    def put(self, content: bytes) -> Version:
        """Keeps original bytes; on disk when it returns."""
        self._space.require_room()
        return self._blobs.put(content)

    def get(self, version: Version) -> bytes:
        return self._blobs.get(version)
