"""A web page -> markdown: its content without navigation, scripts and hidden parts.

Nothing is fetched: the tree is built from the bytes alone.
"""

import re
from collections.abc import Callable

from bs4 import BeautifulSoup, Tag
from bs4.builder import ParserRejectedMarkup
from markdownify import ATX, MarkdownConverter
from msgspec import Struct

from rag.errors import InvalidDocument
from rag.local.reading.plaintext import decode, normalized

CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
CHARSET_WITHIN = 4096  # bytes; browsers look no further than 1024
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
BLANK_LINES = re.compile(r"\n{3,}")
TRAILING_BLANKS = re.compile(r"[ \t]+\n")

DROPPED = {
    *("script", "style", "noscript", "template", "svg", "canvas", "link", "meta", "base"),
    *("iframe", "object", "embed", "nav", "dialog", "button", "select", "input", "textarea"),
}
DROPPED_ROLES = {"navigation", "search", "menu", "menubar", "toolbar", "dialog", "alertdialog"}
EDGES = ("header", "footer", "aside")
"""Dropped from the page as a whole; within an article they belong to it."""
MAIN: tuple[Callable[[Tag], bool], ...] = (
    lambda tag: tag.name == "main",
    lambda tag: tag.attrs.get("role") == "main",
    lambda tag: tag.name == "article",
    lambda tag: tag.attrs.get("id") in ("content", "main"),
)
"""What says of itself that it is the page's content, surest first."""
MAIN_SHARE = 0.4
"""Of the page's characters that a main element must hold to stand for it; below that, what is
marked as main is a teaser, and the whole body is taken."""
WIDEST_SPAN = 100
"""Columns or rows; more is an attack or a mistake."""
DIGITS = "0123456789+-−()"
RAISED = str.maketrans(DIGITS, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")


class WebPage(Struct, frozen=True):
    title: str | None
    markdown: str


def read_html(content: bytes) -> WebPage:
    """
    Raises:
        InvalidDocument: no tree can be built from it.
    """
    charset = CHARSET.search(content[:CHARSET_WITHIN])
    text = decode(content, charset[1].decode() if charset else None)
    try:
        tree = BeautifulSoup(text, "lxml")
    except ParserRejectedMarkup as error:
        raise InvalidDocument("this HTML cannot be parsed") from error
    title = tree.title.get_text(" ", strip=True) if tree.title else None
    _drop_unseen(tree)
    main = _content(tree)
    _flatten_inner(main)
    for table in main.find_all("table"):
        _spread_spans(table)
    markdown = _converter().convert_soup(main)
    return WebPage(title or None, _tidy(markdown))


def _drop_unseen(tree: BeautifulSoup) -> None:
    for tag in tree.find_all(True):
        if not tag.decomposed and _is_unseen(tag):
            tag.decompose()
    if tree.head:
        tree.head.decompose()


def _is_unseen(tag: Tag) -> bool:
    if tag.name in DROPPED:
        return True
    attributes = tag.attrs
    return bool(attributes) and (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in DROPPED_ROLES
        or HIDDEN_STYLE.search(str(attributes.get("style", ""))) is not None
    )


def _content(tree: BeautifulSoup) -> Tag:
    """The main element if it is one, else the body without what stands at its edges."""
    body = tree.body or tree
    tags = body.find_all(True)
    everything = len(body.get_text())
    for is_main in MAIN:
        found = [tag for tag in tags if is_main(tag)]
        if len(found) == 1 and len(found[0].get_text()) >= MAIN_SHARE * everything:
            return found[0]
    edges = [tag for tag in tags if tag.name in EDGES and not tag.find_parent(["article", "main"])]
    if sum(len(tag.get_text()) for tag in edges) < (1 - MAIN_SHARE) * everything:
        for tag in edges:
            tag.decompose()
    return body


def _converter() -> MarkdownConverter:
    """Nothing is escaped and nothing is emphasized: headings, lists, tables and code are marked up,
    and the words in them stay as a person would quote them."""
    return _Markdown(
        heading_style=ATX,
        bullets="-",
        strip=["b", "strong", "i", "em", "u", "ins", "a"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )


class _Markdown(MarkdownConverter):
    """Of an image its description alone; an exponent stays one."""

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return str(el.get("alt", "")).strip()

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """10<sup>2</sup> is 10², never 102."""
        raised = text.strip()
        if not raised or raised[0] not in DIGITS:
            return text
        return raised.translate(RAISED) if set(raised) <= set(DIGITS) else f"^{raised}"


def _spread_spans(table: Tag) -> None:
    """Empty cells where a cell reaches down from above, so that columns stay columns."""
    reaching: dict[int, int] = {}
    for row in table.find_all("tr"):
        column = 0
        for cell in row.find_all(["td", "th"], recursive=False):
            column = _filled_from_above(reaching, column, cell)
            width, height = _span(cell, "colspan"), _span(cell, "rowspan")
            if height > 1:
                reaching |= dict.fromkeys(range(column, column + width), height - 1)
            column += width


def _filled_from_above(reaching: dict[int, int], column: int, cell: Tag) -> int:
    """The column of `cell`, after an empty one for each that is taken from above."""
    while reaching.get(column):
        cell.insert_before(Tag(name="td"))
        reaching[column] -= 1
        column += 1
    return column


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name, "1"))
    return min(int(value), WIDEST_SPAN) if value.isdecimal() and int(value) else 1


def _flatten_inner(tree: Tag) -> None:
    """Tables within cells as text: markdown has no cell for them."""
    for table in tree.find_all("table"):
        if not table.find_parent("table"):
            continue
        rows = [" ".join(row.stripped_strings) for row in table.find_all("tr")]
        table.replace_with("; ".join(filter(None, rows)))


def _tidy(markdown: str) -> str:
    return BLANK_LINES.sub("\n\n", TRAILING_BLANKS.sub("\n", normalized(markdown))).strip() + "\n"
