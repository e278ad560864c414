"""How a request is encoded: in pieces, made while it is sent. So a document inside it is not held
once more, and none of the pieces keeps other calls waiting."""

from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

_PIECE = 256 * 1024
"""Bytes handed to the connection at a time: encrypted within a fraction of a millisecond."""

_HOLE = b"\xff"
"""Stands for a long string while the rest is encoded. UTF-8 has no such byte."""


class LongString:
    """A JSON string that is written each time it is sent."""

    def __init__(self, length: int, pieces: Callable[[], Iterator[bytes]]) -> None:
        """
        Args:
            length: bytes of all pieces, quotes included.
        """
        self.length = length
        self.pieces = pieces


class Body(Struct, frozen=True):
    """Of a request. It can be gone through as often as it is sent."""

    parts: tuple[bytes | LongString, ...]

    def __repr__(self) -> str:
        return f"Body({self.length:,} bytes)"

    @property
    def length(self) -> int:
        """Bytes."""
        return sum(len(part) if isinstance(part, bytes) else part.length for part in self.parts)

    def pieces(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, LongString):
                yield from part.pieces()
            else:
                yield from (part[at : at + _PIECE] for at in range(0, len(part), _PIECE))

    def whole(self) -> bytes:
        return b"".join(self.pieces())


def encoded(request: Struct) -> Body:
    """As JSON."""
    long: list[LongString] = []

    def hole(value: object) -> msgspec.Raw:
        if not isinstance(value, LongString):
            raise NotImplementedError(f"{type(value).__name__} is not sent")
        long.append(value)
        return msgspec.Raw(_HOLE)

    around = msgspec.json.encode(request, enc_hook=hole).split(_HOLE)
    parts: list[bytes | LongString] = [around[0]]
    for value, after in zip(long, around[1:], strict=True):
        parts += [value, after]
    return Body(tuple(parts))
