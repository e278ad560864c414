"""Texts -> vectors, by the provider."""

import logging
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

import numpy as np

from rag.chunking.chunks import TARGET
from rag.domain import InputType, Lane, Vectors
from rag.errors import InputRefused, InvalidRequest, MalformedReply
from rag.mistral.batching.errands import embedding_errand
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.embedding.flights import Flights
from rag.mistral.embedding.packing import (
    Packing,
    estimated_tokens,
    pack,
    token_bound,
    token_bound_elsewhere,
    windows,
)
from rag.mistral.embedding.profiles import MODEL, Profile, profile
from rag.mistral.embedding.purchases import most_billed, paid, usd
from rag.mistral.embedding.recent import Recent
from rag.mistral.embedding.sifting import Blamed, Divided, Outcome, sift
from rag.mistral.embedding.vectors import (
    OneVectorForAll,
    OtherWidth,
    embedding_request,
    read_embeddings,
    unit,
)
from rag.mistral.patience import BULK, INTERACTIVE
from rag.mistral.refusals import Cause, Refused
from rag.spending import Errand

log = logging.getLogger(__name__)

DEADLINE = 30.0
"""Seconds; the provider answers in well under one."""

_WELL_ESTIMATED = 6 * TARGET
"""Tokens that a model reads, from which on a chunk may be cut by `estimated_tokens`: that is never
less than a sixth of the bound. For a model that reads less, the bound itself has to do."""

_BYTES_PER_NUMBER = 40
"""Of a reply: twenty as seen, doubled."""

_ENVELOPE = 64 * 1024
"""Bytes of a reply besides its numbers."""

_TOO_LARGE = "3210"
"""Code of a request with too many inputs, or too many tokens overall."""

_OF_ONE_INPUT = frozenset({400, 413, 422})
"""Statuses by which one text may spoil the request of them all."""

_OF_A_TEXT: frozenset[Cause | None] = frozenset({None, "too long for the model"})
"""Causes that lie in a text; None where the provider told none that is known."""

_QUESTIONS = 4096
"""Remembered with their vectors, some 20 MB: people ask the same again, and page through."""

_INPUT = re.compile(r"(body\.)?input\b")
"""How a refusal names the texts of a request."""

_INNOCENT = "word"
"""A text that nobody refuses. Where even it is refused, no text is to blame."""

_Wanted: TypeAlias = tuple[InputType, str]
_Found: TypeAlias = Vectors | Blamed
"""Of one text; its vector is (d,)."""


