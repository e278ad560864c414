"""A block becomes the smallest pieces that can stand as an answer: sentences, rows, items.

Each piece is a span of the block's text, so that quoting it is slicing, and a reading of it with
markup taken away, for people and for the embedder.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from rag.domain import Block
from rag.sentences import sentence_spans


class Sentence(Struct, frozen=True):
    """A sentence, list item or table row: `block_text[start:end]`, verbatim."""

    start: int
    end: int
    text: str
    """As read aloud: markup gone, white space folded, a row's cells with their column's name."""
    header: tuple[int, int] | None = None
    """Span of the table's header row, without which a row says little."""


def sentences(block: Block, text: str) -> tuple[Sentence, ...]:
    """The pieces of one block, in order; a heading is one. Page headers and footers give none: they
    say the same on every page."""
    if block.kind in ("header", "footer"):
        return ()
    if block.kind == "table" or _looks_like_table(text):
        return tuple(_rows(text))
    if block.kind == "code":
        spans = (_without_marks(text, *span) for span in _paragraph_spans(text))
        return tuple(_pieces(text, spans, lambda code: " ".join(code.split())))
    if block.kind == "list":
        return tuple(_pieces(text, _item_spans(text), readable))
    if block.kind in ("title", "equation", "image"):
        return tuple(_pieces(text, [(0, len(text))], readable))
    return tuple(_pieces(text, sentence_spans(text, 0, len(text)), readable))


def readable(text: str) -> str:
    """Text as read aloud: markdown's marks and HTML's tags gone, white space folded."""
    if _MARKS.search(text):
        for pattern, replacement in _MARKUP:
            text = pattern.sub(replacement, text)
    return " ".join(text.split())


_MARKS = re.compile(r"[\\`*_{}\[\]<>#+•-]|^\s{0,3}\d{1,3}[.)]", re.MULTILINE)
"""Without one of these there is no markup."""

_MARKUP = (
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),  # image
    (re.compile(r"\[([^\]]+)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)"), r"\1"),  # link
    (re.compile(r"(?<=[.,;:!?)\"'”’])(?:\[\d{1,3}\])+"), ""),  # number of a note
    (re.compile(r"</?[A-Za-z][^<>]*>"), " "),  # tag
    (re.compile(r"(?m)^\s{0,3}(?:[-*+•]|\d{1,3}[.)])\s+"), ""),  # list marker
    (re.compile(r"(?m)^\s{0,3}(?:#{1,6}|>+)\s+"), ""),  # heading, quotation
    (re.compile(r"(\*\*|__|\*|_|`+)(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),  # emphasis, code
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|<>~-])"), r"\1"),  # escaped mark
)


def _pieces(
    text: str, spans: Iterable[tuple[int, int]], read: Callable[[str], str]
) -> Iterator[Sentence]:
    for span in spans:
        start, end = _trimmed(text, *span)
        reading = read(text[start:end])
        if any(character.isalnum() for character in reading):
            yield Sentence(start, end, reading)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def _line_spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^\n]+", text)]


_FENCE = re.compile(r"(?m)^[ \t]*(?:`{3,}|~{3,}).*$")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_MARKER = re.compile(r"(?m)^[ \t]*(?:[-*+•‣◦▪]|\d{1,3}[.)]|[a-z][.)])[ \t]+")

LONG_CODE = 480
"""Characters of code that stand for one answer: a signature with its documentation, a dozen lines
of a body. A longer paragraph falls into runs of whole lines."""

LONG_ITEM = 400
"""Characters. A list item is one piece, since its sentences lean on each other; one longer than
this is prose with a bullet, and falls into sentences."""


def _paragraph_spans(code: str) -> list[tuple[int, int]]:
    cuts = sorted(m.span() for pattern in (_FENCE, _BLANK_LINE) for m in pattern.finditer(code))
    edges = [0, *(edge for cut in cuts for edge in cut), len(code)]
    paragraphs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    return [run for paragraph in paragraphs for run in _runs_of_lines(code, *paragraph)]


_MARK = r"(?:\"{3}|'{3})"
_COMMENT = re.compile(
    rf"\s*(?:[a-zA-Z]?(\"{{3}}|'{{3}})(?P<doc>.*)\1|/\*+(?P<block>.*)\*/"
    rf"|[a-zA-Z]?{_MARK}(?P<opened>(?:(?!{_MARK}).)*)|(?P<closed>(?:(?!{_MARK}).)*){_MARK})\s*",
    re.DOTALL,
)
"""A paragraph that is a comment, or one of those that a documentation falls into."""


def _without_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """The inside of a paragraph that is a comment, or the beginning or end of one."""
    comment = _COMMENT.fullmatch(text, start, end)
    return comment.span(str(comment.lastgroup)) if comment else (start, end)


def _runs_of_lines(code: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    for line in re.finditer(r"[^\n]+\n?", code[start:end]):
        if first < start + line.start() and start + line.end() - first > LONG_CODE:
            yield first, start + line.start()
            first = start + line.start()
    yield first, end


def _item_spans(text: str) -> Iterator[tuple[int, int]]:
    """Items without their markers, what stands before the first as prose; lines where no item
    is marked."""
    markers = [match.span() for match in _MARKER.finditer(text)]
    if not markers:
        yield from _line_spans(text)
        return
    yield from sentence_spans(text, 0, markers[0][0])
    ends = [*(start for start, _ in markers[1:]), len(text)]
    for (_, start), end in zip(markers, ends, strict=True):
        if end - start <= LONG_ITEM:
            yield start, end
        else:
            yield from sentence_spans(text, start, end)


# --- tables -------------------------------------------------------------------------------------

_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
"""The line below a markdown table's header."""


def _looks_like_table(text: str) -> bool:
    lines = text.strip().splitlines()
    return len(lines) > 2 and "|" in lines[0] and _RULE.fullmatch(lines[1]) is not None


def _rows(text: str) -> Iterator[Sentence]:
    lines = [_trimmed(text, start, end) for start, end in _line_spans(text)]
    rule = next((n for n, (a, b) in enumerate(lines) if _RULE.fullmatch(text[a:b])), None)
    header = lines[rule - 1] if rule else None
    names = _cells(text[slice(*header)]) if header else []
    for start, end in lines[(rule + 1) if rule is not None else 0 :]:
        reading = _row_reading(names, _cells(text[start:end]))
        if reading:
            yield Sentence(start, end, reading, header if any(names) else None)


def _cells(row: str) -> list[str]:
    return [readable(cell) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _row_reading(names: list[str], cells: list[str]) -> str:
    """`Year: 2018; Revenue: 5`, and plain cells where the columns have no names."""
    named = zip(names + [""] * (len(cells) - len(names)), cells, strict=False)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
