"""Some pages of a document, and documents larger than the provider takes, keep their numbers."""

import base64

import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.contract import Ocr
from fake_mistral.faults import Reply
from papers import PDF_START, PaperPages, numbered, pdf, spanned

from rag.domain import Source
from rag.errors import DocumentTooLarge, InvalidRequest, MalformedReply
from rag.mistral.client import MistralClient
from rag.mistral.ocr.portions import LARGEST, MOST_PAGES, portions
from rag.mistral.ocr.reader import MistralReader
from rag.pages import composed

pytestmark = pytest.mark.anyio

SMALL = Source("small.pdf", PDF_START)
LARGE = Source("large.pdf", PDF_START + bytes(2 * 1024 * 1024))
"""Large enough for pages to be cut out of it before they are sent."""


def answering(fake: FakeMistral, count: int, *, anew: bool = False) -> None:
    """The fake says "Page 7" of page 7 of a document with `count` pages."""

    def pages(request: Ocr) -> list[dict[str, object]]:
        content = base64.b64decode(request.document.document_url.partition(",")[2])
        return numbered(request, content, count, anew=anew)

    fake.pages = pages


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("asked", [[5, 9], [2, 3], [1], [10], [1, 2, 3], list(range(1, 11))])
async def test_pages_keep_their_numbers_whichever_way_the_provider_counts(
    client: MistralClient, fake: FakeMistral, asked: list[int], anew: bool
) -> None:
    answering(fake, 10, anew=anew)
    reader = MistralReader(client, pdf_pages=PaperPages(10))

    pages = await reader.recognize(SMALL, asked)

    assert [each.page.number for each in pages] == asked
    assert [each.text for each in pages] == [f"Page {number}" for number in asked]
    assert fake.pages_billed == len(asked)


@pytest.mark.parametrize("renumbers", [False, True])
async def test_pages_of_a_real_document_keep_their_numbers(
    client: MistralClient, fake: FakeMistral, renumbers: bool
) -> None:
    fake.renumbers_pages = renumbers
    source = Source("a.pdf", pdf(*(f"This is page {number}." for number in range(1, 8))))

    pages = await MistralReader(client, pdf_pages=PaperPages(7)).recognize(source, [2, 3, 6])

    assert [(each.page.number, each.text) for each in pages] == [
        (number, f"This is page {number}.") for number in (2, 3, 6)
    ]


async def test_pages_asked_for_out_of_order_or_twice_are_read_once_and_in_order(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 10)

    pages = await MistralReader(client, pdf_pages=PaperPages(10)).recognize(SMALL, [7, 2, 7])

    [request] = fake.answered("/v1/ocr")
    assert request["pages"] == [1, 6]
    assert [each.text for each in pages] == ["Page 2", "Page 7"]


async def test_no_pages_cost_no_call(client: MistralClient, fake: FakeMistral) -> None:
    assert await MistralReader(client, pdf_pages=PaperPages(10)).recognize(SMALL, []) == ()
    assert fake.received == []


@pytest.mark.parametrize("asked", [[0], [11], [3, 12]])
async def test_a_page_that_is_not_there_is_asked_of_nobody(
    client: MistralClient, fake: FakeMistral, asked: list[int]
) -> None:
    with pytest.raises(InvalidRequest, match=f"no page {asked[-1]}"):
        await MistralReader(client, pdf_pages=PaperPages(10)).recognize(SMALL, asked)

    assert fake.received == []


@pytest.mark.parametrize("indexes", [(0,), (0, 2), (4, 4), (5, 9), (4, 8, 9)])
async def test_pages_that_were_not_asked_for_are_noticed(
    client: MistralClient, fake: FakeMistral, indexes: tuple[int, ...]
) -> None:
    # of pages 5 and 10, which are 4 and 9, or 5 and 10, or 0 and 1, or 1 and 2
    fake.pages = lambda request: [{"index": i, "markdown": "Text"} for i in indexes]

    with pytest.raises(MalformedReply, match=r"sent pages|sent \d pages"):
        await MistralReader(client, pdf_pages=PaperPages(10)).recognize(SMALL, [5, 10])


