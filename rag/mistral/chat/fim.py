"""What stands between two pieces of code, by a model that was trained to fill it in."""

from collections.abc import Sequence
from decimal import Decimal

from rag.errors import MalformedReply
from rag.mistral.calls import Call, Paid
from rag.mistral.chat.transcripts import Completion, completion_of
from rag.mistral.client import MistralClient
from rag.mistral.patience import INTERACTIVE
from rag.mistral.prices import chat_cost
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.fim import FimRequest
from rag.mistral.wire.usage import UsageAlone
from rag.spending import Bill, Intent, Units

MODEL = "codestral-2508"

_SPECIAL = 8
"""Tokens that mark the beginning of prompt and suffix, and then some."""

_DEADLINE = 60.0
"""Seconds."""

_LARGEST_REPLY = 4 * 1024 * 1024
"""Bytes."""


async def fill_in(
    client: MistralClient,
    prompt: str,
    suffix: str | None = None,
    *,
    model: str = MODEL,
    max_tokens: int = 256,
    stop: Sequence[str] = (),
) -> Completion:
    """
    Args:
        prompt: the code before the gap.
        suffix: the code after it; None where there is none.
        stop: where to stop; not part of the text.

    Raises:
        ProviderError: the provider failed for good, after retries.
        BudgetExhausted: it may cost more than is allowed.
    """
    request = FimRequest(model, prompt, max_tokens, suffix, temperature=0.0, stop=tuple(stop))
    bound = len(prompt.encode()) + len((suffix or "").encode()) + _SPECIAL
    most = Units(bound, max_tokens)
    paid: Paid[Completion] = Paid(
        Intent(PROVIDER, model, "complete", most, _bill(model, most).usd),
        lambda completion: (_bill(model, completion.units or most), None),
        lambda body: _bill_of_unusable(model, body),
    )
    return await client.ask(
        Call("/v1/fim/completions", model, request, _DEADLINE, _LARGEST_REPLY),
        lambda body: completion_of(body, model),
        patience=INTERACTIVE,
        paid=paid,
    )


def _bill(model: str, units: Units) -> Bill:
    return Bill(units, chat_cost(model, units) or Decimal(0))


def _bill_of_unusable(model: str, body: bytes) -> Bill | None:
    try:
        return _bill(model, decode(body, UsageAlone).usage.units())
    except MalformedReply:
        return None
