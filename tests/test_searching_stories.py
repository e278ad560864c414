"""What stands before and after fusion, told with a real library, small engines and a chat model
that says what it is told to say."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from rag.answering import Question, answer
from rag.domain import Usage
from rag.errors import InvalidRequest, ProviderUnavailable
from rag.questions.rephrasing import Rephrased, Turn, Wish
from rag.retrieval.chatting import ChatModels, price
from rag.retrieval.queries import Query, SearchResult
from rag.retrieval.searching import search
from tests.fakes import FirstBlockAnswerer
from tests.houses import House

pytestmark = pytest.mark.anyio

TEXTS = {
    "whales": "# Whales\n\nThe blue whale is the largest animal. It eats krill.\n",
    "bread": "# Bread\n\nSourdough needs flour, water and salt. It rises over night.\n",
    "seals": "# Seals\n\nA seal is an animal that eats fish.\n",
}


class Chat:
    """Rephraser and reranker, as told. Counts its calls."""

    name = "chat-1"

    def __init__(
        self, rephrased: Rephrased | None = None, order: Sequence[int] = (), *, fails: bool = False
    ) -> None:
        self.rephrased = rephrased
        self.order = order
        self.fails = fails
        self.calls = 0

    def cost(self, *_: object) -> Decimal:
        return Decimal("0.01")

    async def rephrase(self, wish: Wish) -> tuple[Rephrased, Usage]:
        self._call()
        assert self.rephrased is not None, "nothing was told"
        return self.rephrased, Usage(self.name, 10, 5, "0.001")

    async def rerank(
        self, question: str, titled: Sequence[tuple[str, str]]
    ) -> tuple[Sequence[int], Usage]:
        self._call()
        places = [*self.order, *(n for n in range(len(titled)) if n not in self.order)]
        return places, Usage(self.name, 20, 5, "0.002")

    def _call(self) -> None:
        self.calls += 1
        if self.fails:
            raise ProviderUnavailable("chat", "it is down")


@pytest.fixture
async def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "library", None)
    await house.ingest(**TEXTS)
    yield house
    house.library.close()


async def asked(house: House, chat: Chat | None, text: str, **options: object) -> SearchResult:
    return await search(
        Query(text, **options),
        house.library.collections.find("notes"),
        embedders=house.embedders,
        library=house.library,
        chat=ChatModels(chat, chat),
    )


def keys(result: SearchResult) -> list[str]:
    return [hit.key for hit in result.data]


async def test_each_part_of_a_question_has_its_own_hit(house: House) -> None:
    whole = "What does the blue whale eat and what needs flour and salt?"
    result = await asked(house, None, whole, k=2, explain=True)

    assert set(keys(result)) == {"whales.md", "bread.md"}
    assert len(result.explain.asked) == 3


async def test_politeness_finds_nothing(house: House) -> None:
    await house.ingest(manners="# Manners\n\nPlease tell me, could you, would you know.\n")

    assert (await asked(house, None, "Could you please tell me about krill?", mode="words")).data[
        0
    ].key == "whales.md"


async def test_no_chat_model_is_asked_unless_a_request_wants_it(house: House) -> None:
    chat = Chat()
    result = await asked(house, chat, "krill")

    assert (chat.calls, result.usage) == (0, None)


async def test_a_follow_up_is_looked_for_as_it_was_meant(house: House) -> None:
    chat = Chat(Rephrased("What does the blue whale eat, krill?", (), ""))
    history = (Turn("user", "Which animal is the largest?"),)
    result = await asked(house, chat, "And what does it eat?", history=history, k=1)

    assert keys(result) == ["whales.md"]
    assert result.usage == Usage("chat-1", 10, 5, "0.001")


async def test_variants_and_a_hypothesis_add_to_what_is_looked_for(house: House) -> None:
    chat = Chat(Rephrased("xyzzy", ("sourdough flour",), "Sourdough needs flour and salt."))
    result = await asked(house, chat, "xyzzy", expand=("variants", "hypothesis"), k=1, explain=True)

    assert keys(result) == ["bread.md"]
    assert result.explain.asked == ("question: xyzzy", "variant: sourdough flour")


async def test_reranked_hits_take_the_scores_of_their_places(house: House) -> None:
    plain = await asked(house, None, "animal that eats")
    result = await asked(house, Chat(order=(1, 0)), "animal that eats", rerank=True, explain=True)

    assert keys(result)[:2] == keys(plain)[1::-1]
    assert [hit.score for hit in result.data] == [hit.score for hit in plain.data]
    assert [each.fused.rank for each in result.explain.hits][:2] == [2, 1]
    assert [each.reranked.rank for each in result.explain.hits][:2] == [1, 2]
    assert result.usage is not None


async def test_a_model_that_fails_leaves_everything_as_it_was_and_is_told(house: House) -> None:
    plain = await asked(house, None, "animal that eats")
    history = (Turn("user", "Hello"),)
    result = await asked(house, Chat(fails=True), "animal that eats", rerank=True, history=history)

    assert result.data == plain.data
    assert "not rephrased" in result.degraded
    assert "not reranked" in result.degraded
    assert result.usage is None


async def test_without_a_chat_model_it_is_refused_before_anything_is_done(house: House) -> None:
    embedded = len(house.embedder.embedded)
    with pytest.raises(InvalidRequest, match="needs a chat model"):
        await asked(house, None, "animal", rerank=True)

    assert len(house.embedder.embedded) == embedded


def test_the_price_is_that_of_each_call() -> None:
    chat = Chat()
    models = ChatModels(chat, chat)

    assert price(Query("a"), models).usd == 0
    assert price(Query("a", rerank=True, expand=("variants",)), models).usd == Decimal("0.02")
    assert chat.calls == 0


async def test_an_answer_understands_a_follow_up(house: House) -> None:
    chat = Chat(Rephrased("What does the blue whale eat?", (), ""))
    given = await answer(
        Question("What does it eat?", history=(Turn("user", "the blue whale"),), rerank=True),
        [house.library.collections.find("notes")],
        embedders=house.embedders,
        answerer=FirstBlockAnswerer(),
        library=house.library,
        chat=ChatModels(chat, chat),
    )

    assert (given.question, given.condensed) == (
        "What does it eat?",
        "What does the blue whale eat?",
    )
    assert given.usage is not None
    assert given.usage.cost_usd == "0.003"
    assert chat.calls == 2
