"""Bytes as they arrive -> the data of server-sent events (WHATWG, HTML Standard, section 9.2).

A line ends with LF, CRLF or CR, and an event with an empty line; either may be cut anywhere
between two pieces, within a character too. Only data matters here: other fields and comments,
which keep a connection open, are passed over.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

_LINE_END = re.compile(rb"\r\n|\r|\n")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Allowed once, before everything."""


class EventParser:
    """
    >>> parser = EventParser()
    >>> list(parser.feed(b"data: on")), list(parser.feed(b"e\\n\\n: still here\\n"))
    ([], [b'one'])
    """

    def __init__(self) -> None:
        self._line = bytearray()
        """That has not ended."""
        self._data: list[bytes] = []
        """Of the event that has not ended."""
        self._is_first_line = True
        self._ended_with_cr = False
        """An LF that comes next belongs to the line end before."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of each event that the piece completes. What is left when the pieces end was
        cut off, and is no event."""
        if not piece:
            return
        begun = piece[1:] if self._ended_with_cr and piece.startswith(b"\n") else piece
        self._ended_with_cr = piece.endswith(b"\r")
        rest, *lines = _LINE_END.split(begun)
        self._line += rest
        for following in lines:
            yield from self._end_line()
            self._line = bytearray(following)

    def _end_line(self) -> Iterator[bytes]:
        line = bytes(self._line)
        if self._is_first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._is_first_line = False
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
        elif self._data:
            yield b"\n".join(self._data)
            self._data = []


async def events(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event, as soon as it is complete."""
    parser = EventParser()
    async for piece in pieces:
        for data in parser.feed(piece):
            yield data
