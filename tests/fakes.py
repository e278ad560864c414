"""The ports without their engines: small, exact, and near enough to the real ones."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from rag.chunking.markdown import blocks
from rag.domain import (
    Attribute,
    Document,
    Draft,
    DraftClaim,
    Evidence,
    InputType,
    Quotation,
    Source,
    Usage,
    Vectors,
)
from rag.errors import UnsupportedMediaType


class PlainReader:
    """Reads UTF-8 markdown; bytes that are not UTF-8 are refused. Counts what it read."""

    fingerprint = "plain/1"

    def __init__(self) -> None:
        self.reads = 0
        self.attributes: dict[str, Attribute] = {}
        """That it finds in every file."""

    async def read(self, source: Source) -> Document:
        self.reads += 1
        try:
            text = source.content.decode()
        except UnicodeDecodeError as error:
            raise UnsupportedMediaType("these bytes are not text") from error
        return Document(
            key=source.key,
            version=source.version,
            media_type="text/markdown",
            title=source.title or text.partition("\n")[0].lstrip("# ") or source.key,
            text=text,
            blocks=blocks(text),
            attributes={**self.attributes, **source.attributes},
        )


class HashingEmbedder:
    """Each word adds its own direction, so texts that share words are near. Counts its texts."""

    model = "hashing/64"
    dimension = 64
    max_tokens = 128

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_words(text)) + 2 for text in texts]

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        if input_type == "passage":
            self.embedded += texts
        vectors = np.stack([sum((_direction(word) for word in _words(t)), _ONE) for t in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class FirstBlockAnswerer:
    """Claims the first block, word for word; or whatever draft it was given."""

    name = "first-block"

    def __init__(self, draft: Draft | None = None) -> None:
        self._draft = draft

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        first = evidence[0].text
        claim = DraftClaim(first, (Quotation(evidence[0].label, first),))
        return self._draft or Draft(sufficient=True, claims=(claim,)), Usage(self.name)


_ONE = np.full(64, 0.01)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _direction(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
    return np.random.default_rng(seed).normal(size=64)
