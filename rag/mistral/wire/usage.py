"""Tokens, as embeddings and chat completions count them."""

from msgspec import Struct

from rag.spending import Units


class TokenDetails(Struct, frozen=True):
    cached_tokens: int | None = None


class TokenUsage(Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: TokenDetails | None = None
    prompt_token_details: TokenDetails | None = None
    num_cached_tokens: int | None = None
    """Three names for one thing; replies were seen with each, only the first is documented."""

    def units(self) -> Units:
        details = self.prompt_tokens_details or self.prompt_token_details or TokenDetails()
        cached = details.cached_tokens or self.num_cached_tokens or 0
        return Units(self.prompt_tokens, self.completion_tokens or 0, cached)


class UsageAlone(Struct, frozen=True):
    """All that is read of a reply that cannot be used."""

    usage: TokenUsage
