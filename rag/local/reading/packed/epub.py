"""A book (EPUB) -> its chapters in the order of reading."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec.structs import replace

from rag.errors import EmptyDocument, EncryptedDocument, InvalidDocument
from rag.local.reading.facts import by, dated
from rag.local.reading.html import read_html
from rag.local.reading.packed.zips import Zip
from rag.local.reading.readout import Readout, marked
from rag.local.reading.xmltree import xml_tree

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
DC = "{http://purl.org/dc/elements/1.1/}"
TITLE, CREATOR, DATE = f"{DC}title", f"{DC}creator", f"{DC}date"
FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""What only keeps fonts from being copied, and no reader from reading."""
PAGES = ("application/xhtml+xml", "text/html")


def read_epub(archive: Zip) -> Readout:
    """
    Raises:
        EncryptedDocument: it is locked to its buyer's devices.
        InvalidDocument: a part is missing or damaged.
    """
    _refuse_locked(archive)
    package = _package_name(archive)
    root = xml_tree(archive.read(package), tolerant=True)
    title = " ".join((root.findtext(f".//{TITLE}") or "").split())
    chapters = [text for name in _chapters(root, package) if (text := _chapter(archive, name))]
    if not chapters:
        raise EmptyDocument("there is no text in this book")
    facts = by(root.findtext(f".//{CREATOR}")) | dated(root.findtext(f".//{DATE}"))
    return replace(marked("\n\n".join(chapters) + "\n", title or None), attributes=facts)


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


def _chapter(archive: Zip, name: str) -> str:
    if name not in archive:
        return ""
    try:
        return read_html(archive.read(name)).markdown.strip()
    except EmptyDocument:  # a cover, a picture
        return ""
