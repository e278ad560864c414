"""Every kind of file -> its reader."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from rag.errors import DocumentTooLarge, InvalidDocument
from rag.local.reading import media
from rag.local.reading.allowance import Allowance
from rag.local.reading.composition import compose
from rag.local.reading.frames import Bitmap, Left
from rag.local.reading.frontmatter import front_matter
from rag.local.reading.html import read_html
from rag.local.reading.images import read_image
from rag.local.reading.layout import Printed, Recognize
from rag.local.reading.limits import Limits
from rag.local.reading.mail.eml import read_eml
from rag.local.reading.mail.mbox import read_mbox
from rag.local.reading.markup.asciidoc import read_asciidoc
from rag.local.reading.markup.data import read_json
from rag.local.reading.markup.delimited import read_delimited
from rag.local.reading.markup.notebook import read_notebook
from rag.local.reading.markup.rst import read_rst
from rag.local.reading.markup.rtf import read_rtf
from rag.local.reading.markup.xml import read_xml
from rag.local.reading.packed.archives import Member, read_compressed, read_tar
from rag.local.reading.packed.containers import read_zip
from rag.local.reading.packed.ole import read_ole
from rag.local.reading.packed.unpacking import unpack
from rag.local.reading.pdf.document import read_pdf
from rag.local.reading.plaintext import decode, paragraphs, whole
from rag.local.reading.readout import Part, Readout, marked
from rag.local.reading.task import Task

UNPACKED_APART = 100
"""Times what one document may unpack that an archive of documents may: a million files, 50 GB. Of
these one is in memory at a time."""

ReadKind: TypeAlias = Callable[[bytes, Task], Readout]


def read_kind(
    content: bytes, media_type: str, name: str, limits: Limits, recognize: Recognize
) -> Readout:
    """
    Raises:
        InvalidDocument: the bytes cannot be read.
    """
    task = Task(name, limits, Allowance(limits), recognize, _nothing)
    return _read(content, media_type, task)


def members_of(content: bytes, media_type: str, name: str, limits: Limits) -> Iterator[Member]:
    """Files of an archive, as of `unpack`."""
    wide = replace(
        limits,
        entries=limits.entries * UNPACKED_APART,
        unpacked=limits.unpacked * UNPACKED_APART,
    )
    task = Task(name, wide, Allowance(wide), _unseen, _nothing)
    yield from unpack(content, media_type, task)


def _unseen(bitmaps: Sequence[Bitmap]) -> list[Left]:
    return [Left()] * len(bitmaps)


def _nothing(name: str, content: bytes, reason: str) -> Part:
    return Part(name, None, reason)


def _read(content: bytes, media_type: str, task: Task) -> Readout:
    readout = _READERS[media_type](content, replace(task, read_part=partial(_read_part, task)))
    if len(readout.text) > task.limits.characters:
        raise DocumentTooLarge(
            f"it has {len(readout.text) // 1_000_000} million characters; at most "
            f"{task.limits.characters // 1_000_000} million are read"
        )
    return readout


def _read_part(outer: Task, name: str, content: bytes, reason: str) -> Part:
    """A file that cannot be read is no reason against those beside it; one that is too large or
    too deep is, for it takes from what they may have."""
    task = replace(outer, name=name, depth=outer.depth + 1)
    if task.depth > task.limits.depth:
        raise DocumentTooLarge(f"files are packed in one another more than {task.depth - 1} deep")
    try:
        return Part(name, _read(content, media.sniff(content, None, name), task), reason)
    except DocumentTooLarge:
        raise
    except InvalidDocument as error:
        return Part(name, None, f"{reason}; {error}")


def _read_plain(content: bytes, task: Task) -> Readout:
    text = decode(content)
    return Readout(text, paragraphs(text))


def _read_code(content: bytes, task: Task) -> Readout:
    text = decode(content)
    return Readout(text, whole(text), media_type=media.PLAIN)


def _read_markdown(content: bytes, task: Task) -> Readout:
    text = decode(content)
    said = front_matter(text)
    title = said.pop("title", None)
    return replace(marked(text, str(title) if title else None), attributes=said)


def _read_web_page(content: bytes, task: Task) -> Readout:
    page = read_html(content)
    return marked(page.markdown, page.title)


def _read_compressed(media_type: str, content: bytes, task: Task) -> Readout:
    return read_compressed(content, media_type, task)


def _composed(printed: Printed) -> Readout:
    whole = compose(printed.pages)
    return Readout(whole.text, whole.blocks, whole.pages, printed.title, printed.attributes)


_READERS: dict[str, ReadKind] = {
    media.PLAIN: _read_plain,
    media.RST: read_rst,
    media.ASCIIDOC: read_asciidoc,
    media.CSV: read_delimited,
    media.TSV: read_delimited,
    media.JSON: read_json,
    media.XML: read_xml,
    media.NOTEBOOK: read_notebook,
    media.CODE: _read_code,
    media.MARKDOWN: _read_markdown,
    media.HTML: _read_web_page,
    media.PDF: lambda content, task: _composed(read_pdf(content, task.limits, task.recognize)),
    media.ZIP: read_zip,
    media.TAR: read_tar,
    media.OLE: read_ole,
    media.RTF: read_rtf,
    media.MAIL: read_eml,
    media.MBOX: read_mbox,
    **{kind: partial(_read_compressed, kind) for kind in (media.GZIP, media.BZIP2, media.XZ)},
    **dict.fromkeys(
        media.IMAGES,
        lambda content, task: _composed(read_image(content, task.limits, task.recognize)),
    ),
}
