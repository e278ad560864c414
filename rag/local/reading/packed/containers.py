"""A ZIP is an Office file, an OpenDocument, a book, or an archive: what is in it says which."""

from collections.abc import Callable

from rag.errors import UnsupportedMediaType
from rag.local.reading.office.docx import read_docx
from rag.local.reading.office.ooxml import Package
from rag.local.reading.office.pptx import read_pptx
from rag.local.reading.office.xlsx import read_xlsx
from rag.local.reading.packed.zips import Zip
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

CONTENT_TYPES = "[Content_Types].xml"
OOXML = "application/vnd.openxmlformats-officedocument"
FAMILIES: tuple[tuple[str, str, Callable[[Package], Readout]], ...] = (
    ("word/", f"{OOXML}.wordprocessingml.document", read_docx),
    ("ppt/", f"{OOXML}.presentationml.presentation", read_pptx),
    ("xl/", f"{OOXML}.spreadsheetml.sheet", read_xlsx),
)
"""Folder of an Office file's main part. Templates, slide shows and files with macros are read as
what they are made for; macros are not looked at."""


def read_zip(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: it is damaged, encrypted, or of a kind that is not read.
    """
    archive = Zip(content, task.allowance)
    if CONTENT_TYPES in archive:
        return _read_office(Package(archive))
    raise UnsupportedMediaType("ZIP archives are not read yet")


def _read_office(package: Package) -> Readout:
    main = package.main()
    if main.endswith(".bin"):
        raise UnsupportedMediaType("binary Excel workbooks (.xlsb) are not read; save it as .xlsx")
    for folder, media_type, read in FAMILIES:
        if main.startswith(folder):
            readout = read(package)
            return Readout(readout.text, readout.blocks, readout.pages, readout.title, media_type)
    raise UnsupportedMediaType(
        "this is an Office file, but no Word, PowerPoint or Excel document; export it to PDF"
    )
