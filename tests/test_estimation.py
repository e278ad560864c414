"""What an ingest would cost, before anything is sent."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from rag.chunking.chunks import CHUNKER
from rag.domain import Collection, Document, Failure, Lane, Page, Saved, Source, Survey
from rag.errors import EncryptedDocument
from rag.estimation import NOTHING_TO_DO, TOKENS_OF_A_PAGE, Estimate, Range, estimate
from rag.ports import Embedders, Readers
from rag.ranking.selfcheck import FEWEST
from rag.spending import Errand
from rag.storage.library import Library
from rag.storage.rebuilding import Recipe
from tests.fakes import HashingEmbedder, PlainReader

pytestmark = pytest.mark.anyio

BREAD = b"# Bread\n\nSourdough needs flour, water and salt."
PAGE_PRICE = Decimal("0.004")
TOKEN_PRICE = Decimal("0.0000001")


class PagesReader(PlainReader):
    """Reads text as `PlainReader` does; what begins with `scan` is so many unread pages."""

    async def survey(self, source: Source) -> Survey:
        if source.content == b"locked":
            raise EncryptedDocument("a password is needed")
        if not source.content.startswith(b"scan"):
            return Survey(await self.read(source))
        numbers = tuple(range(1, int(source.content.split()[1]) + 1))
        pages = tuple(Page(number, 0, 0, "none", "no text layer") for number in numbers)
        document = Document(source.key, source.version, "application/pdf", "", "", (), pages)
        return Survey(document, numbers)

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        assert pages, "only what is unread is priced"
        return len(pages)

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        return pages * PAGE_PRICE / (2 if lane == "batch" else 1)


class PaidHashingEmbedder(HashingEmbedder):
    def cost(self, tokens: int, lane: Lane = "direct") -> Decimal:
        return tokens * TOKEN_PRICE / (2 if lane == "batch" else 1)

    def most_tokens(self, texts: Sequence[str]) -> int:
        return 3 * sum(self.count_tokens(texts))

    def errands(self, texts: Sequence[str]) -> Iterator[Errand]:
        raise AssertionError("an estimate makes no request")


class House:
    def __init__(self, folder: Path) -> None:
        self.library = Library.open(folder)
        self.embedder = PaidHashingEmbedder()
        self.embedders = Embedders({self.embedder.model: self.embedder})
        self.within: Collection = self.library.collections.create(
            "notes",
            embedding_model=self.embedder.model,
            dimension=self.embedder.dimension,
            chunk_tokens=self.embedder.max_tokens,
        )

    async def estimate(self, lane: Lane = "direct", **contents: bytes) -> Estimate:
        return await estimate(
            [Source(key, content) for key, content in contents.items()],
            self.within,
            readers=Readers(PagesReader(), {}),
            embedders=self.embedders,
            library=self.library,
            lane=lane,
        )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "library")
    yield house
    house.library.close()


async def test_every_index_of_the_collection_is_priced(house: House) -> None:
    class Other(PaidHashingEmbedder):
        model = "other/64"

        def cost(self, tokens: int, lane: Lane = "direct") -> Decimal:
            return 10 * super().cost(tokens, lane)

    one = await house.estimate("batch", bread=BREAD)
    other = Other()
    recipe = Recipe(other.model, other.dimension, other.max_tokens, CHUNKER)
    house.library.indexes.begin(house.within, recipe)
    left_out = await house.estimate("batch", bread=BREAD)
    house.embedders = Embedders({each.model: each for each in (house.embedder, other)})
    both = await house.estimate("batch", bread=BREAD)

    assert left_out == one, "an index whose model is not there lacks the document"
    assert both.tokens.most == 2 * one.tokens.most
    assert both.usd.most == (1 + 2 * 10) * one.usd.most, "no batch is bought for the second"


async def test_text_costs_its_tokens_and_nothing_else(house: House) -> None:
    found = await house.estimate(bread=BREAD)
    [tokens] = house.embedder.count_tokens(["Bread\n# Bread\n\n" + BREAD.decode()[9:]])

    assert (found.files, found.pages_to_ocr, found.ocr_usd) == (1, 0, Range(Decimal(0), Decimal(0)))
    assert found.tokens.most == tokens
    assert found.usd.most == tokens * TOKEN_PRICE
    assert house.embedder.embedded == []


async def test_a_scan_costs_its_pages_and_a_range_of_tokens(house: House) -> None:
    found = await house.estimate(scan=b"scan 3")

    assert (found.pages, found.pages_to_ocr) == (3, 3)
    assert found.ocr_usd == Range(3 * PAGE_PRICE, 3 * PAGE_PRICE)
    assert (found.tokens.least, found.tokens.most) == tuple(3 * n for n in TOKENS_OF_A_PAGE)
    assert found.usd.least == 3 * PAGE_PRICE + 3 * TOKENS_OF_A_PAGE[0] * TOKEN_PRICE


async def test_what_was_embedded_before_costs_nothing_again(house: House) -> None:
    texts = ["Bread\n# Bread\n\nSourdough needs flour, water and salt."]
    house.library.purchases.keep_embeddings(
        house.embedder.model, "passage", texts, await house.embedder.embed(texts, "passage")
    )

    found = await house.estimate(bread=BREAD)
    [tokens] = house.embedder.count_tokens(texts)
    assert found.tokens.most == 0
    assert found.saved == Saved(0, tokens, tokens * TOKEN_PRICE)


async def test_in_the_batch_lane_all_but_the_self_check_costs_half(house: House) -> None:
    direct = await house.estimate(scan=b"scan 3", bread=BREAD)
    batch = await house.estimate(lane="batch", scan=b"scan 3", bread=BREAD)

    assert batch.usd.least * 2 == direct.usd.least > 3 * PAGE_PRICE
    assert batch.self_check == direct.self_check
    assert (batch.usd.most - batch.self_check.usd) * 2 == direct.usd.most - direct.self_check.usd
    assert (batch.pages_to_ocr, batch.tokens) == (direct.pages_to_ocr, direct.tokens)


async def test_a_file_that_cannot_be_read_is_named_and_the_others_are_priced(house: House) -> None:
    found = await house.estimate(locked=b"locked", bread=BREAD)

    assert (found.files, found.refused) == (2, 1)
    assert [(key, why.code) for key, why in found.problems] == [("locked", "encrypted_document")]
    assert found.tokens.most > 0


class OfficeReader(PlainReader):
    """Cannot look into anything, and says so by its price."""

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        return 1_000

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        return pages * PAGE_PRICE


async def test_a_file_that_only_ocr_can_open_costs_a_range(house: House) -> None:
    found = await estimate(
        [Source("a.docx", b"x" * 19_999)],
        house.within,
        readers=Readers(OfficeReader(), {}),
        embedders=Embedders({house.embedder.model: house.embedder}),
        library=house.library,
    )

    assert found.unknown == 1
    assert found.ocr_usd == Range(PAGE_PRICE, 20 * PAGE_PRICE)


async def test_a_file_that_was_refused_before_is_refused_for_the_same_reason(house: House) -> None:
    locked = Source("locked", b"a spreadsheet")
    why = Failure("encrypted_document", "read", "a password is needed")
    house.library.purchases.keep_reading(locked.version, PagesReader.fingerprint, why)

    assert (await house.estimate(locked=b"a spreadsheet")).problems == (("locked", why),)


async def test_estimates_add_up(house: House) -> None:
    one, other = await house.estimate(scan=b"scan 3"), await house.estimate(bread=BREAD)
    both = await house.estimate(scan=b"scan 3", bread=BREAD)

    assert NOTHING_TO_DO + one + other == both


async def test_a_collection_large_enough_to_try_itself_is_told_what_that_costs(
    house: House,
) -> None:
    few = await house.estimate(bread=BREAD)
    many = sum([await house.estimate(**{f"bread{n}": BREAD}) for n in range(FEWEST)], NOTHING_TO_DO)

    assert few.self_check.usd == 0
    assert few.usd == few.ocr_usd + few.embedding_usd
    assert many.self_check.usd == many.self_check.tokens * TOKEN_PRICE > 0
    assert many.usd.least == many.ocr_usd.least + many.embedding_usd.least
    assert many.usd.most == many.ocr_usd.most + many.embedding_usd.most + many.self_check.usd
