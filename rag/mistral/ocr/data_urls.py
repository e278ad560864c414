"""Bytes -> the `data:` URL that carries them inside a request."""

import binascii
from collections.abc import Iterator

from rag.mistral.wire.encoding import LongString

_PIECE = 192 * 1024
"""Bytes encoded at a time: a multiple of 3, so that pieces of base64 may be joined; a fifth of a
millisecond."""


def data_url(content: bytes, media_type: str) -> LongString:
    """As a JSON string. The content is not copied; it is encoded while it is sent."""
    head = f'"data:{media_type};base64,'.encode()
    view = memoryview(content)

    def pieces() -> Iterator[bytes]:
        yield head
        for start in range(0, len(view), _PIECE):
            yield binascii.b2a_base64(view[start : start + _PIECE], newline=False)
        yield b'"'

    return LongString(len(head) + -(-len(content) // 3) * 4 + 1, pieces)
