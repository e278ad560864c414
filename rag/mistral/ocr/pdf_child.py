"""The child process that opens PDFs: `python -m rag.mistral.ocr.pdf_child count`, or
`... cut LARGEST 1-3,7`. A PDF in, a number or a PDF out, and a status that says what went wrong.

It has no key, no secret and no file, and as much memory as the largest document needs.
"""

import resource
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # it comes without types
from pypdfium2 import raw

from rag.mistral.ocr.pdf_status import PdfStatus

_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space: a document of 256 MB, a part of it, and both as they are parsed."""

_CPU = 120
"""Seconds: as long as the parent waits, and no longer where its clock fails."""


def main() -> None:
    _confine()
    asked, *arguments = sys.argv[1:]
    content = sys.stdin.buffer.read()
    try:
        pdf = pypdfium2.PdfDocument(content)
        said = _counted(pdf) if asked == "count" else _cut(pdf, *arguments)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        sys.exit(PdfStatus.ENCRYPTED if is_locked else PdfStatus.DAMAGED)
    except MemoryError:
        sys.exit(PdfStatus.OUT_OF_MEMORY)
    sys.stdout.buffer.write(said)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError):  # where there is no such file, the system has no such killer
        Path("/proc/self/oom_score_adj").write_text("1000")


def _counted(pdf: pypdfium2.PdfDocument) -> bytes:
    return str(len(pdf)).encode()


def _cut(pdf: pypdfium2.PdfDocument, largest: str, numbers: str) -> bytes:
    part = pypdfium2.PdfDocument.new()
    part.import_pages(pdf, numbers)
    written = BytesIO()
    part.save(written)
    if written.tell() > int(largest):
        sys.exit(PdfStatus.TOO_LARGE)
    return written.getvalue()


if __name__ == "__main__":
    main()
