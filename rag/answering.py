"""The story of an answer: question -> hits -> numbered blocks -> draft -> what can be proven."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import (
    Answer,
    AnswerId,
    Citation,
    Claim,
    Draft,
    DraftClaim,
    Dropped,
    Evidence,
    Policy,
    Usage,
)
from rag.gathering import Gathered, Wanted, Within, evidence_of, gather_passages
from rag.grounding.citations import Grounding, Written
from rag.ports import Answerer, Embedders, WritingAnswerer
from rag.questions.rephrasing import Turn
from rag.ranking.filters import Filter
from rag.retrieval.chatting import NO_CHAT, ChatModels, condensed, together
from rag.storage.library import Library


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


Event = Created | Retrieved | Citation | Said | Flagged | Completed
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
    basis = await _basis(question, within, embedders, answerer, library, chat, code_model)
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
    basis = await _basis(question, within, embedders, answerer, library, chat, code_model)
    yield Created(basis.grounding.id, question.text)
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

    @property
    def condensed(self) -> str | None:
        return self.text if self.text != self.asked else None


async def _basis(
    question: Question,
    within: Within,
    embedders: Embedders,
    answerer: Answerer,
    library: Library,
    chat: ChatModels,
    code_model: str | None,
) -> _Basis:
    text, asking, not_condensed = await condensed(question.text, question.history, chat)
    wanted = Wanted(text, question.k, question.filter, question.rerank, question.ref)
    found = await gather_passages(
        wanted, within, embedders=embedders, code_model=code_model, library=library, chat=chat
    )
    evidence = await asyncio.to_thread(evidence_of, found.hits, library)
    id = AnswerId(f"ans_{secrets.token_hex(12)}")
    reasons = [*((not_condensed,) if not_condensed else ()), *found.degraded]
    return _Basis(
        question.text,
        text,
        found,
        evidence,
        Grounding(text, evidence, question.policy, answerer.name, id),
        together(asking, found.usage),
        "; ".join(reasons) or None,
    )


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
    )
    await asyncio.to_thread(library.answers.keep, answer)
    return answer
