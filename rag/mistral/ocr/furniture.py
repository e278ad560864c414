"""What runs through a document, page after page, and says nothing of any of them.

The provider takes what it holds for a header or footer out of a page's text. That is right for a
running title, and wrong for the letterhead of a single sheet, which may be all that names the
sender. So it is believed only of lines that come back on other pages, as a reader of text layers
would do, and of page numbers; the other lines go back to where they stood.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from rag.mistral.wire.ocr import OcrPage

_EDGE_PAGES = 2
"""On which a line has to stand before it is running: the provider holds it for a header or footer
already, and those of left and right pages may differ."""

_LINK_PAGES = 3
"""From which a link without an anchor leads out of a running line."""

_VARYING = re.compile(r"\d+|\b[ivxlc]+\b")
_NUMBER_WORDS = frozenset({"page", "p", "pp", "of", "seite", "von", "de", "sur"})
"""Words of a page number in the languages that we have met."""

_EDGES = ("header", "footer")


class Furniture(Struct, frozen=True):
    """Lines and links that run through the pages of one reading."""

    lines: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    def is_running(self, line: str) -> bool:
        return _constant(line) in self.lines or _is_page_number(line)

    def without(self, text: str | None) -> str:
        """A header or footer, without the lines of it that are running."""
        lines = (text or "").splitlines()
        return "\n".join(line for line in lines if not self.is_running(line)).strip()


def furniture(pages: Sequence[OcrPage]) -> Furniture:
    """Of pages of one document."""
    lines = (map(_constant, _edge_lines(page)) for page in pages)
    links = (page.hyperlinks or () for page in pages)
    return Furniture(_frequent(lines, _EDGE_PAGES), _frequent(links, _LINK_PAGES))


def _frequent(pages: Iterable[Iterable[str]], needed: int) -> frozenset[str]:
    seen = Counter(each for page in pages for each in set(page))
    return frozenset(each for each, count in seen.items() if each and count >= needed)


def _edge_lines(page: OcrPage) -> Iterator[str]:
    for text in (page.header, page.footer):
        yield from (text or "").splitlines()
    for block in page.blocks or ():
        if block.type in _EDGES:
            yield from block.content.splitlines()


def _constant(line: str) -> str:
    """The line with what changes from page to page taken out."""
    return " ".join(_VARYING.sub("#", line.casefold()).split())


def _is_page_number(line: str) -> bool:
    words = re.findall(r"[^\W\d_]+", _VARYING.sub(" ", line.casefold()))
    return any(c.isalnum() for c in line) and set(words) <= _NUMBER_WORDS
