"""Which models a key may use."""

from rag.mistral.client import Call, MistralClient
from rag.mistral.patience import INTERACTIVE
from rag.mistral.wire import ModelCard, ModelList, decode

_DEADLINE = 10.0
"""Seconds."""

_LARGEST_REPLY = 8 * 1024 * 1024
"""Bytes; a card has some two thousand."""


async def models(client: MistralClient) -> tuple[ModelCard, ...]:
    """Every model that the key may use, with the date on which it goes, where that is known.

    The cheapest question there is: it costs nothing, and a wrong key is refused.

    Raises:
        ProviderError: the provider refused the key, or failed.
    """
    call = Call("/v1/models", "list of models", None, _DEADLINE, _LARGEST_REPLY)
    reply = await client.ask(call, lambda body: decode(body, ModelList), patience=INTERACTIVE)
    return reply.data


def is_available(model: str, cards: tuple[ModelCard, ...]) -> bool:
    """Whether an id, dated or not, is among the models."""
    return any(model == card.id or model in card.aliases for card in cards)
