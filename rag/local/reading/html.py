"""A web page -> markdown: its content without navigation, scripts and hidden parts.

Nothing is fetched: the tree is built from the bytes alone.
"""

import re

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
MAIN = ("main", "[role=main]", "article", "#content", "#main")
MAIN_SHARE = 0.4
"""Of the page's characters that a main element must hold to stand for it; below that, what is
marked as main is a teaser, and the whole body is taken."""


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
    markdown = _converter().convert_soup(_content(tree))
    return WebPage(title or None, _tidy(markdown))


def _drop_unseen(tree: BeautifulSoup) -> None:
    for tag in tree.find_all(_is_unseen):
        tag.decompose()
    if tree.head:
        tree.head.decompose()


def _is_unseen(tag: Tag) -> bool:
    return (
        tag.name in DROPPED
        or tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or str(tag.get("role", "")) in DROPPED_ROLES
        or HIDDEN_STYLE.search(str(tag.get("style", ""))) is not None
    )


def _content(tree: BeautifulSoup) -> Tag:
    """The main element if it is one, else the body without what stands at its edges."""
    body = tree.body or tree
    everything = len(body.get_text())
    for selector in MAIN:
        found = tree.select(selector)
        if len(found) == 1 and len(found[0].get_text()) >= MAIN_SHARE * everything:
            return found[0]
    edges = [tag for tag in body.find_all(EDGES) if tag.find_parent(("article", "main")) is None]
    if sum(len(tag.get_text()) for tag in edges) < (1 - MAIN_SHARE) * everything:
        for tag in edges:
            tag.decompose()
    return body


def _converter() -> MarkdownConverter:
    """Nothing is escaped: our blocks say what is markup, and the page's own signs stay as is."""
    return _Markdown(
        heading_style=ATX,
        bullets="-",
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )


class _Markdown(MarkdownConverter):
    """Keeps links to the web as links, and of an image only its description."""

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        href = str(el.get("href", ""))
        if not href.startswith(("http://", "https://")):
            return text
        return f"[{text.strip()}]({href})" if text.strip() else ""

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return str(el.get("alt", "")).strip()


def _tidy(markdown: str) -> str:
    return BLANK_LINES.sub("\n\n", TRAILING_BLANKS.sub("\n", normalized(markdown))).strip() + "\n"
