"""What is asked for texts, and what is believed of the answer.

A wrong vector is worse than none: nobody sees it, and it is found, or not found, for ever. So a
reply is believed whole or not at all, and only where there is one sound vector of the right model
for each text.
"""

import re
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rag.domain import InputType, Vectors
from rag.errors import MalformedReply
from rag.mistral.embedding.profiles import Profile
from rag.mistral.models import is_same_model
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.elements import decode_each
from rag.mistral.wire.embeddings import (
    EmbeddingItem,
    EmbeddingReply,
    EmbeddingRequest,
    PlainEmbeddingRequest,
)
from rag.mistral.wire.usage import UsageAlone
from rag.spending import Units

_LENGTH_ONE = 0.05
"""How far from 1 a length may be that is documented to be 1."""

_WORD = re.compile(r"\w+")

_TELLING_WIDTH = 128
"""From here on, two texts with the very same floats are no coincidence."""


class OneVectorForAll(MalformedReply):
    """Texts of different words have one and the same vector. No other check would see it, and
    none would on the texts one by one: so nothing of such a provider is taken."""

    def __init__(self) -> None:
        super().__init__(PROVIDER, "sent one and the same vector for different texts")


class OtherWidth(MalformedReply):
    """All vectors have one width, and it is not the one that the settings say: so it is the model,
    or the setting, and no text will fare better."""

    def __init__(self, profile: Profile, width: int) -> None:
        super().__init__(
            PROVIDER,
            f"{profile.model} sends vectors {width:,} wide, and the settings say {profile.width:,}:"
            f" set RAG_EMBEDDING_DIMENSION to {width}, and ingest into a new collection",
        )
        self.width = width


class Embedded(Struct, frozen=True):
    vectors: Vectors
    units: Units | None
    """As the provider counted; None where it does not say."""


def embedding_request(
    texts: Sequence[str], input_type: InputType, profile: Profile
) -> EmbeddingRequest | PlainEmbeddingRequest:
    sent = profile.prompts.before(texts, input_type)
    if profile.elsewhere is not None:
        return PlainEmbeddingRequest(
            profile.model,
            sent,
            encoding_format="float",
            dimensions=None if profile.is_of_usual_width else profile.width,
        )
    return EmbeddingRequest(
        profile.model,
        sent,
        encoding_format="float",
        output_dimension=None if profile.is_of_usual_width else profile.width,
        output_dtype=profile.coding,
    )


def read_embeddings(body: bytes, texts: Sequence[str], profile: Profile) -> Embedded:
    """
    Raises:
        MalformedReply: not one sound vector of this model for each text.
        OneVectorForAll: different texts have the same.
        OtherWidth: another host's vectors are not as wide as the settings say.
    """
    reply = decode_each(body, EmbeddingReply, "data", EmbeddingItem)
    if profile.elsewhere is not None:  # its model's name in replies may be another: a deployment's
        _check_width(reply.data, profile)
    elif reply.model and not is_same_model(reply.model, profile.model):
        raise MalformedReply(PROVIDER, f"embedded with another model than {profile.model}")
    rows = np.stack([_row(item, profile) for item in _in_order(reply.data, len(texts))])
    vectors = _of_length_one(rows, profile)
    if profile.coding == "float" and profile.width >= _TELLING_WIDTH:
        _check_distinct(vectors, texts)
    return Embedded(vectors, reply.usage.units() if reply.usage else None)


def units_of_unusable(body: bytes) -> Units | None:
    """What was counted for a reply that cannot be used; None where it does not say."""
    try:
        return decode(body, UsageAlone).usage.units()
    except MalformedReply:
        return None


def unit(vectors: Vectors) -> Vectors:
    """
    Raises:
        MalformedReply: a row is no direction: all zero, infinite, or not a number.
    """
    lengths = _lengths(vectors)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise MalformedReply(PROVIDER, "sent a vector without a direction")
    of_length_one: Vectors = vectors / lengths
    return of_length_one


def _in_order(items: Sequence[EmbeddingItem], n: int) -> Sequence[EmbeddingItem]:
    """By index; as they come where none has an index."""
    if len(items) != n:
        raise MalformedReply(PROVIDER, f"sent {len(items)} vectors for {n} texts")
    if all(item.index is None for item in items):
        return items
    by_index = {item.index: item for item in items}
    if set(by_index) != set(range(n)):
        raise MalformedReply(PROVIDER, "sent vectors that belong to no text")
    return [by_index[index] for index in range(n)]


def _check_width(items: Sequence[EmbeddingItem], profile: Profile) -> None:
    widths = {len(item.embedding) for item in items}
    if len(widths) == 1 and (width := widths.pop()) not in (0, profile.width):
        raise OtherWidth(profile, width)


def _row(item: EmbeddingItem, profile: Profile) -> Vectors:
    width = -(-profile.width // 8) if profile.coding == "binary" else profile.width
    if len(item.embedding) != width:
        raise MalformedReply(PROVIDER, f"sent a vector that is not {profile.width} wide")
    with np.errstate(over="ignore"):
        numbers = np.array(item.embedding, np.float32)
    if profile.coding == "float":
        return numbers
    if not ((numbers == np.rint(numbers)) & (numbers >= -128) & (numbers <= 127)).all():
        raise MalformedReply(PROVIDER, "sent a vector whose numbers are no small integers")
    return _signs(numbers, profile.width) if profile.coding == "binary" else numbers


def _signs(numbers: Vectors, width: int) -> Vectors:
    """Eight signs in each number, the first in its highest bit; 128 was taken from each."""
    bits = np.unpackbits((numbers + 128).astype(np.uint8), count=width)
    return bits.astype(np.float32) * 2 - 1


def _of_length_one(rows: Vectors, profile: Profile) -> Vectors:
    vectors = unit(rows)
    is_own = profile.elsewhere is None
    is_documented = is_own and profile.coding == "float" and profile.is_of_usual_width
    if is_documented and (abs(_lengths(rows) - 1) > _LENGTH_ONE).any():
        raise MalformedReply(PROVIDER, "sent a vector whose length is not 1, as it should be")
    return vectors


def _lengths(vectors: Vectors) -> Vectors:
    with np.errstate(over="ignore", invalid="ignore"):
        lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths


def _check_distinct(vectors: Vectors, texts: Sequence[str]) -> None:
    seen: dict[bytes, list[str]] = {}
    for row, text in zip(vectors, texts, strict=True):
        words = sorted(_WORD.findall(text.casefold()))
        if seen.setdefault(row.tobytes(), words) != words:
            raise OneVectorForAll
