"""A book (EPUB) -> its chapters in the order of reading."""

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec.structs import replace

from rag.errors import EmptyDocument, EncryptedDocument, InvalidDocument
from rag.local.reading.facts import by, dated
from rag.local.reading.html import read_html
from rag.local.reading.packed.zips import Zip
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import Piece, Readout, marked, pieces_of, written
from rag.local.reading.task import Task
from rag.local.reading.xmltree import xml_tree

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
DC = "{http://purl.org/dc/elements/1.1/}"
TITLE, CREATOR, DATE = f"{DC}title", f"{DC}creator", f"{DC}date"
FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""What only keeps fonts from being copied, and no reader from reading."""
HREF = "{http://www.w3.org/1999/xlink}href"
PAGES = ("application/xhtml+xml", "text/html")


def read_epub(archive: Zip, task: Task) -> Readout:
    """
    Raises:
        EncryptedDocument: it is locked to its buyer's devices.
        InvalidDocument: a part is missing or damaged.
    """
    _refuse_locked(archive)
    package = _package_name(archive)
    root = xml_tree(archive.read(package), tolerant=True)
    title = " ".join((root.findtext(f".//{TITLE}") or "").split())
    pictures = Pictures(archive, task)
    pieces = [p for name in _chapters(root, package) for p in _chapter(archive, name, pictures)]
    if not pieces:
        raise EmptyDocument("there is no text in this book")
    facts = by(root.findtext(f".//{CREATOR}")) | dated(root.findtext(f".//{DATE}"))
    return replace(written(pieces, title or None), attributes=facts)


def _refuse_locked(archive: Zip) -> None:
    if ENCRYPTION not in archive:
        return
    methods = xml_tree(archive.read(ENCRYPTION)).iter("{*}EncryptionMethod")
    if any(method.get("Algorithm") not in FONTS for method in methods):
        raise EncryptedDocument("the book is locked to its buyer's devices")


def _package_name(archive: Zip) -> str:
    for root in xml_tree(archive.read(CONTAINER), tolerant=True).iter("{*}rootfile"):
        return str(root.get("full-path", ""))
    raise InvalidDocument("this book does not say where its content is; it is damaged")


def _chapters(root: etree._Element, package: str) -> Iterator[str]:
    """Names of the pages in reading order, but for the table of contents."""
    items = {item.get("id"): item for item in root.iter("{*}item")}
    for reference in root.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in PAGES:
            continue
        if "nav" not in item.get("properties", "").split():
            name = posixpath.join(posixpath.dirname(package), unquote(item.get("href", "")))
            yield posixpath.normpath(name)


def _chapter(archive: Zip, name: str, pictures: Pictures) -> Iterator[Piece]:
    """Its text, and below it what is written on its pictures."""
    if name not in archive:
        return
    content = archive.read(name)
    with suppress(EmptyDocument):  # a cover, a plate
        yield from pieces_of(marked(read_html(content).markdown.strip()))
    for picture in _pictures(content, name):
        if piece := pictures.read(picture):
            yield piece


def _pictures(content: bytes, name: str) -> Iterator[str]:
    """Names of the images that a chapter shows."""
    for image in xml_tree(content, tolerant=True).iter("{*}img", "{*}image"):
        source = unquote(image.get("src") or image.get(HREF) or "")
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
