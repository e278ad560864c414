"""`/v1/embeddings`."""

import base64
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .chat import usage
from .contract import Embeddings
from .models import MODELS, Units, of_kinds
from .provider import Answered, Provider
from .refusals import refused, unknown_model
from .tokens import tokens

_WORD = re.compile(r"\w+")

_COMMON = re.compile(
    "a|an|and|are|as|at|be|by|for|from|has|have|in|is|it|its|of|on|or|that|the|this|to|was|were"
    "|what|when|where|which|who|will|with|how"
)


def answer(provider: Provider, asked: Embeddings) -> Answered:
    """
    Raises:
        Refusal: too much, or not what this model does.
    """
    model = MODELS.get(asked.model)
    if model is None or model.id in provider.retired or asked.model not in of_kinds("embed"):
        raise unknown_model(asked.model)
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    width = asked.output_dimension or model.width
    if (asked.output_dimension or asked.output_dtype != "float") and not model.widest:
        message = f"{asked.model} has no output_dimension and no output_dtype"
        raise refused(400, "invalid_request_error", message)
    if model.widest and width > model.widest:
        raise refused(400, "invalid_request_error", f"output_dimension is at most {model.widest}")
    counts = [tokens(text) for text in texts]
    if too_much := _too_much(provider, counts):
        raise refused(400, "invalid_request_prompt", too_much, "3210")
    if any(word in text for text in texts for word in provider.unembeddable):
        raise refused(400, "invalid_request_error", "An input cannot be embedded")
    embed = provider.embed or vectors
    units = Units(prompt=sum(counts))
    as_base64 = asked.encoding_format == "base64" and provider.honors_base64
    data = [
        {"object": "embedding", "index": index, "embedding": _told(each, as_base64)}
        for index, each in enumerate(quantized(embed(texts, width), asked.output_dtype))
    ]
    body = {"id": "e1", "object": "list", "model": asked.model, "data": data}
    return Answered(asked.model, units, {**body, "usage": usage(units)})


def _too_much(provider: Provider, counts: list[int]) -> str | None:
    if len(counts) > provider.largest_batch:
        return "Too many inputs in request, split into more batches."
    if sum(counts) > provider.most_tokens or max(counts, default=0) > provider.longest_input:
        return "Too many tokens overall, split into more batches."
    return None


def _told(row: npt.NDArray[Any], as_base64: bool) -> Any:
    return base64.b64encode(row.tobytes()).decode() if as_base64 else row.tolist()


# --- texts that share words are near -------------------------------------------------------------


def vectors(texts: Sequence[str], width: int) -> npt.NDArray[np.float32]:
    return np.array([vector(text, width) for text in texts]).reshape(-1, width)


def vector(text: str, width: int) -> npt.NDArray[np.float32]:
    """Words, and the beginnings and insides of words, hashed to places with a sign. Of length 1,
    as nearly as numbers of 16 bits are: the provider's are."""
    counts = Counter(_WORD.findall(text.lower()) or [text])
    hashed = [_hashed(word) for word in counts]
    often = np.repeat([1 + math.log(n) for n in counts.values()], [len(p) for p, _ in hashed])
    places = np.concatenate([places for places, _ in hashed])
    weights = np.concatenate([weights for _, weights in hashed]) * often
    sums = np.bincount(places % width, weights, width)
    if not sums.any():
        sums[0] = 1.0
    return (sums / np.linalg.norm(sums)).astype(np.float16).astype(np.float32)


@lru_cache(maxsize=100_000)
def _hashed(word: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    hashes = [(zlib.crc32(part.encode()), weight) for part, weight in _parts(word)]
    places = np.array([hash_ & 0x7FFFFFFF for hash_, _ in hashes])
    signs = np.array([weight if hash_ >> 31 else -weight for hash_, weight in hashes], np.float32)
    return places, signs


def _parts(word: str) -> Iterator[tuple[str, float]]:
    rarity = 0.1 if _COMMON.fullmatch(word) else 1.0
    yield word, rarity
    if len(word) > 4:
        yield f"{word[:4]}*", 0.6 * rarity
        for at in range(len(word) - 3):
            yield f"*{word[at : at + 4]}*", 0.3 * rarity


def quantized(rows: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[Any]:
    """By the formulas that fit the provider's published samples."""
    match dtype:
        case "int8":
            return np.clip(np.round(rows * 127), -128, 127).astype(np.int8)
        case "uint8":
            return np.clip(np.round((rows + 1) * 127.5), 0, 255).astype(np.uint8)
        case "ubinary":
            return np.packbits(rows > 0, axis=1)
        case "binary":
            return (np.packbits(rows > 0, axis=1).astype(np.int16) - 128).astype(np.int8)
        case _:
            return rows
