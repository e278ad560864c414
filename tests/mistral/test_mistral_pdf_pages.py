"""Files that nobody trusts are opened by a process that nobody needs."""

from contextlib import nullcontext
from pathlib import Path

import pypdfium2
import pytest
from papers import pdf

from rag.errors import DocumentTooLarge, EncryptedDocument, InvalidDocument
from rag.mistral.ocr import pdf_pages
from rag.mistral.ocr.pdf_pages import ChildPdfPages

pytestmark = pytest.mark.anyio

HOSTILE = Path(__file__).parents[2] / ".." / "shared" / "eval" / "hostile" / "files"


async def test_pages_are_counted_and_cut_out_in_order() -> None:
    whole = pdf(*(f"Page {number}" for number in range(1, 8)))

    part = await ChildPdfPages().cut(whole, [2, 3, 7], 10**6)

    assert await ChildPdfPages().count(whole) == 7
    assert part is not None
    texts = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(part)]
    assert texts == ["Page 2", "Page 3", "Page 7"]


async def test_a_part_that_would_be_too_large_is_not_sent_back() -> None:
    assert await ChildPdfPages().cut(pdf("One", "Two"), [1], 100) is None


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 ...", b"\x00" * 5_000_000])
async def test_what_is_no_pdf_is_the_documents_fault(content: bytes) -> None:
    with pytest.raises(InvalidDocument, match="damaged or cut short"):
        await ChildPdfPages().count(content)


async def test_a_page_that_is_not_there_is_the_documents_fault() -> None:
    with pytest.raises(InvalidDocument):
        await ChildPdfPages().cut(pdf("One"), [2], 10**6)


@pytest.mark.skipif(not HOSTILE.exists(), reason="the hostile files are not at hand")
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("encryption_openpassword.pdf", EncryptedDocument),
        ("poppler-395-0-fuzzed.pdf", InvalidDocument),
        ("GHOSTSCRIPT-698804-1-fuzzed.pdf", None),
        ("operator_list_cycle.pdf", None),
    ],
)
async def test_hostile_files_are_counted_or_refused(
    name: str, error: type[Exception] | None
) -> None:
    with pytest.raises(error) if error else nullcontext():
        assert await ChildPdfPages().count((HOSTILE / name).read_bytes()) == 1


@pytest.mark.parametrize(
    ("program", "error", "why"),
    [
        ("import os; os.abort()", InvalidDocument, "crashed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", DocumentTooLarge, "memory"),
        ("import sys; sys.exit(6)", DocumentTooLarge, "memory"),
        ("print('12 pages', end='')", InvalidDocument, "nonsense"),
        ("print('1' * 10**6)", DocumentTooLarge, "memory"),
        ("import time; time.sleep(60)", DocumentTooLarge, "within 1 s"),
    ],
)
async def test_however_the_parser_ends_this_process_goes_on(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    program: str,
    error: type[Exception],
    why: str,
) -> None:
    (tmp_path / "stricken_parser.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(pdf_pages, "_CHILD", "stricken_parser")
    monkeypatch.setattr(pdf_pages, "_SECONDS", 1.0)

    with pytest.raises(error, match=why):
        await ChildPdfPages().count(bytes(10**6))


async def test_the_parser_inherits_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "curious_parser.py").write_text(
        "import os; print(len(os.environ.get('KEY', '')), end='')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("KEY", "secret")
    monkeypatch.setattr(pdf_pages, "_CHILD", "curious_parser")

    assert await ChildPdfPages().count(b"") == 0
