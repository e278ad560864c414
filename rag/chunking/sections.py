"""Blocks under their headings: what may share a chunk."""

import re
from collections.abc import Iterator

from msgspec import Struct

from rag.domain import Block, Document

LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
EMPHASIS = re.compile(r"\*+(?=\S)|(?<=\S)\*+|`+")

LEFT_OUT = ("header", "footer")
"""Kinds that repeat on every page and say nothing of it."""


class Section(Struct, frozen=True):
    """Neighboring blocks under one heading path, with the headings that open it.

    Nothing that is left out lies between its blocks, so any run of them is one span.
    """

    heading_path: tuple[str, ...]
    blocks: tuple[Block, ...]


def sections(document: Document) -> tuple[Section, ...]:
    """Sections in order; together they hold every block but page headers and footers.

    A heading without a body opens the section of the next heading.
    """
    return tuple(_sections(document.text, document.blocks or _whole(document.text)))


def _sections(text: str, blocks: tuple[Block, ...]) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    run: list[Block] = []
    has_body = False
    for block in blocks:
        starts_anew = block.kind in LEFT_OUT or (block.kind == "title" and has_body)
        if starts_anew and run:
            yield Section(_names(path), tuple(run))
            run, has_body = [], False
        if block.kind in LEFT_OUT or not text[block.start : block.end].strip():
            continue
        if block.kind == "title":
            level = max(block.level, 1)
            path = [(above, name) for above, name in path if above < level]
            path.append((level, heading_text(text[block.start : block.end])))
        else:
            has_body = True
        run.append(block)
    if run:
        yield Section(_names(path), tuple(run))


def heading_text(markdown: str) -> str:
    """A heading without its marks, on one line. Underscores stay: they are names more often than
    emphasis."""
    lines = markdown.strip().splitlines()
    if len(lines) > 1 and (not lines[-1].strip("= \t") or not lines[-1].strip("- \t")):
        lines = lines[:-1]
    words = " ".join(lines).split()
    if words and not words[0].strip("#"):
        words = words[1:]
        if words and not words[-1].strip("#"):
            words = words[:-1]
    return EMPHASIS.sub("", LINK.sub(r"\1", " ".join(words))).strip()


def _names(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in path if name)


def _whole(text: str) -> tuple[Block, ...]:
    """A text in which the reader saw no blocks is one."""
    return (Block("text", 0, len(text)),)
