"""A long reply is decoded in short steps.

Decoding holds the interpreter, also on a thread of its own: a reply of 100 MB would stop all else
for most of a second. The length of these replies is in the elements of one array, so each of them
is decoded by itself.
"""

import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import TypeVar

import msgspec
from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.wire.decoding import Reply, decode

_LONG = 256 * 1024
"""Bytes; decoded at once within two milliseconds."""

Element = TypeVar("Element", bound=Struct)


class _Indivisible(Exception):
    """Where one element ends and the next begins cannot be told without decoding them."""


def decode_each(body: bytes, shape: type[Reply], field: str, element: type[Element]) -> Reply:
    """As `decode(body, shape)`: the same value, and the same errors.

    Args:
        field: of `shape`, a tuple of `element`.
    """
    if len(body) > _LONG:
        try:
            return _decoded_each(body, shape, field, element)
        except (_Indivisible, MalformedReply, ValueError, RecursionError):
            pass  # unusual, or broken: what of the two it is, and where, shows when decoded whole
    return decode(body, shape)


def _decoded_each(body: bytes, shape: type[Reply], field: str, element: type[Element]) -> Reply:
    first, sign = _first(body, field)
    last = body.rfind(sign)
    end = _end(body, last)
    rest = decode(body[:first] + body[end:], shape)
    if getattr(rest, field) != ():
        raise _Indivisible  # it was an array of the same name, elsewhere
    found = tuple(decode(each, element) for each in _pieces(body, sign, first, last, end))
    return msgspec.structs.replace(rest, **{field: found})


def _first(body: bytes, field: str) -> tuple[int, bytes]:
    """Where the first element begins, and how: `{"index":`. One program writes them all, and so
    all of them begin like this. No string does: in it, the quotes would be escaped."""
    pattern = rf'"{field}"\s*:\s*\[\s*(\{{\s*"\w+"\s*:)'.encode()
    found = re.search(pattern, body)
    if found is None:
        raise _Indivisible
    return found.start(1), found[1]


def _end(body: bytes, start: int) -> int:
    """Of the element that starts there."""
    text = body[start:].decode()
    _, length = JSONDecoder().raw_decode(text)
    return start + len(text[:length].encode())


def _pieces(body: bytes, sign: bytes, first: int, last: int, end: int) -> Iterator[bytes]:
    start = first
    while start < last:
        following = body.index(sign, start + len(sign))
        piece = body[start:following].rstrip()
        if not piece.endswith(b","):
            raise _Indivisible
        yield piece[:-1]
        start = following
    yield body[last:end]
