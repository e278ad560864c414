"""What a reader makes of bytes, before it is a document: one text, and spans of it.

Readers of office files, mail and archives say what stands in them piece by piece; here the pieces
become one text.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from rag.chunking.markdown import LONG_LIST, blocks
from rag.domain import Attribute, Block, BlockKind, Page
from rag.local.reading.plaintext import normalized
from rag.pages import LoosePage, composed, loosened

TEXT_LAYER = "text-layer"
"""`Page.reader` of a slide, sheet or message: its text was there to be taken."""
LEFT_OUT = "none"
"""`Page.reader` of a part without text; its reason says why."""
DEEPEST = 6  # levels of headings in markdown
BETWEEN_PIECES = "\n\n"


class Piece(Struct, frozen=True):
    """A block with its marks (`## `, `- `), before it has a place in a text."""

    kind: BlockKind
    text: str
    level: int = 0
    place: str | None = None
    confidence: float | None = None
    """As of `Block`."""


class Leaf(Struct, frozen=True):
    """A slide, a sheet: a page without paper."""

    name: str
    pieces: tuple[Piece, ...]
    reason: str
    """As of `Page`; of one that is left out, why."""
    reader: str = TEXT_LAYER


class Readout(Struct, frozen=True):
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    title: str | None = None
    attributes: dict[str, Attribute] = {}
    """What the file says of itself."""
    media_type: str | None = None
    """Where the bytes turned out to be something more special than they were taken for."""


class Part(Struct, frozen=True):
    """A file within a file."""

    name: str
    readout: Readout | None
    reason: str
    """Why it is there; of one that could not be read, why not."""


def heading(text: str, level: int) -> Piece:
    words = " ".join(text.split())
    level = max(1, min(level, DEEPEST))
    return Piece("title", f"{'#' * level} {words}" if words else "", level)


def prose(text: str) -> Piece:
    return Piece("text", text.strip())


def marked(markdown: str, title: str | None = None) -> Readout:
    """A text that is markdown already."""
    text = normalized(markdown)
    return Readout(text, blocks(text), title=title)


def written(pieces: Iterable[Piece], title: str | None = None) -> Readout:
    """Pieces one below the other."""
    text, spans = _spans(pieces)
    return Readout(text, spans, title=title)


def pieces_of(readout: Readout) -> Iterator[Piece]:
    """What it is made of, to stand in the text of another file."""
    for block in readout.blocks:
        text = readout.text[block.start : block.end]
        yield Piece(block.kind, text, block.level, block.place, block.confidence)


def bound(leaves: Iterable[Leaf], title: str | None = None) -> Readout:
    """Slides or sheets, numbered from 1."""
    loose = (_loose(leaf, number) for number, leaf in enumerate(leaves, start=1))
    text, spans, pages = composed(loose)
    return Readout(text, spans, pages, title)


def joined(parts: Iterable[Part], title: str | None = None) -> Readout:
    """Files of one file: each a page of its own, or as many as it has, below its name."""
    text, spans, pages = composed(_renumbered(parts))
    return Readout(text, spans, pages, title)


def _spans(pieces: Iterable[Piece]) -> tuple[str, tuple[Block, ...]]:
    texts: list[str] = []
    spans: list[Block] = []
    end = 0
    for piece in _gathered(pieces):
        start = end + len(BETWEEN_PIECES) * bool(texts)
        end = start + len(piece.text)
        texts.append(piece.text)
        spans.append(
            Block(
                piece.kind, start, end, piece.level, place=piece.place, confidence=piece.confidence
            )
        )
    return BETWEEN_PIECES.join(texts), tuple(spans)


def _gathered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces with text, cleaned; items of one list together, as long as they share a chunk."""
    items: list[str] = []
    length = 0
    for piece in pieces:
        text = normalized(piece.text)
        if not text.strip():
            continue
        if items and (piece.kind != "list" or length + len(text) > LONG_LIST):
            yield Piece("list", "\n".join(items))
            items, length = [], 0
        if piece.kind == "list":
            items.append(text)
            length += len(text) + 1
        else:
            yield replace(piece, text=text)
    if items:
        yield Piece("list", "\n".join(items))


def _loose(leaf: Leaf, number: int) -> LoosePage:
    text, spans = _spans(leaf.pieces)
    page = Page(number, 0, len(text), leaf.reader, leaf.reason, name=leaf.name)
    return LoosePage(text, page, tuple(replace(block, page=number) for block in spans))


def _renumbered(parts: Iterable[Part]) -> Iterator[LoosePage]:
    number = 0
    for part in parts:
        for loose in _pages_of(part):
            number += 1
            yield LoosePage(
                loose.text,
                replace(loose.page, number=number),
                tuple(replace(block, page=number) for block in loose.blocks),
            )


def _pages_of(part: Part) -> Iterator[LoosePage]:
    if part.readout is None:
        yield LoosePage("", Page(1, 0, 0, LEFT_OUT, part.reason, name=part.name), ())
        return
    numbered = len(part.readout.pages) > 1
    for position, loose in enumerate(_loosened(part.readout, part.reason)):
        names = [part.name, loose.page.name or (f"page {loose.page.number}" if numbered else "")]
        page = replace(loose.page, name=" › ".join(filter(None, names)))
        named = LoosePage(loose.text, page, tuple(map(_lower, loose.blocks)))
        yield named if position else _headed(named, part.name)


def _loosened(readout: Readout, reason: str) -> tuple[LoosePage, ...]:
    if readout.pages:
        return loosened(readout.text, readout.blocks, readout.pages)
    whole = Page(1, 0, len(readout.text), TEXT_LAYER, reason)
    return (LoosePage(readout.text, whole, readout.blocks),)


def _lower(block: Block) -> Block:
    return replace(block, level=min(block.level + 1, DEEPEST)) if block.level else block


def _headed(loose: LoosePage, name: str) -> LoosePage:
    """A page below the name of its file."""
    title, [block] = _spans([heading(name, 1)])
    page = replace(loose.page, start=0, end=len(title))
    below = LoosePage(loose.text, loose.page, loose.blocks)
    text, spans, _ = composed([LoosePage(title, page, (block,)), below])
    return LoosePage(text, replace(loose.page, start=0, end=len(text)), spans)
