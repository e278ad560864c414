"""Original bytes, in a folder, named by their content."""

from pathlib import Path

from rag.domain import Version, version_of
from rag.errors import NotFound, RagError
from rag.storage.durable import make_private_folder, write_durably


class BlobStore:
    """`folder/ab/cdef…` holds the bytes whose SHA-256 is abcdef… A file is whole or absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> Version:
        """Keeps the bytes; on disk when it returns. Bytes already kept are not written again."""
        version = version_of(content)
        path = self._path(version)
        if not self._holds(path, len(content)):
            make_private_folder(path.parent)
            write_durably(path, content)
        return version

    def get(self, version: Version) -> bytes:
        """
        Raises:
            NotFound: no such bytes.
            RagError: the file no longer has the content it is named for.
        """
        try:
            content = self._path(version).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"the bytes of {version} are not in this library") from error
        if version_of(content) != version:
            raise RagError(f"the stored bytes of {version} are damaged; ingest the file again")
        return content

    def size(self, version: Version) -> int | None:
        """In bytes; None when they are not kept."""
        try:
            return self._path(version).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, version: Version) -> None:
        self._path(version).unlink(missing_ok=True)

    def _path(self, version: Version) -> Path:
        digest = version.removeprefix("sha256:")
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise NotFound("a version is `sha256:` and 64 hex digits")
        return self._folder / digest[:2] / digest[2:]

    @staticmethod
    def _holds(path: Path, size: int) -> bool:
        return path.is_file() and path.stat().st_size == size
