"""`POST /v1/fim/completions`. It is answered as a chat is."""

from msgspec import Struct


class FimRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    """Required here: the contract's default was retired long ago."""
    prompt: str
    max_tokens: int
    suffix: str | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    prompt_cache_key: str | None = None
