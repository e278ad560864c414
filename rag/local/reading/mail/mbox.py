"""A mailbox (mbox) -> its letters, one page each."""

import re
from collections.abc import Iterator

from rag.errors import EmptyDocument, InvalidDocument
from rag.local.reading.readout import Part, Readout, joined
from rag.local.reading.task import Task

FROM = re.compile(rb"^From [^\n]*\d\d:\d\d[^\n]*\n", re.MULTILINE)
"""The line before each letter; one in a text begins with `>` or has no time in it."""


def read_mbox(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: no letter in it can be read.
    """
    parts = [
        task.read_part(f"message {number}.eml", letter, "a message of the mailbox")
        for number, letter in enumerate(_letters(content), start=1)
    ]
    if not parts:
        raise EmptyDocument("there is no message in this mailbox")
    if all(part.readout is None for part in parts):
        raise InvalidDocument(f"no message in this mailbox can be read ({parts[0].reason})")
    return joined(map(_named, parts))


def _named(part: Part) -> Part:
    """By its subject."""
    title = part.readout.title if part.readout else None
    return Part(title or part.name.removesuffix(".eml"), part.readout, part.reason)


def _letters(content: bytes) -> Iterator[bytes]:
    starts = [match.span() for match in FROM.finditer(content)]
    ends = [start for start, _ in starts[1:]] + [len(content)] * bool(starts)
    for (_, start), end in zip(starts, ends, strict=True):
        yield content[start:end].replace(b"\n>From ", b"\nFrom ")
