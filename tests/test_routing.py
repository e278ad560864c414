"""Each page goes to the cheapest reader that is good enough, and comes back in its place."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from rag.domain import Block, Document, Lane, Line, Page, Source, Survey, version_of
from rag.errors import EmptyDocument
from rag.pages import LoosePage
from rag.routing import RoutingReader, completed

BOX = (0.1, 0.1, 0.9, 0.2)


def surveyed(*texts: str) -> Survey:
    """A document of one block a page; an empty text is a page that OCR has to read."""
    text, blocks, pages = "", [], []
    for number, own in enumerate(texts, start=1):
        if own and text:
            text += "\n\n"
        start, end = len(text), len(text) + len(own)
        text += own
        pages.append(Page(number, start, end, "text-layer" if own else "none", "why", 595, 842))
        if own:
            blocks.append(
                Block("text", start, end, page=number, box=BOX, lines=(Line(start, end, BOX),))
            )
    document = Document(
        "a.pdf", version_of(b"x"), "application/pdf", "A", text, tuple(blocks), tuple(pages)
    )
    return Survey(document, tuple(p.number for p in pages if p.reader == "none"))


def recognized(number: int, text: str) -> LoosePage:
    """Each line is a block."""
    blocks, start = [], 0
    for line in text.split("\n\n"):
        end = start + len(line)
        blocks.append(
            Block("text", start, end, page=number, box=BOX, lines=(Line(start, end, BOX),))
        )
        start = end + 2
    page = Page(number, 0, len(text), "ocr-model", "asked", 1700, 2200, confidence=0.9)
    return LoosePage(text, page, tuple(blocks))


class Local:
    fingerprint = "local/1"

    def __init__(self, survey: Survey) -> None:
        self._survey = survey

    async def survey(self, source: Source) -> Survey:
        return self._survey


class Remote:
    fingerprint = "remote/1"

    def __init__(self, *found: LoosePage) -> None:
        self._found = found
        self.asked: list[Sequence[int]] = []

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        return len(pages or ())

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        return Decimal(0)

    async def recognize(self, source: Source, pages: Sequence[int]) -> tuple[LoosePage, ...]:
        self.asked.append(pages)
        return self._found


SOURCE = Source("a.pdf", b"x")


def test_every_span_still_holds_its_own_text() -> None:
    survey = surveyed("first", "", "third", "")
    whole = completed(
        survey, {2: recognized(2, "second\n\nmore of it"), 4: recognized(4, "fourth")}
    )

    assert whole.text == "first\n\nsecond\n\nmore of it\n\nthird\n\nfourth"
    assert [whole.text[p.start : p.end] for p in whole.pages] == [
        "first",
        "second\n\nmore of it",
        "third",
        "fourth",
    ]
    said = ["first", "second", "more of it", "third", "fourth"]
    assert [whole.text[b.start : b.end] for b in whole.blocks] == said
    assert [whole.text[b.lines[0].start : b.lines[0].end] for b in whole.blocks] == said
    assert [b.page for b in whole.blocks] == [1, 2, 2, 3, 4]


def test_a_page_says_who_read_it_and_keeps_its_measures() -> None:
    whole = completed(surveyed("", "second"), {1: recognized(1, "first")})

    assert [page.reader for page in whole.pages] == ["ocr-model", "text-layer"]
    assert [(page.width, page.height) for page in whole.pages] == [(595, 842)] * 2
    assert [page.confidence for page in whole.pages] == [0.9, None]


def test_a_page_that_ocr_did_not_give_stays_without_text() -> None:
    whole = completed(surveyed("first", "", ""), {3: recognized(3, "third")})

    assert whole.text == "first\n\nthird"
    assert (whole.pages[1].start, whole.pages[1].end) == (5, 5)


@pytest.mark.anyio
async def test_only_the_pages_that_need_it_are_recognized() -> None:
    remote = Remote(recognized(2, "second"))
    reader = RoutingReader(Local(surveyed("first", "", "third")), remote)

    document = await reader.read(SOURCE)

    assert remote.asked == [(2,)]
    assert document.text == "first\n\nsecond\n\nthird"


@pytest.mark.anyio
async def test_a_sound_document_costs_nothing() -> None:
    remote = Remote()
    survey = surveyed("first", "second")

    document = await RoutingReader(Local(survey), remote).read(SOURCE)

    assert remote.asked == []
    assert document == survey.document


def test_what_has_no_pages_is_as_it_was_surveyed() -> None:
    note = Document("a.md", version_of(b"x"), "text/markdown", "A", "a note")

    assert completed(Survey(note), {}) == note


@pytest.mark.anyio
async def test_a_scan_without_text_is_refused() -> None:
    reader = RoutingReader(Local(surveyed("", "")), Remote(recognized(1, " ")))

    with pytest.raises(EmptyDocument):
        await reader.read(SOURCE)