class MistralEmbedder:
    """An `Embedder`."""

    def __init__(
        self,
        client: MistralClient,
        model: str | Profile | None = None,
        *,
        deadline: float = DEADLINE,
        has_batches: bool = True,
    ) -> None:
        """
        Args:
            model: an embedding model and what is asked of it besides, as one word: see
                `rag.mistral.embedding.profiles`; `MODEL` where None.
            deadline: seconds for one request.
            has_batches: whether what is embedded here may be bought in batches.

        Raises:
            InvalidSettings: no such model is known here.
        """
        self._client = client
        self._profile = model if isinstance(model, Profile) else profile(model or MODEL)
        self._deadline = deadline
        self._has_batches = has_batches
        self._other_width: int | None = None
        """What the host was seen to send instead; nothing more is asked of it then."""
        self._packing = Packing()
        """As the provider taught it, for the life of this embedder."""
        self._flights: Flights[_Wanted, _Found] = Flights()
        self._questions: Recent[_Wanted, _Found] = Recent(_QUESTIONS)

    @property
    def model(self) -> str:
        return self._profile.name

    @property
    def dimension(self) -> int:
        return self._profile.width

    @property
    def max_tokens(self) -> int:
        return self._profile.longest

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate, rather too high than too low: see `rag.mistral.embedding.packing`. An upper
        bound for a model that reads little."""
        count = estimated_tokens if self.max_tokens >= _WELL_ESTIMATED else self._bound
        return [count(text) for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        """A question too long for the model is embedded in pieces, and stands for their mean; a
        passage too long is refused, because a chunk is never that long.

        Each request is carried through, whatever becomes of the others: what it buys is kept, and
        not paid for again when the caller asks again for what is missing.

        Raises:
            InvalidRequest: a passage is empty, or may have more tokens than the model reads.
            InputRefused: some texts are refused, and these alone.
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: the vectors may cost more than is allowed.
        """
        if self._other_width is not None:
            with self._client.host.speaking():
                raise OtherWidth(self._profile, self._other_width)
        if not all(text.strip() for text in texts):
            raise InvalidRequest("an empty text has no meaning to embed")
        if input_type == "passage":
            self._check_lengths(texts)
        pieces = [list(windows(text, self.max_tokens)) for text in texts]
        found = await self._find([piece for each in pieces for piece in each], input_type)
        rows = [_mean([found[piece] for piece in each]) for each in pieces]
        vectors = [row for row in rows if not isinstance(row, Blamed)]
        reasons = {n: row.reason for n, row in enumerate(rows) if isinstance(row, Blamed)}
        if reasons:
            raise (
                InputRefused(self._client.host.name, reasons, len(texts)) if vectors else reasons[0]
            )
        return np.stack(vectors) if vectors else np.empty((0, self.dimension), np.float32)

    def errands(self, texts: Sequence[str]) -> Iterator[Errand]:
        """Passages, to be embedded in a batch. Those that the model is sure to refuse, or may
        read only in part, are left out; all are where there are no batches."""
        if not self._has_batches:
            return
        sound = [t for t in texts if t.strip() and self._bound(t) <= self.max_tokens]
        for some in pack(sound, self._packing):
            yield embedding_errand(some, "passage", self._profile)

    def cost(self, tokens: int, lane: Lane = "direct") -> Decimal:
        return usd(tokens, self._profile, lane if self._has_batches else "direct")

    def most_tokens(self, texts: Sequence[str]) -> int:
        return most_billed(texts, "passage", self._profile)

    def _check_lengths(self, texts: Sequence[str]) -> None:
        longest = max(map(self._bound, texts), default=0)
        if longest > self.max_tokens:
            raise InvalidRequest(
                f"a text may have up to {longest:,} tokens, and {self.model} reads"
                f" {self.max_tokens:,}; cut it up first"
            )

    def _bound(self, text: str) -> int:
        """No fewer tokens than the text has."""
        return token_bound_elsewhere(text) if self._profile.elsewhere else token_bound(text)

    async def _find(self, texts: Sequence[str], input_type: InputType) -> dict[str, _Found]:
        """What becomes of each text; one that is wanted several times, here or by another who is
        waiting for it now, is paid for once."""
        wanted = [(input_type, text) for text in texts]
        known = self._questions.of(wanted)
        landed = await self._flights.fetch(
            [each for each in wanted if each not in known],
            lambda wanted: _packed(wanted, self._packing),
            lambda run: sift(run, self._attempt, self._is_working),
        )
        found = {text: vector for (_, text), vector in known.items()}
        for (_, text), each in landed.items():
            if isinstance(each, BaseException):
                raise each
            found[text] = each
        if input_type == "query":
            self._questions.hold((each, found[each[1]]) for each in wanted)
        return found

    async def _attempt(self, wanted: Sequence[_Wanted]) -> Outcome[Vectors, _Wanted]:
        """One request, unless the provider said meanwhile that so much is too much."""
        runs = list(_packed(wanted, self._packing))
        if len(runs) > 1:
            return Divided(runs)
        texts = [text for _, text in wanted]
        try:
            return list(await self._ask(texts, wanted[0][0]))
        except OneVectorForAll as error:
            log.error(str(error), extra={"action": "provider_alarm", "model": self.model})
            raise
        except OtherWidth as error:
            self._other_width = error.width
            raise
        except MalformedReply as error:
            return Blamed(error)
        except Refused as error:
            if by := _too_much(error):
                return self._learned(wanted, by, error)
            if not _may_be_of_one_input(error):
                raise
            return Blamed(error)

    def _learned(
        self, wanted: Sequence[_Wanted], by: Literal["inputs", "tokens"], error: Refused
    ) -> Outcome[Vectors, _Wanted]:
        """Less goes into a request from now on; unless it was one text, which then is to blame
        for what was learned on the way to it."""
        if len(wanted) == 1:
            self._packing = Packing()
            return Blamed(error)
        self._packing = self._packing.halved([text for _, text in wanted], by)
        return Divided(list(_packed(wanted, self._packing)))

    async def _is_working(self) -> bool:
        try:
            await self._ask([_INNOCENT], "passage")
        except (Refused, MalformedReply):
            return False
        return True

    async def _ask(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        profile = self._profile
        largest = len(texts) * self.dimension * _BYTES_PER_NUMBER + _ENVELOPE
        request = embedding_request(texts, input_type, profile)
        call = Call("/v1/embeddings", profile.model, request, self._deadline, largest)
        embedded = await self._client.ask(
            call,
            lambda body: read_embeddings(body, texts, profile),
            patience=BULK if input_type == "passage" else INTERACTIVE,
            paid=paid(texts, input_type, profile),
        )
        return embedded.vectors


def _packed(wanted: Sequence[_Wanted], packing: Packing) -> Iterator[Sequence[_Wanted]]:
    start = 0
    for run in pack([text for _, text in wanted], packing):
        yield wanted[start : start + len(run)]
        start += len(run)


def _mean(found: Sequence[_Found]) -> _Found:
    blamed = next((each for each in found if isinstance(each, Blamed)), None)
    if blamed is not None:
        return blamed
    rows = [each for each in found if not isinstance(each, Blamed)]
    return rows[0] if len(rows) == 1 else unit(np.sum(rows, axis=0, keepdims=True))[0]


def _too_much(error: Refused) -> Literal["inputs", "tokens"] | None:
    """What there was too much of in a request; None where it was refused for another reason."""
    said = error.refusal
    if said.cause == "too many inputs":
        return "inputs"
    return "tokens" if said.code == _TOO_LARGE or said.cause == "too many tokens" else None


def _may_be_of_one_input(error: Refused) -> bool:
    said = error.refusal
    elsewhere = said.fields and not any(_INPUT.match(field) for field in said.fields)
    return said.status in _OF_ONE_INPUT and said.cause in _OF_A_TEXT and not elsewhere
