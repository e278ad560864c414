"""What a request adds to a score for a document's attributes: how new it is, or that it matches.

A boost is added, not multiplied: scores lie between 0 and 1, so a weight says how far a passage may
climb, whatever the question. With 0.05, the newest document of all overtakes those that stood at
most 0.05 before it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from msgspec.structs import replace

from rag.domain import Attribute, DocumentId, Hit
from rag.errors import InvalidRequest
from rag.ranking.filters import Filter, bounded, matches

MOST = 8  # boosts of one request

Weight: TypeAlias = Annotated[float, Meta(ge=-1, le=1)]

_DAY = 86_400  # seconds


class Recency(Struct, frozen=True, tag="recency", forbid_unknown_fields=True):
    """Adds `weight` for a document of this very moment, half of it for one that is `half_life_days`
    old, a quarter for one of twice that age, nothing for one whose date is unknown."""

    key: str
    """Of an attribute that holds a time as RFC 3339 (`2026-03-01`, `2026-03-01T12:00:00Z`) or a
    year as a number; `created_at` and `updated_at` are those of the document here."""
    half_life_days: Annotated[float, Meta(gt=0, le=100_000)] = 365
    weight: Weight = 0.05


class Matching(Struct, frozen=True, tag="match", forbid_unknown_fields=True):
    """Adds `weight` to passages of documents that the filter lets through."""

    filter: Filter
    weight: Weight = 0.05


Boost: TypeAlias = Recency | Matching


def checked(boosts: Sequence[Boost]) -> tuple[Boost, ...]:
    """The boosts themselves.

    Raises:
        InvalidRequest: there are too many, or a filter among them is too large.
    """
    if len(boosts) > MOST:
        raise InvalidRequest(f"more than {MOST} boosts")
    for boost in boosts:
        if isinstance(boost, Matching):
            bounded(boost.filter)
    return tuple(boosts)


def boosted(
    hits: Sequence[Hit],
    boosts: Sequence[Boost],
    attributes: Mapping[DocumentId, Mapping[str, Attribute]],
    now: datetime,
) -> list[Hit]:
    """Best first by their new scores; of equals, the order stays."""
    extra = {id: sum(_worth(b, of, now) for b in boosts) for id, of in attributes.items()}
    raised = [replace(hit, score=hit.score + extra.get(hit.document_id, 0.0)) for hit in hits]
    return sorted(raised, key=lambda hit: -hit.score)


def _worth(boost: Boost, attributes: Mapping[str, Attribute], now: datetime) -> float:
    if isinstance(boost, Matching):
        return boost.weight if matches(boost.filter, attributes) else 0.0
    at = _moment(attributes.get(boost.key))
    if at is None:
        return 0.0
    days = max(0.0, (now - at).total_seconds() / _DAY)  # what lies ahead is as good as new
    return float(boost.weight * 0.5 ** (days / boost.half_life_days))


def _moment(value: Attribute) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        if isinstance(value, int):
            return datetime(value, 1, 1, tzinfo=UTC)
        at = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
