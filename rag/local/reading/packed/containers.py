"""A ZIP is an Office file, an OpenDocument, a book, or an archive: what is in it says which."""

from collections.abc import Callable

from msgspec.structs import replace

from rag.errors import UnsupportedMediaType
from rag.local.reading.office.docx import read_docx
from rag.local.reading.office.odf import OpenDocument, open_odf
from rag.local.reading.office.odf_sheets import read_odf_sheets
from rag.local.reading.office.odf_slides import read_odf_slides
from rag.local.reading.office.odf_text import read_odf_text
from rag.local.reading.office.ooxml import Package
from rag.local.reading.office.pptx import read_pptx
from rag.local.reading.office.xlsx import read_xlsx
from rag.local.reading.packed.archives import read_members, zip_members
from rag.local.reading.packed.epub import CONTAINER, read_epub
from rag.local.reading.packed.zips import Zip
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

CONTENT_TYPES = "[Content_Types].xml"
EPUB = "application/epub+zip"
OOXML = "application/vnd.openxmlformats-officedocument"
FAMILIES: tuple[tuple[str, str, Callable[[Package, Task], Readout]], ...] = (
    ("word/", f"{OOXML}.wordprocessingml.document", read_docx),
    ("ppt/", f"{OOXML}.presentationml.presentation", read_pptx),
    ("xl/", f"{OOXML}.spreadsheetml.sheet", read_xlsx),
)
"""Folder of an Office file's main part. Templates, slide shows and files with macros are read as
what they are made for; macros are not looked at."""
ODF = "application/vnd.oasis.opendocument"
ODF_KINDS: dict[str, tuple[str, Callable[[OpenDocument], Readout]]] = {
    "text": (f"{ODF}.text", read_odf_text),
    "spreadsheet": (f"{ODF}.spreadsheet", read_odf_sheets),
    "presentation": (f"{ODF}.presentation", read_odf_slides),
    "drawing": (f"{ODF}.graphics", read_odf_slides),
}
FOREIGN: tuple[tuple[str, str], ...] = (
    ("Index/Document.iwa", "Apple's Pages, Numbers and Keynote files are not read; export to PDF"),
    ("buildVersionHistory.plist", "Pages, Numbers and Keynote of 2009 are not read; export to PDF"),
    ("FixedDocSeq.fdseq", "XPS files are not read; convert it to PDF"),
    ("FixedDocumentSequence.fdseq", "XPS files are not read; convert it to PDF"),
    ("visio/document.xml", "Visio drawings are not read; export it to PDF"),
    ("3D/3dmodel.model", "this is a model to print in three dimensions, not a document"),
    ("AndroidManifest.xml", "this is an Android program, not a document"),
)


def read_zip(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: it is damaged, encrypted, or of a kind that is not read.
    """
    archive = Zip(content, task.allowance)
    for name, reason in FOREIGN:
        if name in archive:
            raise UnsupportedMediaType(reason)
    if CONTENT_TYPES in archive:
        return _read_office(Package(archive), task)
    if CONTAINER in archive:
        return replace(read_epub(archive, task), media_type=EPUB)
    if "mimetype" in archive and "content.xml" in archive:
        return read_odf(open_odf(archive, Pictures(archive, task).read))
    return read_members(zip_members(archive), task)


def is_document(archive: Zip) -> bool:
    """Whether it is one file to a person, whatever it is made of."""
    foreign = any(name in archive for name, _ in FOREIGN)
    is_odf = "mimetype" in archive and "content.xml" in archive
    return foreign or is_odf or CONTENT_TYPES in archive or CONTAINER in archive


def read_odf(document: OpenDocument) -> Readout:
    """
    Raises:
        UnsupportedMediaType: it is a formula, a database ...
    """
    if document.kind not in ODF_KINDS:
        raise UnsupportedMediaType(
            f"OpenDocument files of this kind ({document.kind}) are not read; export it to PDF"
        )
    media_type, read = ODF_KINDS[document.kind]
    return replace(read(document), media_type=media_type, attributes=document.facts)


def _read_office(package: Package, task: Task) -> Readout:
    main = package.main()
    if main.endswith(".bin"):
        raise UnsupportedMediaType("binary Excel workbooks (.xlsb) are not read; save it as .xlsx")
    for folder, media_type, read in FAMILIES:
        if main.startswith(folder):
            return replace(read(package, task), media_type=media_type, attributes=package.facts)
    raise UnsupportedMediaType(
        "this is an Office file, but no Word, PowerPoint or Excel document; export it to PDF"
    )
