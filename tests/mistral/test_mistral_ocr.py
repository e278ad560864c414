"""PDF and images become documents."""

import base64
import re
from io import BytesIO
from typing import Any

import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Reply, edited
from fake_mistral.pages import ocr_block, ocr_page
from papers import PaperPages, pdf, spanned
from PIL import Image

from rag.domain import Source
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    InvalidDocument,
    MalformedReply,
    ProviderRefused,
    UnsupportedMediaType,
)
from rag.mistral.client import MistralClient
from rag.mistral.ocr.portions import LARGEST
from rag.mistral.ocr.reader import MODEL, MistralReader
from rag.ports import Reader

pytestmark = pytest.mark.anyio

PDF = Source("reports/2025.pdf", b"%PDF-1.7 ...")


@pytest.fixture
def paper() -> PaperPages:
    return PaperPages(1)


@pytest.fixture
def reader(client: MistralClient, paper: PaperPages) -> MistralReader:
    return MistralReader(client, pdf_pages=paper)


def pages(fake: FakeMistral, paper: PaperPages, *given: dict[str, Any]) -> None:
    paper.pages = len(given)
    fake.pages = lambda request: list(given)


def image(kind: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


async def test_it_is_a_reader(reader: MistralReader) -> None:
    assert isinstance(reader, Reader)
    assert MODEL in reader.fingerprint


async def test_a_document_is_one_text_and_spans_of_it(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    paper.pages = 2
    source = Source("reports/2025.pdf", pdf("Cash rose by 5 %.", "Debt fell."))

    document = await reader.read(source)

    assert document.text == "Cash rose by 5 %.\n\nDebt fell."
    assert document.version == source.version
    assert [spanned(document, page) for page in document.pages] == [
        "Cash rose by 5 %.",
        "Debt fell.",
    ]
    assert [spanned(document, block) for block in document.blocks] == [
        "Cash rose by 5 %.",
        "Debt fell.",
    ]
    assert [page.number for page in document.pages] == [1, 2]
    assert [page.reader for page in document.pages] == [MODEL, MODEL]
    assert [page.confidence for page in document.pages] == [0.97, 0.97]
    assert (document.pages[0].width, document.pages[0].height) == (612, 792)  # points
    assert fake.pages_billed == 2


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
async def test_an_image_goes_as_one_whatever_it_is_called(
    reader: MistralReader, fake: FakeMistral, kind: str
) -> None:
    content = image(kind)

    document = await reader.read(Source("scan.pdf", content, "application/pdf"))

    [asked] = fake.answered("/v1/ocr")
    head, _, data = asked["document"]["image_url"].partition(",")
    assert head == f"data:image/{kind.lower()};base64"
    assert base64.b64decode(data) == content
    assert document.media_type == f"image/{kind.lower()}"
    assert document.text == f"An image of {len(content)} bytes."
    assert document.pages[0].width == 1700  # pixels


async def test_a_pdf_that_starts_late_is_one_all_the_same(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    await reader.read(Source("late.pdf", b"\r\n\r\n" + pdf("Late.")))

    [asked] = fake.answered("/v1/ocr")
    assert asked["document"]["document_url"].startswith("data:application/pdf;base64,")


async def test_blocks_headers_and_confidence_are_asked_for_in_so_many_words(
    reader: MistralReader, client: MistralClient, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("Text"))

    await reader.read(PDF)
    await MistralReader(client, "mistral-ocr-2512", pdf_pages=paper).read(PDF)

    [new, old] = fake.answered("/v1/ocr")
    assert new["include_blocks"] is True
    assert (new["extract_header"], new["extract_footer"]) == (True, True)
    assert new["table_format"] == "markdown"
    assert new["confidence_scores_granularity"] == "block"
    assert old["confidence_scores_granularity"] == "page"


async def test_pages_are_put_in_order_and_numbered_from_one(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    for first in (0, 1):  # whichever way the provider counts
        pages(fake, paper, ocr_page("Two", first + 1), ocr_page("One", first))

        document = await reader.read(PDF)

        assert document.text == "One\n\nTwo"
        assert [page.number for page in document.pages] == [1, 2]


@pytest.mark.parametrize("indexes", [(0, 2), (0, 0), (3, 4)])
async def test_pages_that_are_missing_or_there_twice_are_noticed(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages, indexes: tuple[int, ...]
) -> None:
    pages(fake, paper, *(ocr_page("Text", index) for index in indexes))

    with pytest.raises(MalformedReply, match="pages"):
        await reader.read(PDF)


@pytest.mark.parametrize("sent", [["One"], ["One", "Two", "Three"]])
async def test_the_pages_are_as_many_as_the_document_has(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages, sent: list[str]
) -> None:
    pages(fake, paper, *(ocr_page(text, index) for index, text in enumerate(sent)))
    paper.pages = 2

    with pytest.raises(MalformedReply, match=f"sent {len(sent)} pages for the 2"):
        await reader.read(PDF)

    assert len(fake.received) == 2  # it was asked once more


async def test_fewer_pages_than_were_billed_are_noticed(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("One", 0), ocr_page("Two", 1))
    fake.faults = [edited(lambda reply: {**reply, "pages": reply["pages"][:1]})] * 2

    with pytest.raises(MalformedReply, match="read 2 pages and sent 1"):
        await reader.read(Source("fax.tiff", image("TIFF")))


async def test_a_table_that_is_named_and_not_sent_is_not_lost_in_silence(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("Text"), ocr_page("[tbl-0.md](tbl-0.md)", 1))

    with pytest.raises(MalformedReply, match="table on page 2"):
        await reader.read(PDF)


async def test_an_empty_page_among_others_keeps_its_number(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("One", 0), ocr_page("", 1), ocr_page("Three", 2), ocr_page("  ", 3))

    document = await reader.read(PDF)

    assert document.text == "One\n\nThree"
    assert [spanned(document, page) for page in document.pages] == ["One", "", "Three", ""]
    assert document.pages[1].reason == "the provider found no text"
    assert all(0 <= page.start <= page.end <= len(document.text) for page in document.pages)


async def test_a_document_without_any_text_is_refused(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("![img-0.jpeg](img-0.jpeg)", images=[{"id": "img-0.jpeg"}]))

    with pytest.raises(EmptyDocument):
        await reader.read(PDF)


async def test_the_title_is_the_callers_or_the_first_heading_or_the_files_name(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("# Annual report", blocks=[ocr_block("title", "Annual report")]))
    assert (await reader.read(PDF)).title == "Annual report"
    assert (await reader.read(Source("a.pdf", PDF.content, title="Mine"))).title == "Mine"

    pages(fake, paper, ocr_page("Text"))
    assert (await reader.read(PDF)).title == "2025"


async def test_what_cannot_be_read_is_refused_before_anything_is_sent(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    with pytest.raises(EmptyDocument):
        await reader.read(Source("empty.pdf", b""))
    with pytest.raises(DocumentTooLarge, match="fewer dots per inch"):
        await reader.read(Source("huge.png", b"\x89PNG\r\n\x1a\n" + bytes(LARGEST)))
    with pytest.raises(DocumentTooLarge, match="export it to PDF"):
        await reader.read(Source("huge.rtf", b"{\\rtf" + bytes(LARGEST)))
    with pytest.raises(UnsupportedMediaType):
        await reader.read(Source("notes.pdf", b"just text", "application/pdf"))

    assert fake.received == []


@pytest.mark.parametrize(("count", "error"), [(0, EmptyDocument), (10**6, DocumentTooLarge)])
async def test_a_pdf_of_no_pages_or_a_million_costs_nothing(
    reader: MistralReader,
    fake: FakeMistral,
    paper: PaperPages,
    count: int,
    error: type[InvalidDocument],
) -> None:
    paper.pages = count

    with pytest.raises(error):
        await reader.read(PDF)

    assert fake.received == []


async def test_a_document_that_the_provider_cannot_parse_is_the_documents_fault(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    with pytest.raises(InvalidDocument, match="document_parser_invalid_file"):
        await reader.read(PDF)

    assert len(fake.received) == 1


async def test_a_refusal_for_size_is_the_documents_fault(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    fake.faults = [Reply(413)]

    with pytest.raises(DocumentTooLarge):
        await reader.read(PDF)


async def test_a_model_that_is_not_there_is_not_the_documents_fault(
    client: MistralClient, paper: PaperPages
) -> None:
    with pytest.raises(ProviderRefused, match="may be retired"):
        await MistralReader(client, "mistral-ocr-2503", pdf_pages=paper).read(PDF)


async def test_an_office_file_is_sent_as_a_document_whose_pictures_are_not_wanted(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    pages(fake, paper, ocr_page("One", 0), ocr_page("Two", 1))

    document = await reader.read(Source("notes.rtf", b"{\\rtf1 One}"))

    [asked] = fake.answered("/v1/ocr")
    assert asked["document"]["document_url"].startswith("data:application/rtf;base64,")
    assert asked["image_limit"] == 0
    assert document.text == "One\n\nTwo"
    assert document.media_type == "application/rtf"


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("content", "way_out"),
    [(b"{\\rtf1 One}", "export it to PDF"), (b"\0\0\0\x1cftypheic", "save it as PNG or JPEG")],
)
async def test_a_kind_that_is_refused_after_all_is_told_a_way_out(
    reader: MistralReader, fake: FakeMistral, status: int, content: bytes, way_out: str
) -> None:
    fake.faults = [Reply(status)]

    with pytest.raises(InvalidDocument, match=way_out):
        await reader.read(Source("a", content))


async def test_a_request_that_is_refused_for_a_pdf_is_our_fault(
    reader: MistralReader, fake: FakeMistral
) -> None:
    fake.faults = [Reply(422)]

    with pytest.raises(ProviderRefused):
        await reader.read(PDF)


async def test_pictures_are_described_only_where_that_is_wanted(
    client: MistralClient, fake: FakeMistral, paper: PaperPages
) -> None:
    annotation = '{"description": "A red fox."}'
    images = [{"id": "img-0.jpeg", "image_annotation": annotation}]
    pages(fake, paper, ocr_page("![img-0.jpeg](img-0.jpeg)", images=images))
    plain = MistralReader(client, pdf_pages=paper)
    describing = MistralReader(client, pdf_pages=paper, describes_pictures=True)

    document = await describing.read(PDF)

    [asked] = fake.answered("/v1/ocr")
    assert asked["bbox_annotation_format"]["type"] == "json_schema"
    assert document.text == "A red fox."
    assert describing.fingerprint != plain.fingerprint

    await plain.read(PDF)
    assert "bbox_annotation_format" not in fake.answered("/v1/ocr")[1]


async def test_names_of_pictures_are_unique_across_pages_and_documents(
    reader: MistralReader, fake: FakeMistral, paper: PaperPages
) -> None:
    same = "Text\n\n![img-0.jpeg](img-0.jpeg)"
    pages(fake, paper, ocr_page(same, 0), ocr_page(same, 1))

    documents = [await reader.read(Source(key, b"%PDF-" + key.encode())) for key in "ab"]

    names = [name for each in documents for name in re.findall(r"!\[\]\((.*?)\)", each.text)]
    assert len(names) == len(set(names)) == 4


async def test_a_document_is_read_over_real_http(http_client: MistralClient) -> None:
    document = await MistralReader(http_client).read(Source("a.pdf", pdf("Over the wire.")))

    assert document.text == "Over the wire."
