"""XML that is read by people -> markdown: feeds, books, and records."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.mail.letters import body_of_html
from rag.local.reading.office.odf import OFFICE, odf_of
from rag.local.reading.packed.containers import read_odf
from rag.local.reading.plaintext import decode, whole
from rag.local.reading.readout import Piece, Readout, heading, marked, prose, written
from rag.local.reading.task import Task
from rag.local.reading.xmltree import local_name, xml_tree

FEEDS = frozenset(("rss", "feed", "RDF"))
ENTRIES = frozenset(("item", "entry"))
BODIES = ("encoded", "content", "description", "summary")
"""Of an entry, fullest first."""
FACTS = {"author": "Author", "creator": "Author", "pubDate": "Date", "published": "Date"}
TITLES = frozenset(("title", "head", "heading", "caption"))
PROSE = frozenset(("p", "para", "simpara", "title", "head", "li", "item", "note", "shortdesc"))
"""Names that tell a text from a record: DocBook, DITA, TEI, JATS."""
DEEPEST = 200  # elements within one another


def read_xml(content: bytes, task: Task) -> Readout:
    """A feed by its entries, a text by its paragraphs; everything else is as it was written.

    Raises:
        InvalidDocument: it is damaged, or declares entities.
    """
    root = xml_tree(content, tolerant=True)
    if root.tag == f"{OFFICE}document":
        return read_odf(odf_of(root))
    if local_name(root) in FEEDS and (feed := _feed(root)).text.strip():
        return feed
    elements = [local_name(element) for element in root.iter()]
    if local_name(root) != "svg" and any(name in ("p", "para", "simpara") for name in elements):
        pieces = list(_pieces(root, 0))
        titles = (piece.text.lstrip("# ") for piece in pieces if piece.kind == "title")
        return written(pieces, next(titles, None))
    text = decode(content)
    return Readout(text, whole(text))


def _feed(root: etree._Element) -> Readout:
    channel = next((each for each in root.iter() if local_name(each) == "channel"), root)
    title = _field(channel, "title")
    parts = [f"# {title}" if title else "", body_of_html(_field(channel, "description").encode())]
    for entry in root.iter():
        if local_name(entry) in ENTRIES:
            parts += _entry(entry)
    return marked("\n\n".join(filter(None, map(str.strip, parts))) + "\n", title or None)


def _entry(entry: etree._Element) -> Iterator[str]:
    yield f"## {_field(entry, 'title')}"
    facts = (f"{FACTS[name]}: {_field(entry, name)}" for name in FACTS if _field(entry, name))
    yield "\n".join(facts)
    bodies = (_field(entry, name, inner=True) for name in BODIES)
    body = next((body for body in bodies if body.strip()), "")
    yield body_of_html(body.encode()) if "<" in body or "&" in body else body


def _field(parent: etree._Element, name: str, *, inner: bool = False) -> str:
    for child in parent:
        if local_name(child) == name:
            text = (
                "\n".join(child.itertext())
                if inner
                else " ".join("".join(child.itertext()).split())
            )
            return text.strip()
    return ""


def _pieces(element: etree._Element, depth: int) -> Iterator[Piece]:
    """Paragraphs in order; a title is a heading as deep as what it is the title of."""
    name = local_name(element)
    if depth > DEEPEST or not name:
        return
    has_blocks = any(local_name(child) in PROSE or len(child) for child in element)
    if name in TITLES:
        yield heading("".join(element.itertext()), max(1, depth))
    elif name in PROSE or not has_blocks:
        yield prose(" ".join("".join(element.itertext()).split()))
    else:
        yield prose(" ".join((element.text or "").split()))
        for child in element:
            yield from _pieces(child, depth + 1)
            yield prose(" ".join((child.tail or "").split()))
