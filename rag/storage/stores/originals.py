"""The original bytes of a library's documents."""

from rag.domain import Version
from rag.storage.blobs import Blobs
from rag.storage.space import Space


class OriginalStore:
    """Bytes by their content; they stay as long as a document or an item of a job has them."""

    def __init__(self, blobs: Blobs, space: Space) -> None:
        self._blobs = blobs
        self._space = space

    def put(self, content: bytes) -> Version:
        """Keeps original bytes; on disk when it returns."""
        self._space.require_room()
        return self._blobs.put(content)

    def get(self, version: Version) -> bytes:
        return self._blobs.get(version)
