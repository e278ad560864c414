"""Tokens, as embeddings and chat completions count them."""

from msgspec import Struct


class TokenDetails(Struct, frozen=True):
    cached_tokens: int = 0


class TokenUsage(Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: TokenDetails | None = None
