"""Pages that were read apart -> one text, and back."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Block, Document, Page

_PAGE_BREAK = "\n\n"


class LoosePage(Struct, frozen=True):
    """A page apart from its document: `page` spans all of `text`, and `blocks`
    are spans of it. Moved to where the text goes, both are a document's."""

    text: str
    page: Page
    blocks: tuple[Block, ...]


def composed(pages: Iterable[LoosePage]) -> tuple[str, tuple[Block, ...], tuple[Page, ...]]:
    """One text of all pages, in their order, and their spans in it; a blank line between two that
    have text. Whatever read a page, here it does not matter."""
    texts: list[str] = []
    blocks: list[Block] = []
    moved: list[Page] = []
    end = 0
    for each in pages:
        start = end + len(_PAGE_BREAK) if texts and each.text else end
        end = start + len(each.text)
        if each.text:
            texts.append(each.text)
        moved.append(replace(each.page, start=start, end=end))
        blocks += (_moved(block, start) for block in each.blocks)
    return _PAGE_BREAK.join(texts), tuple(blocks), tuple(moved)


def pages_of(document: Document) -> tuple[LoosePage, ...]:
    """What `composed` makes the document of again."""
    return loosened(document.text, document.blocks, document.pages)


def loosened(text: str, blocks: Iterable[Block], pages: Iterable[Page]) -> tuple[LoosePage, ...]:
    """The same, of a text that is no document yet."""
    of_page: dict[int | None, list[Block]] = {}
    for block in blocks:
        of_page.setdefault(block.page, []).append(block)
    return tuple(
        LoosePage(
            text[page.start : page.end],
            replace(page, start=0, end=page.end - page.start),
            tuple(_moved(block, -page.start) for block in of_page.get(page.number, ())),
        )
        for page in pages
    )


def _moved(block: Block, by: int) -> Block:
    lines = tuple(replace(line, start=line.start + by, end=line.end + by) for line in block.lines)
    doubts = tuple(replace(d, start=d.start + by, end=d.end + by) for d in block.doubts)
    return replace(block, start=block.start + by, end=block.end + by, lines=lines, doubts=doubts)
