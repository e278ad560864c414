"""A web page -> markdown: its content without navigation, scripts and hidden parts.

Nothing is fetched: the tree is built from the bytes alone.
"""

import re
from collections.abc import Callable

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from lxml.html import (  # type: ignore[import-untyped]
    HtmlElement,
    HTMLParser,
    document_fromstring,
)
from msgspec import Struct

from rag.errors import EmptyDocument, InvalidDocument
from rag.local.reading.html_markdown import markdown
from rag.local.reading.plaintext import decode

CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
CHARSET_WITHIN = 4096  # bytes; browsers look no further than 1024
BROWSERS_LAST_RESORT = "windows-1252"
NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that a reference may name and that no tree takes back: moving a text that holds one
would fail."""
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

DROPPED = {
    *("script", "style", "noscript", "template", "svg", "canvas", "link", "meta", "base", "title"),
    *("iframe", "object", "embed", "nav", "dialog", "button", "select", "input", "textarea"),
}
DROPPED_ROLES = {"navigation", "search", "menu", "menubar", "toolbar", "dialog", "alertdialog"}
EDGES = ("header", "footer", "aside")
"""Dropped from the page as a whole; within an article they belong to it."""
MAIN: tuple[Callable[[HtmlElement], bool], ...] = (
    lambda element: element.tag == "main",
    lambda element: element.get("role") == "main",
    lambda element: element.tag == "article",
    lambda element: element.get("id") in ("content", "main"),
)
"""What says of itself that it is the page's content, surest first."""
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
    tree = _tree(decode(content, charset[1].decode() if charset else None, BROWSERS_LAST_RESORT))
    _drop_no_text(tree)
    title = " ".join((tree.findtext(".//title") or "").split())
    _drop_unseen(tree)
    try:
        return WebPage(title or None, NO_TEXT.sub("", markdown(_content(tree))) + "\n")
    except RecursionError:
        raise InvalidDocument("this HTML is nested too deeply to be read") from None


def _tree(text: str) -> HtmlElement:
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return document_fromstring(text.encode(), parser=parser)
    except etree.ParserError:
        raise EmptyDocument("there is no text in this HTML") from None
    except etree.XMLSyntaxError as error:
        raise InvalidDocument("this HTML cannot be parsed") from error


def _drop_no_text(tree: HtmlElement) -> None:
    for element in tree.iter():
        if element.text and NO_TEXT.search(element.text):
            element.text = NO_TEXT.sub("", element.text)
        if element.tail and NO_TEXT.search(element.tail):
            element.tail = NO_TEXT.sub("", element.tail)


def _drop_unseen(tree: HtmlElement) -> None:
    for element in [e for e in tree.iter() if _is_unseen(e)]:
        if element.getparent() is not None:
            element.drop_tree()


def _is_unseen(element: HtmlElement) -> bool:
    if element.tag in DROPPED:
        return True
    attributes = element.attrib
    return bool(attributes) and (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in DROPPED_ROLES
        or HIDDEN_STYLE.search(attributes.get("style", "")) is not None
    )


def _content(tree: HtmlElement) -> HtmlElement:
    """The main element if it is one, else the body without what stands at its edges."""
    body = tree.find("body")
    if body is None:
        return tree
    elements = list(body.iter())
    everything = _length(body)
    for is_main in MAIN:
        found = [element for element in elements if is_main(element)]
        if len(found) == 1 and _length(found[0]) >= MAIN_SHARE * everything:
            return found[0]
    edges = [e for e in elements if e.tag in EDGES and _is_outside(e)]
    if sum(map(_length, edges)) < (1 - MAIN_SHARE) * everything:
        for edge in edges:
            edge.drop_tree()
    return body


def _length(element: HtmlElement) -> int:
    """Of its text without white space."""
    return sum(map(len, element.text_content().split()))


def _is_outside(element: HtmlElement) -> bool:
    """Of any article, and of the other edges."""
    return next(element.iterancestors("article", "main", *EDGES), None) is None
