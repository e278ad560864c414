"""What OCR was paid for once is not paid for again."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.contract import Ocr
from fake_mistral.faults import edited
from fake_mistral.plan import FaultPlan, Kind
from papers import PDF_START, PaperPages, Shelf, numbered, pdf
from PIL import Image

from rag.domain import Source
from rag.errors import MalformedReply, ProviderError
from rag.mistral.client import MistralClient
from rag.mistral.ocr.portions import LARGEST
from rag.mistral.ocr.reader import MODEL, MistralReader
from rag.mistral.wire.encoding import encoded
from rag.spending import Units

pytestmark = pytest.mark.anyio

SOURCE = Source("reports/2025.pdf", PDF_START)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def paying(fake: FakeMistral, shelf: Shelf, clock: Clock) -> AsyncIterator[MistralClient]:
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]  # two names of ASGI's types
    client = MistralClient(KEY, shelf, transport=transport, clock=clock, chance=lambda: 0.5)
    yield client
    await client.close()


def reader(client: MistralClient, shelf: Shelf, fake: FakeMistral, count: int) -> MistralReader:
    def pages(request: Ocr) -> list[dict[str, object]]:
        content = base64.b64decode(request.document.document_url.partition(",")[2])
        return numbered(request, content, count, anew=False)

    fake.pages = pages
    return MistralReader(client, ledger=shelf, pdf_pages=PaperPages(count))


async def test_a_document_is_composed_anew_without_a_call(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    first = await reader(paying, shelf, fake, 3).read(SOURCE)
    again = await reader(paying, shelf, fake, 3).read(SOURCE)

    assert again == first
    assert fake.pages_billed == 3
    assert len(fake.received) == 1


async def test_the_most_it_may_cost_is_told_before_and_the_bill_after(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    await reader(paying, shelf, fake, 3).read(SOURCE)

    [intent], [bill] = shelf.intents, shelf.bills
    assert (intent.provider, intent.model, intent.operation) == ("mistral", MODEL, "ocr")
    assert (intent.most, intent.usd) == (Units(3), 3 * Decimal(4) / 1000)
    assert (bill.units, bill.usd) == (Units(3), 3 * Decimal(4) / 1000)


async def test_described_pages_cost_more_and_are_another_purchase(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    await reader(paying, shelf, fake, 3).read(SOURCE)
    describing = MistralReader(
        paying, ledger=shelf, pdf_pages=PaperPages(3), describes_pictures=True
    )

    await describing.read(SOURCE)

    assert [bill.usd for bill in shelf.bills] == [Decimal("0.012"), Decimal("0.015")]


async def test_an_office_file_is_announced_with_the_most_pages_there_may_be(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    await reader(paying, shelf, fake, 2).read(Source("a.rtf", b"{\\rtf1}"))

    [intent], [bill] = shelf.intents, shelf.bills
    assert intent.most == Units(1_000)
    assert bill.units == Units(2)


async def test_frames_of_a_fax_are_counted_before_it_is_sent(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral, tmp_path: Path
) -> None:
    frames = [Image.new("1", (8, 8)) for _ in range(5)]
    frames[0].save(tmp_path / "fax.tiff", save_all=True, append_images=frames[1:])

    await MistralReader(paying, ledger=shelf).read(
        Source("fax.tiff", (tmp_path / "fax.tiff").read_bytes())
    )

    assert shelf.intents[0].most == Units(5)


async def test_pages_of_a_document_that_was_bought_whole_are_not_bought_again(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 9)
    await ours.read(SOURCE)

    pages = await ours.recognize(SOURCE, [3, 8])

    assert [each.text for each in pages] == ["Page 3", "Page 8"]
    assert fake.pages_billed == 9


async def test_the_same_pages_are_bought_once_and_other_pages_as_well(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 9)

    for asked in ([3, 8], [8, 3], [4]):
        await ours.recognize(SOURCE, asked)

    assert fake.pages_billed == 3


async def test_parts_that_were_bought_before_a_crash_are_kept(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 2_500)
    fake.faults = [None, edited(lambda reply: {}), edited(lambda reply: {})]
    with pytest.raises(MalformedReply):
        await ours.read(SOURCE)
    paid_before = len(shelf.kept)

    document = await ours.read(SOURCE)

    assert paid_before == 1
    assert len(document.pages) == 2_500
    assert len(fake.answered("/v1/ocr")) == 3 + 2


async def test_readers_at_the_same_time_share_one_call(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 3)

    documents = await asyncio.gather(*(ours.read(Source(key, PDF_START)) for key in "abcd"))

    assert {each.text for each in documents} == {"Page 1\n\nPage 2\n\nPage 3"}
    assert fake.pages_billed == 3


async def test_other_bytes_are_another_purchase(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 3)

    await ours.read(SOURCE)
    await ours.read(Source(SOURCE.key, PDF_START + b"!"))

    assert fake.pages_billed == 6


async def test_a_reply_that_cannot_be_used_is_billed_where_it_says_so_and_not_kept(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 3)
    fake.faults = [edited(lambda reply: {**reply, "pages": reply["pages"][1:]})]

    document = await ours.read(SOURCE)

    assert document.text == "Page 1\n\nPage 2\n\nPage 3"
    assert [bill.units for bill in shelf.bills] == [Units(3), Units(3)]
    assert len(shelf.kept) == 1


async def test_a_kept_reply_that_can_no_longer_be_read_is_bought_again(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral, caplog: pytest.LogCaptureFixture
) -> None:
    ours = reader(paying, shelf, fake, 3)
    first = await ours.read(SOURCE)
    shelf.kept = dict.fromkeys(shelf.kept, b'{"pages": []}')

    assert await ours.read(SOURCE) == first
    assert "bought again" in caplog.text


async def test_what_a_document_would_cost_is_known_before_it_is_read(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    ours = reader(paying, shelf, fake, 2_500)

    orders = await ours.orders(SOURCE)
    some = await ours.orders(SOURCE, [7, 9])

    assert sum(order.paid().intent.usd for order in orders) == Decimal("10")
    assert sum(order.paid("batch").intent.usd for order in orders) == Decimal("5")
    assert [order.portion for order in some] == [(7, 9)]
    assert fake.received == []

    await ours.read(SOURCE)
    assert await ours.orders(SOURCE) == ()


async def test_what_was_bought_some_other_way_is_composed_without_a_call(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral
) -> None:
    heavy = Source("huge.pdf", PDF_START + bytes(LARGEST))
    ours = MistralReader(
        paying, ledger=shelf, pdf_pages=PaperPages(4, sizes={1: LARGEST, 2: LARGEST})
    )
    for order in await ours.orders(heavy):
        async for each, content in ours.sendable(order):
            asked = msgspec.json.decode(encoded(each.request(content)).whole(), type=Ocr)
            sent = {"pages": numbered(asked, content, 4, anew=False)}
            paid = each.paid("batch")
            intent = shelf.intend(paid.intent)
            shelf.settle(intent, *paid.bill(each.read(msgspec.json.encode(sent))))

    document = await ours.read(heavy)

    assert document.text == "Page 1\n\nPage 2\n\nPage 3\n\nPage 4"
    assert sum(bill.usd for bill in shelf.bills) == Decimal("0.008")
    assert fake.received == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_goes_wrong_texts_are_right_and_every_page_billed_is_known(
    paying: MistralClient, shelf: Shelf, fake: FakeMistral, seed: int
) -> None:
    kinds: tuple[Kind, ...] = ("missing item", "extra item", "shuffled", "repeated index")
    lost: tuple[Kind, ...] = ("cut", "truncated", "trailing", "reset during", "503")
    fake.plan = FaultPlan(seed, 0.3, kinds + lost)
    sources = [Source(f"{n}.pdf", pdf(*(f"Text {n} {p}." for p in range(5)))) for n in range(20)]
    ours = MistralReader(paying, ledger=shelf, pdf_pages=PaperPages(5))

    texts = {}
    for source in sources * 3:  # as a job that is tried again would
        with suppress(ProviderError):
            texts[source.key] = (await ours.read(source)).text

    assert texts == {f"{n}.pdf": "\n\n".join(f"Text {n} {p}." for p in range(5)) for n in range(20)}
    billed = sum(bill.units.input for bill in shelf.bills)
    assert billed <= fake.pages_billed <= billed + 5 * shelf.lost
    assert len(shelf.kept) == 20 < len(fake.received)
