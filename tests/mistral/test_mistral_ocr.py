"""PDF and images become documents."""

import base64
from io import BytesIO
from typing import Any

import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Reply, edited
from fake_mistral.pages import ocr_block, ocr_page
from PIL import Image

from rag.domain import Document, Source
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    InvalidDocument,
    MalformedReply,
    ProviderRefused,
    UnsupportedMediaType,
)
from rag.mistral.client import MistralClient
from rag.mistral.ocr import LARGEST, MODEL, MistralReader
from rag.ports import Reader

pytestmark = pytest.mark.anyio

PDF = Source("reports/2025.pdf", b"%PDF-1.7 ...")


@pytest.fixture
def reader(client: MistralClient) -> MistralReader:
    return MistralReader(client)


def pages(fake: FakeMistral, *given: dict[str, Any]) -> None:
    fake.pages = lambda request: list(given)


def image(kind: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


def pdf(*texts: str) -> bytes:
    """A document with one line of text on each page, by hand."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    kids = []
    for text in texts:
        stream = f"BT /F 12 Tf 72 720 Td ({text}) Tj ET"
        kids.append(f"{len(objects) + 2} 0 R")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        )
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    body = "".join(f"{n} 0 obj\n{text}\nendobj\n" for n, text in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Size {len(objects) + 1}>>".encode()


async def test_it_is_a_reader(reader: MistralReader) -> None:
    assert isinstance(reader, Reader)
    assert MODEL in reader.fingerprint


async def test_a_document_is_one_text_and_spans_of_it(
    reader: MistralReader, fake: FakeMistral
) -> None:
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


def spanned(document: Document, span: Any) -> str:
    return document.text[span.start : span.end]


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
    reader: MistralReader, fake: FakeMistral
) -> None:
    await reader.read(Source("late.pdf", b"\r\n\r\n" + pdf("Late.")))

    [asked] = fake.answered("/v1/ocr")
    assert asked["document"]["document_url"].startswith("data:application/pdf;base64,")


async def test_blocks_headers_and_confidence_are_asked_for_in_so_many_words(
    reader: MistralReader, client: MistralClient, fake: FakeMistral
) -> None:
    pages(fake, ocr_page("Text"))

    await reader.read(PDF)
    await MistralReader(client, "mistral-ocr-2512").read(PDF)

    [new, old] = fake.answered("/v1/ocr")
    assert new["include_blocks"] is True
    assert (new["extract_header"], new["extract_footer"]) == (True, True)
    assert new["table_format"] == "markdown"
    assert new["confidence_scores_granularity"] == "block"
    assert old["confidence_scores_granularity"] == "page"


async def test_pages_are_put_in_order_and_numbered_from_one(
    reader: MistralReader, fake: FakeMistral
) -> None:
    for first in (0, 1):  # whichever way the provider counts
        pages(fake, ocr_page("Two", first + 1), ocr_page("One", first))

        document = await reader.read(PDF)

        assert document.text == "One\n\nTwo"
        assert [page.number for page in document.pages] == [1, 2]


@pytest.mark.parametrize("indexes", [(0, 2), (0, 0), (3, 4)])
async def test_pages_that_are_missing_or_there_twice_are_noticed(
    reader: MistralReader, fake: FakeMistral, indexes: tuple[int, ...]
) -> None:
    pages(fake, *(ocr_page("Text", index) for index in indexes))

    with pytest.raises(MalformedReply, match="pages"):
        await reader.read(PDF)


async def test_fewer_pages_than_were_billed_are_noticed(
    reader: MistralReader, fake: FakeMistral
) -> None:
    pages(fake, ocr_page("One", 0), ocr_page("Two", 1))
    fake.faults = [edited(lambda reply: {**reply, "pages": reply["pages"][:1]})] * 2

    with pytest.raises(MalformedReply, match="read 2 pages and sent 1"):
        await reader.read(PDF)


async def test_an_empty_page_among_others_keeps_its_number(
    reader: MistralReader, fake: FakeMistral
) -> None:
    pages(fake, ocr_page("One", 0), ocr_page("", 1), ocr_page("Three", 2), ocr_page("  ", 3))

    document = await reader.read(PDF)

    assert document.text == "One\n\nThree"
    assert [spanned(document, page) for page in document.pages] == ["One", "", "Three", ""]
    assert document.pages[1].reason == "the provider found no text"
    assert all(0 <= page.start <= page.end <= len(document.text) for page in document.pages)


async def test_a_document_without_any_text_is_refused(
    reader: MistralReader, fake: FakeMistral
) -> None:
    pages(fake, ocr_page("![img-0.jpeg](img-0.jpeg)", images=[{"id": "img-0.jpeg"}]))

    with pytest.raises(EmptyDocument):
        await reader.read(PDF)


async def test_the_title_is_the_callers_or_the_first_heading_or_the_files_name(
    reader: MistralReader, fake: FakeMistral
) -> None:
    pages(fake, ocr_page("# Annual report", blocks=[ocr_block("title", "Annual report")]))
    assert (await reader.read(PDF)).title == "Annual report"
    assert (await reader.read(Source("a.pdf", PDF.content, title="Mine"))).title == "Mine"

    pages(fake, ocr_page("Text"))
    assert (await reader.read(PDF)).title == "2025"


async def test_what_cannot_be_read_is_refused_before_anything_is_sent(
    reader: MistralReader, fake: FakeMistral
) -> None:
    with pytest.raises(EmptyDocument):
        await reader.read(Source("empty.pdf", b""))
    with pytest.raises(DocumentTooLarge, match="split the file"):
        await reader.read(Source("huge.pdf", b"%PDF-" + bytes(LARGEST)))
    with pytest.raises(UnsupportedMediaType):
        await reader.read(Source("notes.pdf", b"just text", "application/pdf"))

    assert fake.received == []


async def test_a_document_that_the_provider_cannot_parse_is_the_documents_fault(
    reader: MistralReader, fake: FakeMistral
) -> None:
    with pytest.raises(InvalidDocument, match="document_parser_invalid_file"):
        await reader.read(PDF)

    assert len(fake.received) == 1


async def test_a_refusal_for_size_is_the_documents_fault(
    reader: MistralReader, fake: FakeMistral
) -> None:
    fake.faults = [Reply(413)]

    with pytest.raises(DocumentTooLarge):
        await reader.read(PDF)


async def test_a_model_that_is_not_there_is_not_the_documents_fault(
    client: MistralClient,
) -> None:
    with pytest.raises(ProviderRefused, match="may be retired"):
        await MistralReader(client, "mistral-ocr-2503").read(PDF)


async def test_a_document_is_read_over_real_http(http_client: MistralClient) -> None:
    document = await MistralReader(http_client).read(Source("a.pdf", pdf("Over the wire.")))

    assert document.text == "Over the wire."
