"""What Word, PowerPoint and Excel files have in common: parts in a ZIP, related to one another."""

import posixpath
from typing import BinaryIO
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct

from rag.domain import Attribute
from rag.errors import InvalidDocument
from rag.local.reading.facts import by, dated
from rag.local.reading.packed.zips import Zip
from rag.local.reading.xmltree import xml_tree

RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
CORE = "docProps/core.xml"
TITLE = "{http://purl.org/dc/elements/1.1/}title"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
CREATED, MODIFIED = (f"{{http://purl.org/dc/terms/}}{name}" for name in ("created", "modified"))
STRICT: tuple[tuple[bytes, bytes], ...] = tuple(
    (b"http://purl.oclc.org/ooxml/" + strict, b"http://schemas.openxmlformats.org/" + usual)
    for strict, usual in (
        (b"wordprocessingml/main", b"wordprocessingml/2006/main"),
        (b"presentationml/main", b"presentationml/2006/main"),
        (b"spreadsheetml/main", b"spreadsheetml/2006/main"),
        (b"drawingml/main", b"drawingml/2006/main"),
        (b"drawingml/chart", b"drawingml/2006/chart"),
        (b"drawingml/diagram", b"drawingml/2006/diagram"),
        (b"officeDocument/relationships", b"officeDocument/2006/relationships"),
        (b"officeDocument/math", b"officeDocument/2006/math"),
    )
)
"""Namespaces of the strict variant of ISO 29500, and those that everybody writes."""


class Relation(Struct, frozen=True):
    kind: str
    """Last word of its type: `slide`, `notesSlide`, `styles`."""
    target: str
    """Name of a part."""


class Package:
    """Parts by name. Relations to what is outside of the file are not seen at all."""

    def __init__(self, archive: Zip) -> None:
        self._archive = archive

    def __contains__(self, name: str) -> bool:
        return name in self._archive

    def tree(self, name: str) -> etree._Element:
        """
        Raises:
            InvalidDocument: it is missing or damaged.
        """
        content = self._archive.read(name)
        if b"http://purl.oclc.org/ooxml/" in content:
            for strict, usual in STRICT:
                content = content.replace(strict, usual)
        return xml_tree(content)

    def stream(self, name: str) -> BinaryIO:
        return self._archive.stream(name)

    def relations(self, name: str) -> dict[str, Relation]:
        """Of a part (or of the package, whose name is empty), by id."""
        folder, file = posixpath.split(name)
        described = posixpath.join(folder, "_rels", f"{file}.rels")
        if described not in self._archive:
            return {}
        return {
            each.get("Id", ""): Relation(
                each.get("Type", "").rpartition("/")[2],
                _resolved(folder, each.get("Target", "")),
            )
            for each in self.tree(described)
            if each.get("TargetMode") != "External"
        }

    def related(self, name: str, kind: str) -> tuple[str, ...]:
        """Names of the parts that stand in this relation to a part, and are there."""
        relations = self.relations(name).values()
        return tuple(r.target for r in relations if r.kind == kind and r.target in self)

    def main(self) -> str:
        """Name of the part that everything else belongs to.

        Raises:
            InvalidDocument: there is none.
        """
        found = self.related("", "officeDocument")
        if not found:
            raise InvalidDocument("the main part of this Office file is missing; it is damaged")
        return found[0]

    @property
    def title(self) -> str | None:
        return " ".join(self._said(TITLE).split()) or None

    @property
    def facts(self) -> dict[str, Attribute]:
        """Who made it, and when."""
        return by(self._said(CREATOR)) | dated(self._said(CREATED), self._said(MODIFIED))

    def _said(self, name: str) -> str:
        """By the file of itself."""
        said: str | None = self.tree(CORE).findtext(name) if CORE in self else None
        return said or ""


def is_on(element: etree._Element | None, value: str) -> bool:
    """Of a property that is on where it stands, unless it says otherwise."""
    return element is not None and element.get(value, "1") not in ("0", "false", "off", "none")


def _resolved(folder: str, target: str) -> str:
    whole = target if target.startswith("/") else posixpath.join("/", folder, target)
    return unquote(posixpath.normpath(whole).lstrip("/"))