async def test_of_a_large_document_only_the_wanted_pages_leave_the_machine(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 10)
    paper = PaperPages(10)

    pages = await MistralReader(client, pdf_pages=paper).recognize(LARGE, [5, 9])

    [request] = fake.answered("/v1/ocr")
    assert len(request["document"]["document_url"]) < 100
    assert "pages" not in request
    assert paper.cuts == ["5,9"]
    assert [each.text for each in pages] == ["Page 5", "Page 9"]


async def test_recognized_pages_are_composed_like_any_others(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 10)
    reader = MistralReader(client, pdf_pages=PaperPages(10))

    text, blocks, pages = composed(await reader.recognize(SMALL, [5, 9]))

    assert text == "Page 5\n\nPage 9"
    assert [(text[page.start : page.end], page.number) for page in pages] == [
        ("Page 5", 5),
        ("Page 9", 9),
    ]
    assert [(text[block.start : block.end], block.page) for block in blocks] == [
        ("Page 5", 5),
        ("Page 9", 9),
    ]


async def test_a_document_of_too_many_pages_goes_in_parts(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 2_500)
    paper = PaperPages(2_500)

    document = await MistralReader(client, pdf_pages=paper).read(SMALL)

    assert paper.cuts == ["1-833", "834-1666", "1667-2500"]
    assert len(fake.answered("/v1/ocr")) == 3
    assert [page.number for page in document.pages] == list(range(1, 2_501))
    assert spanned(document, document.pages[1_700]) == "Page 1701"
    assert fake.pages_billed == 2_500


async def test_a_document_of_too_many_bytes_goes_in_parts_and_a_dense_part_in_halves(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 10)
    heavy = LARGEST // 2 + 1
    paper = PaperPages(10, sizes={1: heavy, 3: heavy})

    document = await MistralReader(client, pdf_pages=paper).read(
        Source("huge.pdf", PDF_START + bytes(LARGEST))
    )

    assert paper.cuts == ["1-5", "1-2", "3-5", "6-10"]
    assert document.text == "\n\n".join(f"Page {number}" for number in range(1, 11))


async def test_a_page_that_is_too_large_alone_is_named(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 4)
    paper = PaperPages(4, sizes={3: LARGEST + 1})

    with pytest.raises(DocumentTooLarge, match="page 3 alone"):
        await MistralReader(client, pdf_pages=paper).read(
            Source("huge.pdf", PDF_START + bytes(LARGEST))
        )


async def test_what_is_refused_as_too_large_goes_in_halves(
    client: MistralClient, fake: FakeMistral
) -> None:
    answering(fake, 4)
    fake.faults = [Reply(413)]
    paper = PaperPages(4)

    document = await MistralReader(client, pdf_pages=paper).read(LARGE)

    assert paper.cuts == ["1-2", "3-4"]
    assert document.text == "Page 1\n\nPage 2\n\nPage 3\n\nPage 4"


def test_portions_hold_every_page_once_and_within_the_limits() -> None:
    for size, pages in [
        (1, 1),
        (10**6, 999),
        (10**6, 1_001),
        (10**9, 37),
        (10**9, 1),
        (6 * 10**7, 2),
    ]:
        numbers = tuple(range(1, pages + 1))

        parts = portions(numbers, size=size, pages=pages)

        assert tuple(number for part in parts for number in part) == numbers
        assert all(0 < len(part) <= MOST_PAGES for part in parts)
        assert len(parts) == 1 or all(
            len(part) == 1 or len(part) * size / pages <= LARGEST for part in parts
        )


async def test_real_pages_are_cut_out_and_keep_their_text(
    client: MistralClient, fake: FakeMistral
) -> None:
    texts = [f"This is page {number}." for number in range(1, 13)]
    thick = pdf(*texts) + b"\n%" + bytes(2 * 1024 * 1024)

    pages = await MistralReader(client).recognize(Source("thick.pdf", thick), [2, 11])

    [request] = fake.answered("/v1/ocr")
    assert len(request["document"]["document_url"]) < 10_000
    assert [(each.page.number, each.text) for each in pages] == [
        (2, "This is page 2."),
        (11, "This is page 11."),
    ]
