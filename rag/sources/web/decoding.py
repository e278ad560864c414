"""A compressed body -> its bytes, a little at a time, so that a bomb goes off harmlessly."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from rag.errors import FetchFailed

ACCEPTED = "gzip, deflate"
"""What we ask for; whoever sends another encoding has not listened."""

PART = 256 * 1024
"""Bytes decompressed at a time: a compressed piece of 64 kB may hold 64 MB."""

_WITH_HEADER = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""`wbits` of zlib."""
_RAW = -15


async def decoded(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """
    Raises:
        FetchFailed: it is not encoded as it says, or ends too early.
    """
    name = encoding.strip().lower() or "identity"
    if name == "identity":
        async for piece in pieces:
            yield piece
        return
    if name not in _WITH_HEADER:
        raise FetchFailed("the site sends its page in an encoding it was not asked for")
    inflation = _Inflation(_WITH_HEADER[name])
    async for piece in pieces:
        for part in inflation.parts(piece):
            yield part
            await asyncio.sleep(0)  # others' turn: a bomb is half a second of work
    inflation.end()


class _Inflation:
    """Streams of zlib or gzip, one after the other."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)
        self._begun = False

    def parts(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            if self._stream.eof:
                if not piece.strip(b"\0"):  # padding
                    return
                self._stream = zlib.decompressobj(self._wbits)
            part = self._decompress(piece)
            self._begun = True
            while part:
                yield part
                part = self._stream.decompress(self._stream.unconsumed_tail, PART)
            piece = self._stream.unused_data

    def end(self) -> None:
        if self._begun and not self._stream.eof:
            raise FetchFailed(
                "the page ends within its compressed body; try again", is_passing=True
            )

    def _decompress(self, piece: bytes) -> bytes:
        try:
            return self._stream.decompress(piece, PART)
        except zlib.error as error:
            if self._begun or self._wbits != _WITH_HEADER["deflate"]:
                raise FetchFailed("the site's page is not compressed as it says") from error
        self._wbits = _RAW  # some servers' idea of deflate
        self._stream = zlib.decompressobj(_RAW)
        try:
            return self._stream.decompress(piece, PART)
        except zlib.error as error:
            raise FetchFailed("the site's page is not compressed as it says") from error
