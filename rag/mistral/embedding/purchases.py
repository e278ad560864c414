"""What embedding texts costs, and what is kept of it."""

from collections.abc import Sequence
from decimal import Decimal

from rag.domain import InputType, Lane
from rag.mistral.calls import Paid
from rag.mistral.embedding.packing import most_tokens
from rag.mistral.embedding.profiles import Profile
from rag.mistral.embedding.vectors import Embedded, units_of_unusable
from rag.mistral.prices import embedding_cost, stated_cost
from rag.mistral.wire.decoding import PROVIDER
from rag.spending import Bill, EmbeddedTexts, Intent, Units


def paid(
    texts: Sequence[str], input_type: InputType, profile: Profile, lane: Lane = "direct"
) -> Paid[Embedded]:
    most = Units(most_billed(texts, input_type, profile))

    def known(units: Units | None) -> Bill:
        """For the most it can be where the provider does not say."""
        return bill(units or most, profile, lane)

    def bought(embedded: Embedded) -> tuple[Bill, EmbeddedTexts]:
        kept = EmbeddedTexts(profile.name, input_type, tuple(texts), embedded.vectors)
        return known(embedded.units), kept

    provider = profile.elsewhere.host if profile.elsewhere else PROVIDER
    intent = Intent(provider, profile.model, "embed", most, known(most).usd, lane)
    return Paid(intent, bought, lambda body: bill_of_unusable(body, profile, lane))


def most_billed(texts: Sequence[str], input_type: InputType, profile: Profile) -> int:
    """Tokens, prompts included: no fewer than a request of these texts is billed for."""
    return most_tokens(profile.prompts.before(texts, input_type), profile.reads)


def bill(units: Units, profile: Profile, lane: Lane) -> Bill:
    return Bill(units, usd(units.input, profile, lane))


def usd(tokens: int, profile: Profile, lane: Lane = "direct") -> Decimal:
    """0 where no price is known, and told so."""
    if profile.elsewhere is not None:
        return stated_cost(profile.elsewhere.price, tokens, profile.name)
    return embedding_cost(profile.model, tokens, lane) or Decimal(0)


def bill_of_unusable(body: bytes, profile: Profile, lane: Lane) -> Bill | None:
    """None where the reply does not say."""
    units = units_of_unusable(body)
    return bill(units, profile, lane) if units else None
