"""A backup: one tar archive, written and read as a stream.

    manifest.json       what is in it
    library.db          the database, of one moment
    blobs/<SHA-256>     original bytes, each under what it is
    seal.json           the sum of all that came before: an archive without it was cut off

Any tar program lists it. Ours reads only what ours writes: regular files, of these names, in this
order. A link, a device, a path that leads elsewhere or a member that nobody announced has no place
in it, and so cannot be unpacked.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from msgspec import Struct

from rag.errors import BackupRefused

FORMAT = 1
MANIFEST, DATABASE, SEAL = "manifest.json", "library.db", "seal.json"
BLOB = re.compile(r"blobs/([0-9a-f]{64})")

BLOCK = 512  # bytes; of tar
STEP = 1 << 20  # bytes read and written at once
LARGEST_NOTE = 64 << 20
"""Bytes of the manifest or the seal, which are read at once; the seal names what was left out."""
TRAILER = bytes(2 * BLOCK)


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    library: str
    """Id of the library that it is of."""
    schema: str
    created_at: str
    collections: int
    documents: int
    chunks: int
    database_bytes: int
    database_sha256: str
    originals: int
    originals_bytes: int
    """At most: what turns out to be damaged is left out."""


class Seal(Struct, frozen=True, forbid_unknown_fields=True):
    members: int
    sha256: str
    """Of names, sizes and sums of all members before it."""
    left_out: tuple[str, ...] = ()
    """SHA-256 of originals that documents have and the library had lost, or had damaged."""


class Member(Struct, frozen=True):
    name: str
    size: int


class Tally:
    """The sum of an archive's members, as they come."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.members = 0

    def add(self, name: str, size: int, sha256: str) -> None:
        self._digest.update(f"{name} {size} {sha256}\n".encode())
        self.members += 1

    def seal(self, left_out: tuple[str, ...] = ()) -> Seal:
        return Seal(self.members, self._digest.hexdigest(), left_out)


# --- writing -------------------------------------------------------------------------------------


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def note(name: str, content: Struct) -> bytes:
    """A small member whole."""
    said = msgspec.json.encode(content)
    return header(name, len(said)) + said + padding(len(said))


# --- reading -------------------------------------------------------------------------------------


class ArchiveReader:
    """Members one after the other. Each must be read to its end before the next is asked for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def next(self) -> Member | None:
        """None at the end, after which there is nothing.

        Raises:
            BackupRefused: what comes is no member that a backup can have.
        """
        block = self._exactly(BLOCK)
        if not any(block):
            self._expect_end()
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise BackupRefused("the archive is damaged: a header is not one") from error
        if info.type != tarfile.REGTYPE or info.linkname or info.size < 0:
            raise BackupRefused("the archive holds something that is not a file; it is not ours")
        if info.name not in (MANIFEST, DATABASE, SEAL) and not BLOB.fullmatch(info.name):
            raise BackupRefused("the archive holds a file that no backup has; it is not ours")
        return Member(info.name, info.size)

    def content(self, member: Member) -> Iterator[bytes]:
        left = member.size
        while left:
            chunk = self._exactly(min(left, STEP))
            left -= len(chunk)
            yield chunk
        self._exactly(-member.size % BLOCK)

    def whole(self, member: Member) -> bytes:
        """The content of a small member."""
        if member.size > LARGEST_NOTE:
            raise BackupRefused(f"the archive's {member.name} is larger than any can be")
        return b"".join(self.content(member))

    def _exactly(self, size: int) -> bytes:
        content = self._stream.read(size)
        if len(content) != size:
            raise BackupRefused("the archive is cut off: it ends within a file")
        return content

    def _expect_end(self) -> None:
        while rest := self._stream.read(STEP):
            if any(rest):
                raise BackupRefused("the archive goes on after its end; it is damaged")
