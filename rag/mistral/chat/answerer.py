"""Question and evidence -> draft, by a chat model."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal

import msgspec
from msgspec import Struct

from rag.domain import Draft, DraftClaim, Evidence, Usage
from rag.errors import MalformedReply, ProviderUnavailable
from rag.grounding.prompt import Message, messages
from rag.mistral.chat.completions import DEADLINE, MistralChat, Terms
from rag.mistral.chat.drafting import DraftInWriting
from rag.mistral.chat.transcripts import Completion
from rag.mistral.client import MistralClient
from rag.mistral.prices import TokenPrice
from rag.spending import Units

MODEL = "mistral-large-2512"
"""Generally available, not deprecated, and pinned: `-latest` moves without notice. It does not
reason before it answers, so what is paid for is the answer. $0.50 and $1.50 a million tokens;
`mistral-small-2603` costs a third of that, and reasons unless told not to."""

_TERMS = Terms(
    max_tokens=4_096,  # about forty claims with a quotation each
    shape=Draft,
    cache_key="rag-draft",  # every prompt begins with the same instructions
    operation="answer",
)

_DRAFTS = 1.5
"""Deadlines of one request that a draft may take with what mends it, waiting included: three
minutes, which is as long as anyone stays."""


class _Unusable(Struct, frozen=True):
    """Why a draft cannot be used."""

    what: str


class MistralAnswerer:
    """An `Answerer`."""

    def __init__(
        self,
        client: MistralClient,
        model: str | None = None,
        *,
        price: TokenPrice | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """
        Args:
            model: id of a chat model; `MODEL` where None.
            price: as the operator states it; where None, that of Mistral's own list.
            deadline: seconds for one request.
        """
        self._provider = client.host.name
        self._chat = MistralChat(client, model or MODEL, price=price)
        self._terms = msgspec.structs.replace(_TERMS, deadline=deadline)
        self._deadline = _DRAFTS * deadline

    @property
    def name(self) -> str:
        return self._chat.model

    def cost(self, question: str, evidence: Sequence[Evidence]) -> Decimal:
        """USD at most: of a draft, and of another with the first before it."""
        first = self._chat.most_usd(messages(question, evidence), self._terms)
        again = self._chat.usd(Units(self._terms.max_tokens))
        return 2 * first + again

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        """What the model says, with one request to mend it where it cannot be used.

        Raises:
            MalformedReply: the second draft could not be used either.
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: the draft may cost more than is allowed.
        """
        if not evidence:
            return Draft(sufficient=False, claims=()), Usage(self.name)
        try:
            async with asyncio.timeout(self._deadline):
                return await self._draft(messages(question, evidence))
        except TimeoutError as error:
            late = f"had no answer after {self._deadline:g} s"
            raise ProviderUnavailable(self._provider, late) from error

    async def write(
        self, question: str, evidence: Sequence[Evidence]
    ) -> AsyncGenerator[DraftClaim | tuple[Draft, Usage], None]:
        """The claims as the model writes them, and at last the draft.

        A draft that cannot be used is mended as in `draft` while none of it was told; later, what
        was told is the draft.

        Raises:
            As `draft` does.
        """
        prompt = messages(question, evidence)
        writing, told = DraftInWriting(), list[DraftClaim]()
        completion: Completion | None = None
        async with aclosing(self._chat.stream(prompt, self._terms)) as deltas:
            async for delta in deltas:
                for claim in writing.feed(delta.text):
                    told.append(claim)
                    yield claim
                completion = delta.completion or completion
        assert completion is not None, "a stream ends with it"
        read = _read(completion)
        if isinstance(read, Draft) and _begins_with(read, told):
            yield read, self._usage(completion)
        elif isinstance(read, Draft) or told:
            yield Draft(sufficient=True, claims=tuple(told)), self._usage(completion)
        else:
            yield await self._mended(prompt, completion, read)

    async def _draft(self, prompt: Sequence[Message]) -> tuple[Draft, Usage]:
        first = await self._chat.complete(prompt, self._terms)
        read = _read(first)
        if isinstance(read, Draft):
            return read, self._usage(first)
        return await self._mended(prompt, first, read)

    async def _mended(
        self, prompt: Sequence[Message], first: Completion, fault: _Unusable
    ) -> tuple[Draft, Usage]:
        second = await self._chat.complete((*prompt, *_mending(first, fault)), self._terms)
        mended = _read(second)
        if isinstance(mended, Draft):
            return mended, self._usage(first, second)
        raise MalformedReply(self._provider, f"wrote a draft that {mended.what}, twice")

    def _usage(self, *completions: Completion) -> Usage:
        units = sum((each.units for each in completions if each.units), Units(0))
        return Usage(self.name, units.input, units.output, f"{self._chat.usd(units):f}")


def _begins_with(draft: Draft, told: Sequence[DraftClaim]) -> bool:
    """An object may say a thing twice, and the last counts for a parser: not against what was
    told already."""
    return not told or (draft.sufficient and draft.claims[: len(told)] == tuple(told))


def _read(completion: Completion) -> Draft | _Unusable:
    if completion.is_cut_off:
        return _Unusable("was cut off; give fewer claims and shorter quotations")
    if completion.finish_reason != "stop":
        return _Unusable("was not finished")
    try:
        return msgspec.json.decode(completion.text, type=Draft)
    except msgspec.ValidationError:
        return _Unusable("does not have the fields that were asked for, and those only")
    except msgspec.DecodeError:
        return _Unusable("is not one JSON object")


def _mending(completion: Completion, fault: _Unusable) -> tuple[Message, Message]:
    """The unusable draft, which no message of the model may be without, and what was wrong."""
    return (
        Message("assistant", completion.text or "{}"),
        Message("user", f"That reply {fault.what}. Reply again, with the JSON object alone."),
    )
