"""What is spent, on what and for whom: the nouns of the ledger.

A paid call is written down twice. Before it leaves there is an intent, with the most it may cost;
after it there is a bill, in one transaction with what was bought. So a crash leaves no purchase
without its bill, and what may have been billed though its reply was lost is known by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Literal, NewType, TypeAlias

from msgspec import Struct

from rag.domain import CollectionId, InputType, JobId, Lane, Vectors, Version

IntentId = NewType("IntentId", int)

Operation: TypeAlias = Literal[
    "ocr", "embed", "answer", "complete", "rephrase", "rerank", "explore"
]


class Units(Struct, frozen=True):
    """What a provider counts: pages for `ocr`, tokens for all else."""

    input: int
    output: int = 0
    cached: int = 0
    """Of `input`, what the provider still had of an earlier prompt, and sells for less."""

    def __add__(self, other: Units) -> Units:
        return Units(
            self.input + other.input, self.output + other.output, self.cached + other.cached
        )


class Intent(Struct, frozen=True):
    """A paid call that is about to leave."""

    provider: str
    model: str
    operation: Operation
    most: Units
    """An upper bound of what may be billed."""
    usd: Decimal
    """The price of `most`; 0 where no price is known."""
    lane: Lane = "direct"


class Bill(Struct, frozen=True):
    """What the provider says it counted, and what that costs."""

    units: Units
    usd: Decimal


class Budgets(Struct, frozen=True):
    """USD that may be spent; None where there is no limit."""

    day: Decimal | None = None
    """From midnight to midnight, UTC."""
    job: Decimal | None = None


NO_BUDGETS = Budgets()

Grouping: TypeAlias = Literal["day", "operation", "model", "lane", "collection", "job", "key"]


class Spent(Struct, frozen=True):
    """What the calls of one group cost."""

    group: dict[str, str | None]
    """What they have in common: `{"model": "mistral-embed"}`."""
    calls: int
    """That were billed."""
    units: Units
    """Tokens."""
    usd: Decimal
    lost_calls: int = 0
    """Under way, or without a reply that could be used: they may have been billed as well."""
    lost_usd: Decimal = Decimal(0)
    """The most that those may have cost."""
    pages: int = 0
    """That OCR read; they are not among the units, since pages and tokens have no sum."""


NOTHING_SPENT = Spent({}, 0, Units(0), Decimal(0))


class OcrReply(Struct, frozen=True):
    """What OCR made of some bytes, as the provider sent it: kept, a document can be composed anew
    by better code without being paid for again."""

    version: Version
    """Of the whole source: when its last document is deleted, the reply goes too."""
    fingerprint: str
    """Model, options and pages."""
    content: bytes


class EmbeddedTexts(Struct, frozen=True):
    model: str
    """As the embedder names itself."""
    input_type: InputType
    texts: tuple[str, ...]
    vectors: Vectors
    """(len(texts), d)."""


Bought: TypeAlias = OcrReply | EmbeddedTexts
"""What is kept in one transaction with its bill."""


class Errand(Struct, frozen=True):
    """A paid request that can wait: it goes with others in a batch."""

    endpoint: str
    body: bytes
    """JSON, as it would be sent by itself."""
    intent: Intent
    buys: tuple[bytes, ...]
    """Digests: what is on its way is not bought a second time."""
    memo: bytes
    """How the reply is read and billed, which may come hours later, to another process. No text
    of a document."""
    texts: tuple[str, ...]
    """What it sends of documents, as far as the purchase is kept under it."""
    reply_size: int
    """Bytes that come back, about."""


class Awaited(Struct, frozen=True):
    """A request of a batch under way."""

    name: str
    """Within its batch."""
    memo: bytes
    texts: tuple[str, ...] | None
    """None once the document was deleted: the reply is then paid, and not kept."""


class Ending(Struct, frozen=True):
    """How a request of a batch ended: billed, or free; or nobody knows."""

    bill: Bill | None = None
    bought: Bought | None = None
    is_free: bool = False


def ocr_purchase(version: Version, fingerprint: str) -> bytes:
    """The digest of what an `OcrReply` is kept under."""
    return _digest("ocr", version, fingerprint)


def embedding_purchase(model: str, input_type: InputType, text: str) -> bytes:
    return _digest("embed", model, input_type, text)


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode(errors="surrogatepass")).digest()


class Purpose(Struct, frozen=True):
    """For whom a call is paid."""

    collection: CollectionId | None = None
    job: JobId | None = None
    key: str | None = None
    """Of the document."""


_NOBODY = Purpose()

_purpose: ContextVar[Purpose] = ContextVar("purpose", default=_NOBODY)


@contextmanager
def spending_for(purpose: Purpose) -> Iterator[None]:
    """Everything paid for inside, in this task and those it starts, is for `purpose`.

    A story says once for whom it works; no adapter in between has to pass it on.
    """
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


def current_purpose() -> Purpose:
    return _purpose.get()
