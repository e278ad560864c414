"""The story of an answer: question -> hits -> numbered blocks -> draft -> what can be proven."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from decimal import Decimal
from itertools import chain
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import (
    Answer,
    AnswerId,
    Block,
    Citation,
    Claim,
    DocumentId,
    Draft,
    DraftClaim,
    Dropped,
    Evidence,
    Looked,
    Policy,
    Usage,
    Version,
)
from rag.exploring import MOST_EVIDENCE, Task, explore
from rag.gathering import Gathered, Sources, Wanted, Within, evidence_of, gather_passages
from rag.grounding.citations import Grounding, Written
from rag.grounding.plain import plain
from rag.ports import Answerer, Embedders, PricedAnswerer, WritingAnswerer
from rag.questions.exploring import Limits
from rag.questions.rephrasing import Turn
from rag.ranking.filters import Filter
from rag.retrieval.chatting import (
    NO_CHAT,
    Call,
    ChatModels,
    Price,
    condensed,
    required_explorer,
    together,
)
from rag.retrieval.chatting import price as searching_price
from rag.retrieval.queries import Query
from rag.storage.library import Library

PASSAGE = 4_000
"""Characters of the blocks that a hit covers, at most as a rule: two that are as long as any."""

Mode: TypeAlias = Literal["direct", "agentic"]
"""From what one search found, or from what a chat model looked at besides."""


class Question(Struct, frozen=True):
    text: str
    filter: Filter | None = None
    policy: Policy = "strict"
    k: int = 10
    """Chunks looked at."""
    history: tuple[Turn, ...] = ()
    """What was said before, oldest first; a chat model makes the question stand by itself."""
    rerank: bool = False
    """Whether a chat model puts the candidates in order."""
    ref: str | None = None
    """Of the repositories that are asked; what was indexed last where None."""
    mode: Mode = "direct"
    limits: Limits = Limits()
    """Of looking further."""


class Created(Struct, frozen=True):
    """There will be an answer under this id, once it is complete."""

    id: AnswerId
    question: str


class Retrieved(Struct, frozen=True):
    """What the answer is made of was found."""

    condensed: str | None = None
    degraded: str | None = None
    """Both as of `Answer`."""


class Said(Struct, frozen=True):
    """A claim that is proven, with the words that the answer gains by it."""

    text: str
    claim: Claim


class Flagged(Struct, frozen=True):
    """Something that was said and not believed."""

    dropped: Dropped


class Completed(Struct, frozen=True):
    answer: Answer


Event = Created | Looked | Retrieved | Citation | Said | Flagged | Completed
"""What happens while a question is answered, in this order; a citation comes before the claim that
it proves, and what is flagged after all claims."""


async def answer(
    question: Question,
    within: Within,
    *,
    embedders: Embedders,
    answerer: Answerer,
    library: Library,
    chat: ChatModels = NO_CHAT,
    code_model: str | None = None,
) -> Answer:
    """Claims whose quotations were found in the stored sources, or a typed refusal.

    Args:
        code_model: by which code is embedded; None where there is none.

    Raises:
        InvalidRequest: it asks for a chat model, and none is configured.
        NotFound: a repository has no such ref.
        ProviderError: the answerer failed for good, after retries.
        ModelUnavailable: a collection's model is not configured here.
    """
    sources = Sources(within, embedders, library, code_model)
    async with aclosing(_preparing(question, sources, answerer, chat, _new_id())) as preparing:
        async for part in preparing:
            basis = part
    assert isinstance(basis, _Basis), "it ends with it"
    draft, usage = await _draft(basis, answerer)
    for claim in draft.claims:
        basis.grounding.add(claim)
    return await _completed(basis, draft, usage, library)


async def answering(
    question: Question,
    within: Within,
    *,
    embedders: Embedders,
    answerer: Answerer,
    library: Library,
    chat: ChatModels = NO_CHAT,
    code_model: str | None = None,
) -> AsyncGenerator[Event, None]:
    """The same, told as it happens: each claim as soon as it is written and proven. The events are
    those of `events_of` the answer with which they end.

    Close the generator to give the question up, which ends the spending; then there is no answer.

    Raises:
        As `answer` does.
    """
    id = _new_id()
    yield Created(id, question.text)
    sources = Sources(within, embedders, library, code_model)
    async with aclosing(_preparing(question, sources, answerer, chat, id)) as preparing:
        async for step in preparing:
            if isinstance(step, Looked):
                yield step
            else:
                basis = step
    yield Retrieved(basis.condensed, basis.degraded)
    told, draft, usage = 0, Draft(sufficient=False, claims=()), None
    async with aclosing(_writing(basis, answerer)) as writing:
        async for part in writing:
            if isinstance(part, tuple):
                draft, usage = part
                continue
            told += 1
            for event in _events_of_claim(basis.grounding.add(part)):
                yield event
    written = [basis.grounding.add(claim) for claim in draft.claims[told:]]
    for event in chain.from_iterable(map(_events_of_claim, written if draft.sufficient else ())):
        yield event
    made = await _completed(basis, draft, usage, library)
    for dropped in made.dropped:
        yield Flagged(dropped)
    yield Completed(made)


def events_of(answer: Answer) -> list[Event]:
    """All that was told, or would have been told, while an answer was made."""
    told: list[Event] = [
        Created(answer.id, answer.question),
        *answer.looked,
        Retrieved(answer.condensed, answer.degraded),
    ]
    citations = {citation.id: citation for citation in answer.citations}
    for claim in answer.claims:
        new = tuple(citations.pop(id) for id in claim.citations if id in citations)
        text = answer.text[claim.start : claim.end]
        told += _events_of_claim(Written(claim, text, new))
    return [*told, *map(Flagged, answer.dropped), Completed(answer)]


def _events_of_claim(written: Written | None) -> list[Event]:
    return [] if written is None else [*written.citations, Said(written.text, written.claim)]


def answer_price(question: Question, answerer: Answerer, chat: ChatModels) -> Price:
    """What an answer would cost at most.

    Raises:
        InvalidRequest: it asks for a chat model, and none is configured.
    """
    asked = Query(question.text, history=question.history, rerank=question.rerank)
    calls = [*searching_price(asked, chat).calls]
    limits, seen = question.limits, question.k * PASSAGE
    if question.mode == "agentic":
        explorer = required_explorer(chat)
        calls.append(Call("explore", explorer.name, explorer.most(limits.steps, limits.tokens)))
        seen = max(seen, MOST_EVIDENCE)
    if isinstance(answerer, PricedAnswerer):
        calls.append(Call("answer", answerer.name, answerer.cost(question.text, _longest(seen))))
    usd = sum((call.usd for call in calls), Decimal(0))
    is_limited = question.mode == "agentic" and limits.usd is not None
    return Price(tuple(calls), min(usd, limits.usd) if is_limited and limits.usd else usd)


def _longest(characters: int) -> tuple[Evidence, ...]:
    whole = Block("text", 0, characters)
    return (Evidence(1, DocumentId(""), Version(""), "", "", "x" * characters, whole),)


# --- what an answer is made of ---


class _Basis(Struct, frozen=True):
    """All that is there before anything is said."""

    asked: str
    text: str
    """As it stands by itself."""
    found: Gathered
    evidence: tuple[Evidence, ...]
    grounding: Grounding
    usage: Usage | None
    """So far."""
    degraded: str | None
    looked: tuple[Looked, ...]

    @property
    def condensed(self) -> str | None:
        return plain(self.text, self.asked) if self.text != self.asked else None


def _new_id() -> AnswerId:
    return AnswerId(f"ans_{secrets.token_hex(12)}")


async def _preparing(
    question: Question, sources: Sources, answerer: Answerer, chat: ChatModels, id: AnswerId
) -> AsyncGenerator[Looked | _Basis, None]:
    """Each look that is taken, and at last all that there is before anything is said."""
    if question.mode == "agentic":
        required_explorer(chat)
    text, asking, not_condensed = await condensed(question.text, question.history, chat)
    wanted = Wanted(text, question.k, question.filter, question.rerank, question.ref)
    found = await gather_passages(wanted, sources, chat)
    evidence = await asyncio.to_thread(evidence_of, found.hits, sources.library)
    usage, looked, stopped = together(asking, found.usage), list[Looked](), None
    if question.mode == "agentic":
        task = Task(wanted, question.limits, _reserve(text, answerer))
        exploring = explore(task, evidence, found.hits, sources, required_explorer(chat))
        async with aclosing(exploring) as parts:
            async for part in parts:
                if isinstance(part, Looked):
                    looked.append(part)
                    yield part
                else:
                    evidence, stopped = part.evidence, part.stopped
                    usage = together(usage, part.usage)
    ended = f"looked no further after: {stopped}" if stopped else None
    reasons = [why for why in (not_condensed, *found.degraded, ended) if why]
    yield _Basis(
        question.text,
        text,
        found,
        evidence,
        Grounding(text, evidence, question.policy, answerer.name, id),
        usage,
        "; ".join(reasons) or None,
        tuple(looked),
    )


def _reserve(question: str, answerer: Answerer) -> Callable[[Sequence[Evidence]], Decimal]:
    """USD that an answer may cost once so much was read."""

    def reserve(evidence: Sequence[Evidence]) -> Decimal:
        if isinstance(answerer, PricedAnswerer):
            return answerer.cost(question, evidence)
        return Decimal(0)

    return reserve


async def _writing(
    basis: _Basis, answerer: Answerer
) -> AsyncGenerator[DraftClaim | tuple[Draft, Usage | None], None]:
    """Claims as they come where the answerer can, and the draft at last."""
    if not basis.evidence or not isinstance(answerer, WritingAnswerer):
        yield await _draft(basis, answerer)
        return
    async with aclosing(answerer.write(basis.text, basis.evidence)) as writing:
        async for part in writing:
            yield part


async def _draft(basis: _Basis, answerer: Answerer) -> tuple[Draft, Usage | None]:
    if not basis.evidence:
        return Draft(sufficient=False, claims=()), None
    return await answerer.draft(basis.text, basis.evidence)


async def _completed(
    basis: _Basis, draft: Draft, drafting: Usage | None, library: Library
) -> Answer:
    usage = together(drafting, basis.usage)
    answer = replace(
        basis.grounding.answer(draft.sufficient, usage, basis.found.hits),
        question=basis.asked,
        condensed=basis.condensed,
        degraded=basis.degraded,
        looked=basis.looked,
    )
    await asyncio.to_thread(library.answers.keep, answer)
    return answer
