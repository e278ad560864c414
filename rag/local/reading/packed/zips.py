"""A ZIP, read member by member into memory, never to disk, with every byte counted as it comes out.

What its directory says of sizes is not believed: `zipfile` reads 2 GB out of 0.1 MB of overlapping
members without a word.
"""

import io
import zipfile
import zlib
from typing import IO, BinaryIO

from rag.errors import EncryptedDocument, InvalidDocument
from rag.local.reading.allowance import Allowance

ENCRYPTED = 0x1  # of a member's flags
PART = 64 * 1024  # bytes
DAMAGED = "this archive cannot be unpacked; it is damaged or cut short"
UNPACKING = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)
"""What `zipfile` and its decoders raise where bytes are not as they should be."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class Zip:
    """Members by their names; of several with one name, the last."""

    def __init__(self, content: bytes, allowance: Allowance) -> None:
        """
        Raises:
            InvalidDocument: it has no directory.
            DocumentTooLarge: it has too many members.
        """
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except (*UNPACKING, UnicodeDecodeError) as error:
            raise InvalidDocument(DAMAGED) from error
        self._allowance = allowance
        self._members = {info.filename: info for info in self._archive.infolist()}
        allowance.enter(len(self._archive.infolist()))

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def members(self) -> tuple[zipfile.ZipInfo, ...]:
        return tuple(self._members.values())

    def read(self, name: str) -> bytes:
        """
        Raises:
            InvalidDocument: there is no such member, or it is damaged.
            EncryptedDocument: a password is needed.
            DocumentTooLarge: it is larger than what is left to unpack.
        """
        with self.stream(name) as stream:
            return stream.read()

    def stream(self, name: str) -> BinaryIO:
        """The same, a part at a time."""
        info = self._members.get(name)
        if info is None:
            raise InvalidDocument(f"a part of it is missing ({name[:100]}); the file is damaged")
        if info.flag_bits & ENCRYPTED:
            raise EncryptedDocument("the archive is encrypted; unpack it with its password first")
        if info.compress_type not in METHODS:
            raise InvalidDocument(
                f"it is packed in a way that is not known here (ZIP method {info.compress_type});"
                " unpack it, and pack it anew"
            )
        try:
            packed = self._archive.open(info)
        except (*UNPACKING, RuntimeError) as error:
            raise InvalidDocument(DAMAGED) from error
        return io.BufferedReader(Counted(packed, self._allowance, info.compress_size), PART)


class Counted(io.RawIOBase):
    """A stream that is unpacked within an allowance."""

    def __init__(self, stream: IO[bytes] | io.BufferedIOBase, allowance: Allowance, packed: int):
        self._stream = stream
        self._allowance = allowance
        self._packed = packed
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        try:
            data = self._stream.read(min(len(buffer), PART))
        except (*UNPACKING, RuntimeError) as error:
            raise InvalidDocument(DAMAGED) from error
        self._allowance.take(len(data))
        self._unpacked += len(data)
        self._allowance.weigh(self._packed, self._unpacked)
        buffer[: len(data)] = data
        return len(data)
