"""The bytes of a document -> what stands where on its pages."""

import io
import re
import zipfile
from functools import lru_cache

from .derived import image_pages
from .layouts import Item, PageLayout, Unparsable
from .pdf_pages import pdf_pages

_OFFICE_PART = re.compile(r"word/document\.xml$|ppt/slides/slide\d+\.xml$|xl/sharedStrings\.xml$")
_OFFICE_TEXT = re.compile(r"<(?:\w+:)?t(?: [^>]*)?>([^<]*)<")
_OFFICE_END = re.compile(r"</(?:w:p|a:p|si)>")


@lru_cache(maxsize=64)
def layout(content: bytes, *, is_image: bool) -> tuple[PageLayout, ...]:
    """
    Raises:
        Unparsable: nothing can be read from it.
    """
    if is_image:
        return image_pages(content)
    if b"%PDF-" in content[:1024]:
        return pdf_pages(content)
    if is_office(content):
        return _office_pages(content)
    try:
        return (_text_page(content.decode()),)
    except UnicodeDecodeError as error:
        raise Unparsable from error


def is_office(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _office_pages(content: bytes) -> tuple[PageLayout, ...]:
    """Paragraphs of the parts that hold text: of a document, a slide, a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(filter(_OFFICE_PART.search, archive.namelist()))
            parts = [archive.read(name).decode() for name in names]
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise Unparsable from error
    if not parts:
        raise Unparsable
    return tuple(
        _text_page(
            "\n".join("".join(_OFFICE_TEXT.findall(each)) for each in _OFFICE_END.split(part))
        )
        for part in parts
    )


def _text_page(text: str) -> PageLayout:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    items = (
        Item("text", (100, 100 + 40 * number, 1600, 136 + 40 * number), line)
        for number, line in enumerate(lines)
    )
    return PageLayout(1700, 200 + 40 * len(lines), tuple(items))
