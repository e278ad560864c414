"""`POST /v1/embeddings`."""

from typing import Literal

from msgspec import Struct

from rag.mistral.wire.usage import TokenUsage


class EmbeddingRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    input: tuple[str, ...]
    encoding_format: Literal["float"]
    """Required here: `base64` was seen answered with numbers all the same."""
    output_dimension: int | None = None
    output_dtype: Literal["float", "int8", "binary"] = "float"


class PlainEmbeddingRequest(Struct, frozen=True, omit_defaults=True):
    """To other hosts, whose word for the width is another."""

    model: str
    input: tuple[str, ...]
    encoding_format: Literal["float"]
    """Required here too: some answer in base64 where nothing is asked for."""
    dimensions: int | None = None


class EmbeddingItem(Struct, frozen=True):
    embedding: tuple[float, ...]
    """Numbers for every dtype."""
    index: int | None = None


class EmbeddingReply(Struct, frozen=True):
    data: tuple[EmbeddingItem, ...]
    model: str = ""
    usage: TokenUsage | None = None
