"""What OpenDocument files have in common: one tree of content, and styles that hide."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct, structs

from rag.domain import Attribute
from rag.errors import EncryptedDocument, InvalidDocument
from rag.local.reading.facts import by, dated
from rag.local.reading.packed.zips import Zip
from rag.local.reading.readout import Piece
from rag.local.reading.xmltree import local_name, xml_tree

_O = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE = f"{{{_O}office:1.0}}"
TEXT = f"{{{_O}text:1.0}}"
TABLE = f"{{{_O}table:1.0}}"
DRAW = f"{{{_O}drawing:1.0}}"
STYLE = f"{{{_O}style:1.0}}"
PRESENTATION = f"{{{_O}presentation:1.0}}"
SVG = f"{{{_O}svg-compatible:1.0}}"
MANIFEST = f"{{{_O}manifest:1.0}}"
TITLE = "{http://purl.org/dc/elements/1.1/}title"
META_OF = f"{OFFICE}meta"
AUTHOR, CREATED = (f"{{{_O}meta:1.0}}{name}" for name in ("initial-creator", "creation-date"))
MODIFIED = "{http://purl.org/dc/elements/1.1/}date"
HREF = "{http://www.w3.org/1999/xlink}href"
CONTENT, STYLES, META = "content.xml", "styles.xml", "meta.xml"


ReadPicture: TypeAlias = Callable[[str], Piece | None]
"""By the name of a member."""


class OpenDocument(Struct, frozen=True):
    body: etree._Element
    """`office:text`, `office:spreadsheet` or `office:presentation`."""
    kind: str
    hidden: frozenset[str]
    """Names of the styles whose text, tables or slides are not shown."""
    raised: frozenset[str]
    """Names of the styles of exponents."""
    numbered: frozenset[tuple[str, str]]
    """Names of list styles, with the levels (from 1) that they number."""
    headings: frozenset[str]
    """Names of the styles of a document's title."""
    title: str | None
    facts: dict[str, Attribute]
    """Who made it, and when."""
    read_picture: ReadPicture = lambda _: None
    """Of a flat file, whose pictures stand within it, none is read."""


def open_odf(archive: Zip, read_picture: ReadPicture) -> OpenDocument:
    """
    Raises:
        EncryptedDocument: a password is needed.
        InvalidDocument: there is no content in it.
    """
    if "META-INF/manifest.xml" in archive:
        manifest = xml_tree(archive.read("META-INF/manifest.xml"))
        if next(manifest.iter(f"{MANIFEST}encryption-data"), None) is not None:
            raise EncryptedDocument("the file is encrypted; save it without its password")
    others = [xml_tree(archive.read(name)) for name in (STYLES, META) if name in archive]
    found = odf_of(xml_tree(archive.read(CONTENT)), *others)
    return structs.replace(found, read_picture=read_picture)


def odf_of(root: etree._Element, *others: etree._Element) -> OpenDocument:
    """Of its trees; of a flat file there is but one."""
    body = root.find(f"{OFFICE}body")
    if body is None or not len(body):
        raise InvalidDocument("there is no content in this OpenDocument file; it is damaged")
    styles = [style for tree in (root, *others) for style in tree.iter(f"{STYLE}style")]

    def said(name: str) -> str | None:
        found = (tree.findtext(f".//{META_OF}/{name}") for tree in (root, *others))
        return next(filter(None, found), None)

    titles = (tree.findtext(f".//{TITLE}") for tree in (root, *others))
    return OpenDocument(
        body[0],
        local_name(body[0]),
        frozenset(_name(style) for style in styles if _hides(style)),
        frozenset(_name(style) for style in styles if _raises(style)),
        frozenset(pair for tree in (root, *others) for pair in _numbered(tree)),
        frozenset({"Title"} | {_name(s) for s in styles if _parent(s) == "Title"}),
        next((" ".join(title.split()) for title in titles if title and title.strip()), None),
        by(said(AUTHOR)) | dated(said(CREATED), said(MODIFIED)),
    )


def _name(style: etree._Element) -> str:
    name: str = style.get(f"{STYLE}name", "")
    return name


def _parent(style: etree._Element) -> str:
    parent: str = style.get(f"{STYLE}parent-style-name", "")
    return parent


def _raises(style: etree._Element) -> bool:
    positions = (properties.get(f"{STYLE}text-position", "") for properties in style)
    return any(position.startswith(("super", "33%")) for position in positions)


def _numbered(tree: etree._Element) -> Iterator[tuple[str, str]]:
    for style in tree.iter(f"{TEXT}list-style"):
        for level in style.iterchildren(f"{TEXT}list-level-style-number"):
            if level.get(f"{STYLE}num-format"):
                yield _name(style), level.get(f"{TEXT}level", "")


def _hides(style: etree._Element) -> bool:
    return any(
        properties.get(f"{TEXT}display") == "none"
        or properties.get(f"{TABLE}display") == "false"
        or properties.get(f"{PRESENTATION}visibility") == "hidden"
        for properties in style
    )
