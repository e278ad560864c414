"""The story of looking further: a chat model says what to look at next, until what was found
suffices or a limit is reached. It reads through the verbs of `rag.browsing` and a search, within
the question's collections and filter, and can do nothing else.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from decimal import Decimal
from math import ceil
from typing import TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rag.browsing import verbs
from rag.browsing.opening import Place
from rag.browsing.verbs import CHARACTERS_PER_TOKEN, Pattern, Scope
from rag.domain import ChunkId, Collection, DocumentId, Evidence, Hit, Looked, Usage, Version
from rag.errors import BudgetExhausted, InvalidRequest, NotFound, ProviderError
from rag.gathering import Sources, evidence_of, gather_passages
from rag.gathering import Wanted as GatheringWanted
from rag.grounding.plain import plain
from rag.ports import Explorer
from rag.questions.exploring import (
    Called,
    Exchange,
    Grep,
    Limits,
    Navigate,
    Open,
    Search,
    Wanted,
    shown,
    told,
)
from rag.retrieval.chatting import NO_CHAT, together

Result = TypeVar("Result")

CALLS_AT_ONCE = 4
NEW_HITS = 5  # of one search
OPENED = 1_000  # tokens of one look into a document
MATCHES = 10  # of one grep
HEADINGS = 100  # of one document
MOST_SHOWN = 6_000
"""Characters that one look adds at most."""
MOST_EVIDENCE = 60_000
"""Characters in all, some 15,000 tokens: what an answer is drafted from."""
SAID = 200  # characters of a model's arguments that are told


class Task(Struct, frozen=True):
    """What is looked for, and how far."""

    wanted: GatheringWanted
    limits: Limits
    reserve: Callable[[Sequence[Evidence]], Decimal]
    """USD that a draft from so much evidence may cost."""


class Explored(Struct, frozen=True):
    """All that was read, numbered from 1, what was found first before all else."""

    evidence: tuple[Evidence, ...]
    usage: Usage | None
    stopped: str | None
    """Why it ended before the model was done; None where it was."""


_Seen: TypeAlias = tuple[DocumentId, str, int, int]
_Spot: TypeAlias = tuple[DocumentId, Version, int, int]


class _Blocks:
    """What was shown."""

    def __init__(self, first: Sequence[Evidence], hits: Sequence[Hit]) -> None:
        self.evidence = list(first)
        self.seen = set(map(_seen, hits))
        self._spots = {_spot(item): item.label for item in first}
        self.characters = sum(len(item.text) for item in first)

    def add(self, found: Sequence[Evidence]) -> tuple[list[Evidence], list[int]]:
        """Those that are new, numbered on; and the numbers of those that were there."""
        new: list[Evidence] = []
        known: list[int] = []
        characters = 0
        for item in found:
            if _spot(item) in self._spots:
                known.append(self._spots[_spot(item)])
                continue
            characters += len(item.text)
            is_full = self.characters + len(item.text) > MOST_EVIDENCE
            if is_full or (new and characters > MOST_SHOWN):
                break
            labelled = replace(item, label=len(self.evidence) + 1)
            self._spots[_spot(item)] = labelled.label
            self.evidence.append(labelled)
            self.characters += len(item.text)
            new.append(labelled)
        return new, known


def _seen(hit: Hit) -> _Seen:
    return hit.document_id, hit.key, hit.start, hit.end


def _spot(item: Evidence) -> _Spot:
    return item.document_id, item.version, item.block.start, item.block.end


async def explore(
    task: Task,
    first: Sequence[Evidence],
    hits: Sequence[Hit],
    sources: Sources,
    explorer: Explorer,
) -> AsyncGenerator[Looked | Explored, None]:
    """Each look as it was taken, and at last what was read.

    Where the model fails in the middle, what was found until then stays. Close the generator to
    give it up, which ends the spending.

    Raises:
        BudgetExhausted: what was found first may cost more to draft from than the question may.
    """
    blocks = _Blocks(first, hits)
    looking = _Looking(task, blocks, sources)
    exchanges: list[Exchange] = []
    usage: Usage | None = None
    _check_draft(task, first)
    stopped: str | None = f"{task.limits.steps} steps"
    for _ in range(task.limits.steps):
        stopped = _limit(task, first, blocks, exchanges, usage, explorer)
        if stopped is not None:
            break
        stopped = f"{task.limits.steps} steps"
        try:
            calls, spent = await explorer.step(task.wanted.text, first, exchanges)
        except (ProviderError, BudgetExhausted) as error:
            stopped = str(error)
            break
        usage = together(spent, usage)
        if not calls:
            stopped = None
            break
        results = []
        for number, call in enumerate(calls):
            looked, result = await looking.look(call, is_allowed=number < CALLS_AT_ONCE)
            results.append(result)
            yield looked
        exchanges.append(Exchange(calls, tuple(results)))
    yield Explored(tuple(blocks.evidence), usage, stopped)


def _check_draft(task: Task, first: Sequence[Evidence]) -> None:
    usd = task.limits.usd
    if usd is not None and (needed := task.reserve(first)) > usd:
        raise BudgetExhausted(
            f"an answer may cost up to ${needed:.4f}, and the request allows ${usd}:"
            " raise 'limits.usd', or look at fewer passages ('k')"
        )


def _limit(
    task: Task,
    first: Sequence[Evidence],
    blocks: _Blocks,
    exchanges: Sequence[Exchange],
    usage: Usage | None,
    explorer: Explorer,
) -> str | None:
    """The limit that another step could exceed; None where there is room for it."""
    if blocks.characters >= MOST_EVIDENCE - MOST_SHOWN:
        return "room for blocks"
    used = usage.prompt_tokens + usage.completion_tokens if usage else 0
    characters = sum(len(item.text) for item in first)
    characters += sum(len(text) for exchange in exchanges for text in exchange.results)
    if used + ceil(characters / CHARACTERS_PER_TOKEN) > task.limits.tokens:
        return f"{task.limits.tokens} tokens"
    if task.limits.usd is not None:
        spent = Decimal(usage.cost_usd) if usage else Decimal(0)
        following = explorer.cost(task.wanted.text, first, exchanges)
        if spent + following + task.reserve(blocks.evidence) > task.limits.usd:
            return f"${task.limits.usd}"
    return None


class _Looking:
    """The verbs, as a model may call them."""

    def __init__(self, task: Task, blocks: _Blocks, sources: Sources) -> None:
        self._task = task
        self._scopes = [
            Scope(each, task.wanted.filter)
            for each in sources.within
            if isinstance(each, Collection)
        ]
        self._blocks = blocks
        self._sources = sources
        self._library = sources.library

    async def look(self, call: Called, *, is_allowed: bool) -> tuple[Looked, str]:
        """What is told of it, and what the model is shown."""
        before = len(self._blocks.evidence)
        problem = None
        try:
            if not is_allowed:
                raise InvalidRequest(f"at most {CALLS_AT_ONCE} tools are called at once")
            result = await self._look(call.wanted())
        except (InvalidRequest, NotFound) as error:
            problem = plain(str(error))
            result = told(error=problem)
        found = len(self._blocks.evidence) - before
        return Looked(plain(call.name)[:SAID], _arguments(call), found, problem), result

    async def _look(self, wanted: Wanted) -> str:
        match wanted:
            case Search(query):
                return await self._search(query)
            case Open(document, at):
                return await self._open(document, at)
            case Navigate(document):
                return await self._in_one(lambda scope: self._headings(document, scope))
            case Grep(pattern, document):
                return await self._grep(pattern, document)

    async def _search(self, text: str) -> str:
        k = min(100, NEW_HITS + len(self._blocks.seen))
        wanted = replace(self._task.wanted, text=text, k=k, rerank=False)
        found = await gather_passages(wanted, self._sources, NO_CHAT)
        new = [hit for hit in found.hits if _seen(hit) not in self._blocks.seen][:NEW_HITS]
        self._blocks.seen |= set(map(_seen, new))
        return await self._shown(new)

    async def _open(self, document: str, at: int) -> str:
        part = await self._in_one(
            lambda scope: verbs.open_at(
                document,
                Place(at),
                scope,
                max_tokens=OPENED,
                before=0.0,
                embedders=self._sources.embedders,
                library=self._library,
            )
        )
        hit = _hit(part.document_id, part.key, part.title, part.text, part.start)
        result = await self._shown([replace(hit, heading_path=part.heading_path)])
        return f"{result}\n{told(previous=part.previous, next=part.next)}"

    async def _headings(self, document: str, scope: Scope) -> str:
        found = await verbs.navigate(
            document, None, scope, depth=verbs.WHOLE, library=self._library
        )
        lines = [
            told(heading=section.heading, level=section.level, at=section.start, page=section.page)
            for section in found.sections[:HEADINGS]
        ]
        left_out = found.left_out + len(found.sections[HEADINGS:])
        about = told(document=found.document_id, pages=found.pages, characters=found.characters)
        return "\n".join([about, *lines, *([told(left_out=left_out)] if left_out else [])])

    async def _grep(self, pattern: str, document: str) -> str:
        async def one(scope: Scope) -> list[Hit]:
            found = await verbs.grep(
                Pattern(pattern),
                scope,
                document=document or None,
                limit=MATCHES,
                library=self._library,
            )
            return [
                replace(
                    _hit(m.document_id, m.key, m.title, m.shown, m.shown_start),
                    heading_path=m.heading_path,
                )
                for m in found.matches
            ]

        if document:
            return await self._shown(await self._in_one(one))
        each = [await one(scope) for scope in self._scopes]
        return await self._shown([hit for hits in each for hit in hits][:MATCHES])

    async def _in_one(self, look: Callable[[Scope], Awaitable[Result]]) -> Result:
        """In whichever of the collections the document is.

        Raises:
            NotFound: in none of them.
        """
        reason = NotFound("there are no documents here that could be opened, but code")
        for scope in self._scopes:
            try:
                return await look(scope)
            except NotFound as error:
                reason = error
        raise reason

    async def _shown(self, hits: Sequence[Hit]) -> str:
        found = await asyncio.to_thread(evidence_of, hits, self._library)
        new, known = self._blocks.add(found)
        lines = [shown(new)] if new else []
        if known:
            lines.append(told(shown_before=known))
        return "\n".join(lines) or told(found=0)


def _hit(document: DocumentId, key: str, title: str, text: str, start: int) -> Hit:
    """A span that no search found."""
    return Hit(ChunkId(""), document, key, title, 0.0, text, start, start + len(text))


def _arguments(call: Called) -> str:
    """As text that nothing is rendered of."""
    return plain(call.arguments)[:SAID]
