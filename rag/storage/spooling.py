"""Bytes on their way in: to disk as they come, so that no upload is ever whole in memory."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Attribute, Source, Version, version_of
from rag.storage.durable import disk_failures_told

PIECE = 1 << 20
"""Bytes read or held at a time; what is smaller never gets a file."""


class Spool:
    """Written once, then read as often as one likes; not by two threads at a time. Its file has no
    name, so nothing is left of it when it is closed, or when the process dies."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(PIECE, dir=str(folder))  # noqa: SIM115
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, some: bytes | bytearray) -> None:
        """
        Raises:
            OutOfSpace: the disk is full.
            RagError: the disk does not take it.
        """
        with disk_failures_told():
            self._file.write(some)
        self._digest.update(some)
        self.size += len(some)

    @property
    def version(self) -> Version:
        """Of what was written so far."""
        return Version(f"sha256:{self._digest.hexdigest()}")

    def parts(self, most: int = PIECE) -> Iterator[bytes]:
        """Of so many bytes each but the last."""
        self._file.seek(0)
        while part := self._file.read(most):
            yield part

    def whole(self) -> bytes:
        """For a reader that takes nothing less."""
        return b"".join(self.parts())

    def close(self) -> None:
        self._file.close()


Content: TypeAlias = bytes | Spool


class Upload(Struct, frozen=True):
    """A document handed in, whose bytes are in a spool; whoever made that closes it."""

    key: str
    content: Spool
    media_type: str | None = None
    title: str | None = None
    attributes: dict[str, Attribute] = {}

    @property
    def version(self) -> Version:
        return self.content.version

    @property
    def source(self) -> Source:
        """With all its bytes in memory."""
        whole = self.content.whole()
        return Source(self.key, whole, self.media_type, self.title, self.attributes)


Handed: TypeAlias = Source | Upload
"""A document that somebody hands in."""


def content_version(content: Content) -> Version:
    return content.version if isinstance(content, Spool) else version_of(content)


def content_size(content: Content) -> int:
    """In bytes."""
    return content.size if isinstance(content, Spool) else len(content)


def content_parts(content: Content, most: int = PIECE) -> Iterator[bytes]:
    """Of so many bytes each but the last."""
    if isinstance(content, Spool):
        yield from content.parts(most)
        return
    for start in range(0, len(content), most):
        yield content[start : start + most]
