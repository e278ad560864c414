"""Texts -> vectors, by the provider."""

import asyncio
from collections.abc import Sequence

import numpy as np

from rag.domain import InputType, Vectors
from rag.errors import InvalidRequest, InvalidSettings, MalformedReply
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.packing import (
    LONGEST_INPUT,
    Packing,
    estimated_tokens,
    pack,
    token_bound,
    windows,
)
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.mistral.refusals import Refused
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.embeddings import EmbeddingReply, EmbeddingRequest

MODEL = "mistral-embed"
"""The id of December 2023, and still the only one for text: it has no newer version to move to."""

WIDTHS = {
    "mistral-embed": 1_024,
    "mistral-embed-2312": 1_024,
    "codestral-embed": 1_536,
    "codestral-embed-2505": 1_536,
}
"""Of each model's vectors where no width is asked for."""

_DEADLINE = 30.0
"""Seconds; the provider answers in well under one."""

_BYTES_PER_NUMBER = 40
"""Of a reply: twenty as seen, doubled."""

_ENVELOPE = 64 * 1024
"""Bytes of a reply besides its numbers."""

_TOO_LARGE = "3210"
"""Code of a request with too many inputs, or too many tokens overall."""


class MistralEmbedder:
    """An `Embedder`."""

    def __init__(self, client: MistralClient, model: str | None = None) -> None:
        """
        Args:
            model: id of an embedding model; `MODEL` where None.

        Raises:
            InvalidSettings: the width of that model's vectors is not known here.
        """
        self._client = client
        self._model = model or MODEL
        if self._model not in WIDTHS:
            known = ", ".join(WIDTHS)
            raise InvalidSettings(f"{self._model!r} is no embedding model known here: {known}")
        self._packing = Packing()

    @property
    def model(self) -> str:
        return self._model

    @property
    def dimension(self) -> int:
        return WIDTHS[self._model]

    @property
    def max_tokens(self) -> int:
        return LONGEST_INPUT

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An estimate, rather too high than too low: see `rag.mistral.packing`."""
        return [estimated_tokens(text) for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        """A question too long for the model is embedded in pieces, and stands for their mean; a
        passage too long is refused, because a chunk is never that long.

        Raises:
            InvalidRequest: a passage is empty, or may have more tokens than the model reads.
            ProviderError: the provider failed for good, after retries.
        """
        if input_type == "query":
            return await self._embed_questions(texts)
        for text in texts:
            if token_bound(text) > LONGEST_INPUT:
                raise InvalidRequest(
                    f"a text of {len(text.encode()):,} bytes may have more than the"
                    f" {LONGEST_INPUT:,} tokens that {self._model} reads; cut it up first"
                )
        return await self._embed(texts, BULK)

    async def _embed_questions(self, texts: Sequence[str]) -> Vectors:
        pieces = [list(windows(text)) for text in texts]
        vectors = await self._embed([piece for each in pieces for piece in each], INTERACTIVE)
        means = []
        start = 0
        for each in pieces:
            means.append(vectors[start : start + len(each)].sum(axis=0))
            start += len(each)
        return _of_length_one(np.stack(means)) if means else vectors

    async def _embed(self, texts: Sequence[str], patience: Patience) -> Vectors:
        """All requests at once, as far as the client has places; the first failure ends all."""
        if not all(text.strip() for text in texts):
            raise InvalidRequest("an empty text has no meaning to embed")
        try:
            async with asyncio.TaskGroup() as tasks:
                requests = [
                    tasks.create_task(self._embed_run(run, patience))
                    for run in pack(texts, self._packing)
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        parts = [request.result() for request in requests]
        return np.concatenate([np.empty((0, self.dimension), np.float32), *parts])

    async def _embed_run(self, texts: Sequence[str], patience: Patience) -> Vectors:
        """One request; more where the provider has meanwhile said that so much is too much."""
        runs = list(pack(texts, self._packing))
        if len(runs) > 1:
            return np.concatenate([await self._embed_run(run, patience) for run in runs])
        request = EmbeddingRequest(self._model, tuple(texts), encoding_format="float")
        largest = len(texts) * self.dimension * _BYTES_PER_NUMBER + _ENVELOPE
        call = Call("/v1/embeddings", self._model, request, _DEADLINE, largest)
        try:
            return await self._client.ask(
                call, lambda body: self._vectors(body, len(texts)), patience=patience
            )
        except Refused as error:
            if len(texts) == 1 or not _is_too_large(error):
                raise
            by_inputs = error.refusal.cause == "too many inputs"
            self._packing = self._packing.halved(texts, "inputs" if by_inputs else "tokens")
        return await self._embed_run(texts, patience)

    def _vectors(self, body: bytes, n: int) -> Vectors:
        """
        Raises:
            MalformedReply: not one sound vector of this model for each of `n` texts.
        """
        reply = decode(body, EmbeddingReply)
        if reply.model and not _is_same_model(reply.model, self._model):
            raise MalformedReply(PROVIDER, f"embedded with another model than {self._model}")
        items = reply.data
        if len(items) != n:
            raise MalformedReply(PROVIDER, f"sent {len(items)} vectors for {n} texts")
        if any(item.index is not None for item in items):
            items = tuple(sorted(items, key=lambda item: -1 if item.index is None else item.index))
            if [item.index for item in items] != list(range(n)):
                raise MalformedReply(PROVIDER, "sent vectors that belong to no text")
        if any(len(item.embedding) != self.dimension for item in items):
            raise MalformedReply(PROVIDER, f"sent a vector that is not {self.dimension} wide")
        with np.errstate(over="ignore"):
            vectors = np.array([item.embedding for item in items], np.float32)
        return _of_length_one(vectors)


def _of_length_one(vectors: Vectors) -> Vectors:
    """
    Raises:
        MalformedReply: a row is no direction: all zero, infinite, or not a number.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise MalformedReply(PROVIDER, "sent a vector without a direction")
    unit: Vectors = vectors / lengths
    return unit


def _is_same_model(told: str, asked: str) -> bool:
    """An id and the dated id it stands for are one model (`mistral-embed-2312`)."""
    return told == asked or told.startswith(f"{asked}-") or asked.startswith(f"{told}-")


def _is_too_large(error: Refused) -> bool:
    said = error.refusal
    return said.code == _TOO_LARGE or said.cause in ("too many inputs", "too many tokens")
