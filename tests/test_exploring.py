"""A chat model looks further before it answers: within bounds, within its scope, and verified the
same way."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from decimal import Decimal

import pytest

from rag.answering import (
    Completed,
    Created,
    Question,
    Retrieved,
    answer,
    answer_price,
    answering,
    events_of,
)
from rag.domain import Answer, Draft, DraftClaim, Evidence, Looked, Quotation, Usage
from rag.errors import BudgetExhausted, InvalidRequest, ProviderUnavailable
from rag.ports import Explorer, PricedAnswerer
from rag.questions.exploring import Called, Exchange, Limits
from rag.ranking.filters import Eq
from rag.retrieval.chatting import ChatModels
from tests.explorers import ScriptedExplorer, always, place_of
from tests.houses import House

pytestmark = pytest.mark.anyio

TRAVEL = "# Travel\n\nWhen does the fare come back? It is paid by the employee first."
RATES = "# Rates\n\nFor the fare code Z-77 applies.\n\n## Codes\n\nUnder Z-77 all is repaid in May."
ASKED = "When does the fare come back?"


class Quoting:
    """An answerer that claims the last block it was shown, and costs money."""

    name = "quoting"

    def __init__(self) -> None:
        self.seen: Sequence[Evidence] = ()

    def cost(self, question: str, evidence: Sequence[Evidence]) -> Decimal:
        return Decimal("0.02")

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        self.seen = evidence
        last = evidence[-1]
        claim = DraftClaim(last.text, (Quotation(last.label, last.text),))
        return Draft(True, (claim,)), Usage(self.name, 50, 5, "0.002")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("library"), None)
    noise = "# Noise\n\nNothing of it matters."
    asyncio.run(house.ingest(travel=TRAVEL, rates=RATES, noise=noise))
    yield house
    house.library.close()


async def ask(
    house: House, explorer: Explorer | None, answerer: Quoting | None = None, **asked: object
) -> Answer:
    question = Question(ASKED, k=1, mode="agentic", **asked)  # type: ignore[arg-type]  # the tests' own keywords
    return await answer(
        question,
        [house.library.collections.find("notes")],
        embedders=house.embedders,
        answerer=answerer or Quoting(),
        library=house.library,
        chat=ChatModels(explorer=explorer),
    )


async def test_what_one_search_does_not_find_is_read_on_for(house: House) -> None:
    explorer = ScriptedExplorer(
        always("grep", pattern="Z-77 applies", document=""),
        lambda seen: [("navigate", {"document": place_of("Z-77", seen)[0]})],
        lambda seen: [
            ("open", {"document": place_of("Z-77", seen)[0], "at": RATES.index("## Codes")})
        ],
    )
    made = await ask(house, explorer)

    assert made.outcome == "answered"
    assert made.text == "Under Z-77 all is repaid in May."
    assert [(look.verb, look.problem) for look in made.looked] == [
        ("grep", None),
        ("navigate", None),
        ("open", None),
    ]
    [citation] = made.citations
    assert citation.quote == RATES[citation.source.start : citation.source.end]
    assert made.usage == Usage("quoting", 450, 45, "0.042")
    assert made.degraded is None
    assert house.library.answers.find(made.id) == made


async def test_a_search_brings_only_what_was_not_seen(house: House) -> None:
    explorer = ScriptedExplorer(
        always("search", query="fare"), always("search", query="fare"), always("search", query="x")
    )
    answerer = Quoting()
    made = await ask(house, explorer, answerer)
    places = [(item.document_id, item.block.start) for item in answerer.seen]

    assert len(set(places)) == len(places)
    assert [item.label for item in answerer.seen] == list(range(1, len(places) + 1))
    assert made.looked[0].found > 0
    assert made.looked[1].found == 0


async def test_without_a_chat_model_it_is_refused_with_what_to_do(house: House) -> None:
    with pytest.raises(InvalidRequest, match=r"'agentic' needs a chat model.*MISTRAL_API_KEY"):
        await ask(house, None)
    with pytest.raises(InvalidRequest, match="needs a chat model"):
        answer_price(Question(ASKED, mode="agentic"), Quoting(), ChatModels())


async def test_steps_are_bounded_and_it_says_that_they_were(house: House) -> None:
    explorer = ScriptedExplorer(*[always("search", query="fare")] * 9)
    made = await ask(house, explorer, limits=Limits(steps=2))

    assert len(explorer.shown) == 2
    assert made.degraded == "looked no further after: 2 steps"


async def test_tokens_are_bounded(house: House) -> None:
    explorer = ScriptedExplorer(*[always("search", query="fare")] * 20)
    made = await ask(house, explorer, limits=Limits(steps=20, tokens=1_000))

    assert len(explorer.shown) < 10
    assert made.degraded == "looked no further after: 1000 tokens"


async def test_money_is_bounded_with_enough_left_for_the_answer(house: House) -> None:
    explorer = ScriptedExplorer(*[always("search", query="fare")] * 9)
    made = await ask(house, explorer, limits=Limits(usd=Decimal("0.045")))

    assert len(explorer.shown) == 2  # $0.01 each, and $0.02 are kept for the draft
    assert made.outcome == "answered"
    with pytest.raises(BudgetExhausted, match=r"raise 'limits\.usd'"):
        await ask(house, explorer, limits=Limits(usd=Decimal("0.01")))


async def test_the_price_is_told_beforehand() -> None:
    explorer = ScriptedExplorer()
    answerer = Quoting()
    assert isinstance(explorer, Explorer)
    assert isinstance(answerer, PricedAnswerer)
    told = answer_price(Question(ASKED, mode="agentic"), answerer, ChatModels(explorer=explorer))
    bounded = Question(ASKED, mode="agentic", limits=Limits(usd=Decimal("0.03")))

    assert [(call.purpose, call.usd) for call in told.calls] == [
        ("explore", Decimal("0.06")),
        ("answer", Decimal("0.02")),
    ]
    assert told.usd == Decimal("0.08")
    assert answer_price(bounded, answerer, ChatModels(explorer=explorer)).usd == Decimal("0.03")


@pytest.mark.parametrize(
    ("verb", "arguments", "problem"),
    [
        ("delete", {"document": "travel.md"}, "there is no such tool"),
        ("search", {"query": ""}, "not taken"),
        ("search", {"query": "fare", "filter": None}, "not taken"),
        ("open", {"document": "nowhere.md", "at": 0}, "no such document"),
        ("open", {"document": "travel.md", "at": 10**6}, "characters"),
        ("grep", {"pattern": " ", "document": ""}, "only spaces"),
    ],
)
async def test_what_it_may_not_or_cannot_do_it_is_told(
    house: House, verb: str, arguments: dict[str, object], problem: str
) -> None:
    explorer = ScriptedExplorer(always(verb, **arguments))
    made = await ask(house, explorer)

    [look] = made.looked
    assert problem in (look.problem or "")
    assert problem in explorer.shown[1]
    assert look.found == 0


async def test_a_crowd_of_calls_is_cut_short(house: House) -> None:
    explorer = ScriptedExplorer(lambda seen: [("search", {"query": "fare"})] * 7)
    made = await ask(house, explorer)

    assert [look.problem is None for look in made.looked] == [True] * 4 + [False] * 3


async def test_nothing_is_seen_beyond_the_collections_and_the_filter(house: House) -> None:
    other = house.library.collections.create(
        "secrets",
        embedding_model=house.embedder.model,
        dimension=house.embedder.dimension,
        chunk_tokens=house.embedder.max_tokens,
    )
    own, house.within = house.within, other
    await house.ingest(vault="# Vault\n\nThe fare of the vault is SESAME.")
    house.within = own
    [hidden] = house.library.documents.list(other).data
    plans = [
        always("search", query="fare of the vault SESAME"),
        always("grep", pattern="SESAME", document=""),
        always("grep", pattern="SESAME", document=hidden.id),
        always("open", document=hidden.id, at=0),
        always("navigate", document=hidden.id),
        always("open", document="vault.md", at=0),
    ]
    explorer = ScriptedExplorer(*plans)
    made = await ask(house, explorer)
    filtered = ScriptedExplorer(
        always("search", query="Z-77"),
        always("grep", pattern="Z-77", document=""),
        always("open", document="rates.md", at=0),
    )
    await ask(house, filtered, filter=Eq("key", "travel.md"))

    assert not any("SESAME" in seen for seen in explorer.shown)
    assert "SESAME" not in str(made.citations)
    assert len(explorer.shown) == 6
    assert not any("Z-77" in seen for seen in filtered.shown)


async def test_each_look_is_told_as_it_happens_and_the_events_are_those_of_the_answer(
    house: House,
) -> None:
    explorer = ScriptedExplorer(
        always("search", query="Z-77"), always("grep", pattern="May", document="")
    )
    telling = answering(
        Question(ASKED, k=1, mode="agentic"),
        [house.library.collections.find("notes")],
        embedders=house.embedders,
        answerer=Quoting(),
        library=house.library,
        chat=ChatModels(explorer=explorer),
    )
    told = [event async for event in telling]
    made = told[-1]

    assert isinstance(made, Completed)
    assert [type(event) for event in told[:4]] == [Created, Looked, Looked, Retrieved]
    assert told == events_of(made.answer)


class Endless(ScriptedExplorer):
    """Says nothing for a long time, and notes when it was hung up on."""

    is_hung_up = False

    async def step(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> tuple[tuple[Called, ...], Usage]:
        if not exchanges:
            return await super().step(question, evidence, exchanges)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.is_hung_up = True
            raise
        raise AssertionError("nobody waits so long")


async def test_to_hang_up_ends_the_spending_at_once(house: House) -> None:
    explorer, answerer = Endless(always("search", query="Z-77")), Quoting()
    telling = answering(
        Question(ASKED, k=1, mode="agentic"),
        [house.library.collections.find("notes")],
        embedders=house.embedders,
        answerer=answerer,
        library=house.library,
        chat=ChatModels(explorer=explorer),
    )

    async def listen() -> None:
        async with aclosing(telling) as events:
            async for _ in events:
                pass

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while not explorer.shown:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    assert explorer.is_hung_up
    assert answerer.seen == ()


class Failing(ScriptedExplorer):
    async def step(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> tuple[tuple[Called, ...], Usage]:
        if exchanges:
            raise ProviderUnavailable("somebody", "is down")
        return await super().step(question, evidence, exchanges)


async def test_where_the_model_fails_in_the_middle_what_was_found_stays(house: House) -> None:
    made = await ask(house, Failing(always("grep", pattern="Z-77", document="")))

    assert made.outcome == "answered"
    assert made.degraded == "looked no further after: somebody: is down"
    assert "Z-77" in made.citations[0].quote
