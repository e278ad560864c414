"""What the stories need from outside. Adapters satisfy these without importing them by name."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from decimal import Decimal
from typing import Protocol, runtime_checkable

from msgspec import Struct

from rag.domain import (
    Document,
    Draft,
    DraftClaim,
    Evidence,
    InputType,
    Lane,
    Source,
    Survey,
    Usage,
    Vectors,
    Version,
)
from rag.errors import ModelUnavailable
from rag.evaluation.wording import Worded
from rag.pages import LoosePage
from rag.questions.exploring import Called, Exchange
from rag.questions.rephrasing import Rephrased, Wish
from rag.spending import Awaited, Bill, Bought, Ending, Errand, Intent, IntentId


@runtime_checkable
class Reader(Protocol):
    """Source -> document."""

    @property
    def fingerprint(self) -> str:
        """Names the reader, its version and its options: a reading is kept under (bytes,
        fingerprint), and a refused file is tried again only when one of the two changes."""
        ...

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: the bytes cannot become a document.
            ProviderError: OCR at a provider failed for good, after retries.
        """
        ...


@runtime_checkable
class Surveyor(Protocol):
    """A reader that can leave OCR to another."""

    @property
    def fingerprint(self) -> str: ...

    async def survey(self, source: Source) -> Survey:
        """
        Raises:
            InvalidDocument: the bytes cannot become a document.
        """
        ...


@runtime_checkable
class Completer(Protocol):
    """A reader that goes on where a survey ended."""

    async def complete(self, source: Source, survey: Survey) -> Document:
        """As `read`, of bytes that were surveyed before."""
        ...


@runtime_checkable
class Recognizer(Protocol):
    """OCR of single pages."""

    @property
    def fingerprint(self) -> str: ...

    async def recognize(self, source: Source, pages: Sequence[int]) -> tuple[LoosePage, ...]:
        """Some pages of a PDF or an image, by their numbers from 1, in that order.

        Raises:
            InvalidDocument: the bytes cannot be read.
            ProviderError: the provider failed for good, after retries.
        """
        ...


class Member(Struct, frozen=True):
    """A file in an archive."""

    path: str
    """Below the archive's key, from `!/` on."""
    size: int
    """In bytes."""


@runtime_checkable
class Unpacker(Protocol):
    """Archive -> the files in it."""

    async def members(self, source: Source) -> tuple[Member, ...] | None:
        """What is in an archive, and in archives within it; None of what is no archive.

        Raises:
            InvalidDocument: it is damaged, encrypted or too large.
        """
        ...

    def unpack(self, source: Source) -> AsyncIterator[Source]:
        """Its files, one at a time, as sources of their own."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A reader that costs money."""

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        """How many pages are still to be bought before these can be read, all where None; at
        most, where they cannot be counted. Nothing is sent.

        Raises:
            InvalidDocument: the bytes cannot be read.
        """
        ...

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        """USD for so many pages; 0 where no price is known."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Texts -> vectors, by one model."""

    @property
    def model(self) -> str:
        """Model id with what changes its vectors (`all-MiniLM-L6-v2/int8`)."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest text it embeds whole, special tokens included."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included; an upper bound where no exact tokenizer
        is at hand."""
        ...

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        """(len(texts), dimension), in order, rows of length 1. Never truncates in silence.

        Raises:
            ProviderError: the provider failed for good, after retries.
        """
        ...


@runtime_checkable
class PaidReader(Protocol):
    """A reader that can say beforehand what it would buy."""

    def errands(self, source: Source, pages: Sequence[int] | None = None) -> AsyncIterator[Errand]:
        """What has to be bought before these pages can be read; all that need it where None.

        Raises:
            InvalidDocument: the bytes cannot become a document.
        """
        ...


@runtime_checkable
class PaidEmbedder(Protocol):
    """An embedder that can say beforehand what it would buy."""

    def errands(self, texts: Sequence[str]) -> Iterator[Errand]:
        """What has to be bought to embed these passages. Those that may be refused are left
        out."""
        ...

    def cost(self, tokens: int, lane: Lane = "direct") -> Decimal:
        """USD for so many tokens; 0 where no price is known."""
        ...

    def most_tokens(self, texts: Sequence[str]) -> int:
        """No fewer than these are billed for: what the intents of their purchases come to."""
        ...


@runtime_checkable
class BatchLane(Protocol):
    """Errands done together, at half the price and in the provider's own time.

    Every call raises ProviderError where the provider fails for good, after retries.
    """

    @property
    def most(self) -> int:
        """Errands of one batch."""
        ...

    async def send(
        self, mark: str, errands: Mapping[str, Errand], sending: Callable[[], Awaitable[None]]
    ) -> str | None:
        """The provider's id of a new batch; None where it may or may not have been created.

        Args:
            mark: ours, by which it can be found.
            errands: by name; all to one endpoint and one model.
            sending: awaited when from then on something may be created.

        Raises:
            ProviderError: it was surely not created.
        """
        ...

    async def find(self, mark: str, model: str) -> str | None:
        """The id of a batch by its mark; None where the provider knows of none."""
        ...

    async def look(self, id: str) -> str | None:
        """How it ended, in the provider's word; None while it is under way."""
        ...

    def wait(self, looks: int) -> float:
        """Seconds to wait after so many looks at a batch."""
        ...

    def endings(self, id: str, awaited: Sequence[Awaited]) -> AsyncIterator[tuple[str, Ending]]:
        """How each request of a batch that has ended did, by its name."""
        ...

    async def cancel(self, id: str) -> None:
        """Asks for it; what was done until it ends is billed."""
        ...

    async def tidy(self, id: str) -> None:
        """Removes the files of a batch that has ended."""
        ...


