"""What stands for a chunk where it is embedded: what it is called, what is said of it, its text.

No path is in it, so a file that moves is not embedded again, and what two files share is embedded
once.
"""

import re

from rag.syntax.outline import CodeChunk

_SPOKEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")


def card(chunk: CodeChunk, text: str, *, with_prose: bool = True) -> str:
    """
    Args:
        text: of the whole file.
        with_prose: whether comments and documentation are in it.
    """
    own = text[chunk.start : chunk.end]
    prose = prose_of(chunk, text)
    called = " ".join(_SPOKEN.sub(" ", name) for name in chunk.symbol[-2:])
    head = f"{chunk.kind} {called}".strip()
    body = _squeezed(own if with_prose else _without(own, chunk))
    parts = [head, chunk.signature, prose if with_prose else "", body]
    return "\n".join(part for part in parts if part)


def prose_of(chunk: CodeChunk, text: str) -> str:
    """Comments and documentation on one line, without their marks."""
    spoken = " ".join(text[start:end] for start, end in chunk.prose)
    return " ".join(re.sub(r"[/*#\"'`@<>{}|=-]+", " ", spoken).split())


def _without(own: str, chunk: CodeChunk) -> str:
    for start, end in reversed(chunk.prose):
        own = own[: start - chunk.start] + own[end - chunk.start :]
    return own


def _squeezed(code: str) -> str:
    return " ".join(code.split())
