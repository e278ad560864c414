"""Whether an account can do what the settings want of it, in words for its operator."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from rag.errors import KeyRefused, MalformedReply, ProviderRefused
from rag.mistral.client import Look, MistralClient
from rag.mistral.hosts import place_of
from rag.mistral.models import RETIREMENTS, pinned
from rag.mistral.pacing.limits import Limits
from rag.mistral.wire.models import ModelCard

TOLERABLE = timedelta(minutes=5)
"""Of a clock: `Retry-After` is measured by the provider's own, but budgets are by our day, and
certificates are refused by a clock that is far off."""

OFFERED = 8  # models named to somebody whose own is not among them


_NEWEST = ":latest"
"""What Ollama adds to a name without a tag."""


class Finding(Struct, frozen=True):
    name: str
    ok: bool
    said: str


async def examine(client: MistralClient, wanted: Mapping[str, str]) -> list[Finding]:
    """Key, models, clock and limits, by one call that costs nothing.

    Args:
        wanted: role -> the model id that the settings give it.

    Raises:
        ProviderError: the key was refused, or the provider cannot be reached.
    """
    if client.host.dialect == "openai":
        return await _examine_elsewhere(client, wanted)
    look = await client.look()
    return [
        Finding(
            "key",
            True,
            f"{place_of(client.host.base_url)} knows it and offers {len(look.models)} models",
        ),
        *_models(look.models, wanted),
        _clock(look, datetime.now(UTC)),
        Finding("limits", True, _told(look.limits)),
    ]


async def _examine_elsewhere(client: MistralClient, wanted: Mapping[str, str]) -> list[Finding]:
    """What a list of models tells where hosts need not have one, need not look at the key before
    they show it, and call deployments by names that are not on it."""
    name = client.host.name
    try:
        look = await client.look()
    except KeyRefused:
        raise
    except (ProviderRefused, MalformedReply) as error:
        models = " and ".join(wanted.values())
        said = (
            f"it answers, and shows no list of models ({error}): whether it takes the key and has"
            f" {models}, and whether the base URL is right, only the first question can tell"
        )
        return [Finding("host", True, said)]
    return [
        Finding("host", True, f"{name} lists {len(look.models)} models"),
        *_models_elsewhere(look.models, wanted, name),
        _clock(look, datetime.now(UTC)),
        Finding("limits", True, _told(look.limits)),
    ]


def _models_elsewhere(
    offered: Sequence[ModelCard], wanted: Mapping[str, str], name: str
) -> Iterator[Finding]:
    known = {card.id.removesuffix(_NEWEST) for card in offered}
    for role, model in wanted.items():
        if model.removesuffix(_NEWEST) in known:
            yield Finding(f"{role} model", True, model)
            continue
        shown = ", ".join(sorted(known)[:OFFERED]) or "none"
        said = (
            f"{model} is not on the list of {name} ({shown} ...): a deployment of one's own need"
            " not be; any other name is probably misspelt"
        )
        yield Finding(f"{role} model", True, said)


def _models(offered: Sequence[ModelCard], wanted: Mapping[str, str]) -> Iterator[Finding]:
    known = {name: card for card in offered for name in (card.id, *card.aliases)}
    for role, model in wanted.items():
        card = known.get(model)
        if card is None:
            shown = ", ".join(sorted(known)[:OFFERED])
            said = f"this key may not use {model}, or it is retired; it may use {shown} ..."
            yield Finding(f"{role} model", False, said)
        elif end := _end(card):
            yield Finding(f"{role} model", False, f"{model} is being retired: {end}")
        else:
            yield Finding(f"{role} model", True, model)


def _end(card: ModelCard) -> str | None:
    """When it goes, and what to configure then; None while it stays."""
    if card.deprecation:
        successor = card.deprecation_replacement_model
        advice = f"; configure {successor}" if successor else ""
        return f"its last day is {card.deprecation[:10]}{advice}"
    if retirement := RETIREMENTS.get(pinned(card.id)):
        return f"its last day is {retirement.on}; configure {retirement.successor}"
    return None


def _clock(look: Look, now: datetime) -> Finding:
    if look.date is None:
        return Finding("clock", True, "the provider does not say what time it is")
    off = abs(now - look.date)
    if off > TOLERABLE:
        said = f"this machine's clock and the provider's differ by {off}; set it by NTP"
        return Finding("clock", False, said)
    return Finding("clock", True, f"within {off.total_seconds():.0f} s of the provider's")


def _told(limits: Limits) -> str:
    told = []
    if limits.requests.rate is not None:
        told.append(f"{60 * limits.requests.rate:,.0f} requests a minute")
    if limits.units.rate is not None:
        told.append(f"{60 * limits.units.rate:,.0f} tokens a minute")
    return " and ".join(told) or "not told before the first paid call; they are found out then"