@runtime_checkable
class Answerer(Protocol):
    """Question and numbered blocks -> draft."""

    @property
    def name(self) -> str:
        """`extractive`, or the chat model's id."""
        ...

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        """Claims with quotations, and whether the blocks suffice.

        Raises:
            ProviderError: the provider failed for good, after retries.
        """
        ...


@runtime_checkable
class WritingAnswerer(Answerer, Protocol):
    """An answerer whose draft can be had while it is written."""

    def write(
        self, question: str, evidence: Sequence[Evidence]
    ) -> AsyncGenerator[DraftClaim | tuple[Draft, Usage], None]:
        """Its claims one by one, once it is known that the blocks suffice; at last the draft, with
        those claims first. Close the generator to hang up, which ends the spending.

        Raises:
            ProviderError: the provider failed for good.
        """
        ...


@runtime_checkable
class PricedAnswerer(Answerer, Protocol):
    """An answerer that costs money."""

    def cost(self, question: str, evidence: Sequence[Evidence]) -> Decimal:
        """USD at most for a draft, what mends it included; 0 where no price is known."""
        ...


@runtime_checkable
class Rephraser(Protocol):
    """A question -> the same in words that find more."""

    @property
    def name(self) -> str:
        """The chat model's id."""
        ...

    def cost(self, wish: Wish) -> Decimal:
        """USD at most; 0 where no price is known."""
        ...

    async def rephrase(self, wish: Wish) -> tuple[Rephrased, Usage]:
        """What was asked for and nothing else.

        Raises:
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: it may cost more than is allowed.
        """
        ...


@runtime_checkable
class Reranker(Protocol):
    """Puts candidates in order by how well each answers a question."""

    @property
    def name(self) -> str: ...

    def cost(self, question: str, titled: Sequence[tuple[str, str]]) -> Decimal:
        """USD at most; 0 where no price is known.

        Args:
            titled: title and text of each candidate.
        """
        ...

    async def rerank(
        self, question: str, titled: Sequence[tuple[str, str]]
    ) -> tuple[Sequence[int], Usage]:
        """A permutation of the candidates' places, the best first.

        Raises:
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: it may cost more than is allowed.
        """
        ...


@runtime_checkable
class Explorer(Protocol):
    """A question and what was read for it -> what to look at next."""

    @property
    def name(self) -> str:
        """The chat model's id."""
        ...

    def most(self, steps: int, tokens: int) -> Decimal:
        """USD for so many steps, and so many tokens in all; 0 where no price is known."""
        ...

    def cost(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> Decimal:
        """USD at most for the next step; 0 where no price is known."""
        ...

    async def step(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> tuple[tuple[Called, ...], Usage]:
        """The verbs that it calls; none where it has enough.

        Args:
            evidence: what was found first.
            exchanges: what it called since, and what came of it.

        Raises:
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: it may cost more than is allowed.
        """
        ...


@runtime_checkable
class Questioner(Protocol):
    """A passage -> a question that it answers, for sets by which a search is measured."""

    @property
    def name(self) -> str:
        """The chat model's id."""
        ...

    def cost(self, passage: str) -> Decimal:
        """USD at most; 0 where no price is known."""
        ...

    async def word(self, passage: str) -> tuple[Worded | None, Usage]:
        """None where what it said cannot be believed.

        Raises:
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: it may cost more than is allowed.
        """
        ...


@runtime_checkable
class Ledger(Protocol):
    """Where paid calls are written down, and what they bought is kept. Every method waits on a
    disk: call it on a thread."""

    def intend(self, intent: Intent) -> IntentId:
        """A call is about to leave, for the current purpose. Durable when this returns.

        Raises:
            BudgetExhausted: with it, a budget could be exceeded; the call must not leave.
        """
        ...

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        """The call was billed; what it bought is kept in the same transaction."""
        ...

    def withdraw(self, intent: IntentId) -> None:
        """The call was surely not billed: it was refused, or never arrived."""
        ...

    def lose(self, intent: IntentId) -> None:
        """The reply did not arrive, or could not be used: the call may have been billed."""
        ...

    def ocr_reply(self, version: Version, fingerprint: str) -> bytes | None:
        """What was bought before, as it was sent."""
        ...


class Readers(dict[str, Reader]):
    """Media type -> the reader configured for it; every other type goes to `fallback`."""

    def __init__(self, fallback: Reader, special: Mapping[str, Reader]) -> None:
        super().__init__(special)
        self._fallback = fallback

    def __missing__(self, media_type: str) -> Reader:
        return self._fallback


class Embedders(dict[str, Embedder]):
    """Model -> its embedder; one that is not configured here is refused."""

    def __missing__(self, model: str) -> Embedder:
        raise ModelUnavailable(
            f"this collection was embedded with {model!r}, which is not configured here"
            f" (configured: {', '.join(self) or 'none'}); configure it, or embed the collection"
            " anew with `rag reindex`"
        )
