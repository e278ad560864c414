"""Filters as SQL over the attributes of current versions, and nothing but bound parameters.

`rag.ranking.filters.matches` says what a filter means; this says the same in sets. Each condition
is the set of versions that meet it, found through an index, and the tree joins the sets.

A number is kept twice: whole ones exactly, all of them as the nearest 64-bit float. So that
2**53 + 1 is not 2**53 for anybody, bounds are computed here: which integers, and which floats,
stand on the asked side of a value.
"""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, and_, false, not_, or_, select, true

from rag.domain import CollectionId
from rag.ranking.filters import (
    And,
    Contains,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    In,
    Lt,
    Lte,
    Ne,
    Nin,
    Not,
    Or,
    Prefix,
    Scalar,
)
from rag.storage.attributes import HEAD, AttributeRow, Kind, is_storable
from rag.storage.dialects import by_code_point, holds
from rag.storage.tables import DocumentRow, VersionRow

Condition: TypeAlias = ColumnElement[bool]
Comparison: TypeAlias = Literal["lt", "lte", "gt", "gte"]

LARGEST = 2**63 - 1  # that a column holds
SMALLEST = -(2**63)
LAST = "\U0010ffff"
SURROGATES = range(0xD800, 0xE000)  # code points that no text holds

COLUMNS: dict[str, ColumnElement[str]] = {
    "document_id": DocumentRow.id.expression,
    "key": DocumentRow.key.expression,
    "title": VersionRow.title.expression,
    "media_type": VersionRow.media_type.expression,
}
"""What every document has goes under its own name, which no attribute can take."""


def passing_versions(filter: Filter, collection: CollectionId) -> Select[int]:
    """Ids of the collection's current versions that a `bounded` filter lets through."""
    return (
        select(VersionRow.id)
        .join(DocumentRow, DocumentRow.id == VersionRow.document_id)
        .where(
            DocumentRow.collection_id == collection,
            VersionRow.state == "current",
            _condition(filter, collection),
        )
    )


def _condition(filter: Filter, within: CollectionId) -> Condition:
    match filter:
        case And(filters):
            return and_(true(), *(_condition(one, within) for one in filters))
        case Or(filters):
            return or_(false(), *(_condition(one, within) for one in filters))
        case Not(inner):
            return not_(_condition(inner, within))
        case Eq(key, value):
            return _is_one_of(key, (value,), within)
        case Ne(key, value):
            return not_(_is_one_of(key, (value,), within))
        case In(key, values):
            return _is_one_of(key, values, within)
        case Nin(key, values):
            return not_(_is_one_of(key, values, within))
        case Exists(key):
            return true() if key in COLUMNS else _has(key, true(), within)
        case Contains(key, value):
            return _contains(key, value, within)
        case Prefix(key, value):
            return _text(key, _Prefixed(value), within)
        case Gt(key, value):
            return _ordered(key, "gt", value, within)
        case Gte(key, value):
            return _ordered(key, "gte", value, within)
        case Lt(key, value):
            return _ordered(key, "lt", value, within)
        case Lte(key, value):
            return _ordered(key, "lte", value, within)


# --- equality and order -------------------------------------------------------------------------


def _is_one_of(key: str, values: Sequence[Scalar], within: CollectionId) -> Condition:
    """One look for all texts and one for all numbers: a list may be long."""
    flags = [int(value) for value in values if isinstance(value, bool)]
    texts = tuple(value for value in values if isinstance(value, str) and is_storable(value))
    met = [_attribute(key, "flag", AttributeRow.whole.in_(flags), within)] if flags else []
    if texts:
        met.append(_text(key, _OneOf(texts), within))
    if numbers := _equal_numbers(values):
        met.append(_attribute(key, "number", or_(*numbers), within))
    if None in values and key not in COLUMNS:
        met.append(not_(_has(key, true(), within)))
    return or_(false(), *met)


def _equal_numbers(values: Sequence[Scalar]) -> list[Condition]:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    wholes = [int(v) for v in numbers if abs(v) < math.inf and v == int(v)]
    kept = [whole for whole in wholes if SMALLEST <= whole <= LARGEST]
    floats = [nearest for v in numbers if (nearest := _nearest_float(v)) == v]
    met: list[Condition] = []
    if kept:
        met.append(AttributeRow.whole.in_(kept))
    if floats:
        met.append(_is_float() & AttributeRow.number.in_(floats))
    return met


def _ordered(
    key: str, comparison: Comparison, value: str | float, within: CollectionId
) -> Condition:
    if isinstance(value, bool):
        return false()  # true and false have no order
    if isinstance(value, str):
        return _text(key, _Ordered(comparison, value), within)
    if value != value:  # NaN has no order
        return false()
    met = or_(_wholes(comparison, value), _floats(comparison, value))
    return _attribute(key, "number", met, within)


def _wholes(comparison: Comparison, value: float) -> Condition:
    """Of attributes that are whole numbers."""
    if abs(value) == math.inf:
        is_met = (value > 0) == (comparison in ("lt", "lte"))
        return AttributeRow.whole.is_not(None) if is_met else false()
    if comparison in ("gt", "gte"):
        least = math.floor(value) + 1 if comparison == "gt" else math.ceil(value)
        return AttributeRow.whole >= max(least, SMALLEST) if least <= LARGEST else false()
    most = math.ceil(value) - 1 if comparison == "lt" else math.floor(value)
    return AttributeRow.whole <= min(most, LARGEST) if most >= SMALLEST else false()


def _floats(comparison: Comparison, value: float) -> Condition:
    """Of attributes that are not: the float nearest to a value may stand on either side of it."""
    bound = _nearest_float(value)
    above, below = bound > value, bound < value
    number = AttributeRow.number
    match comparison:
        case "gt" | "gte":
            takes_bound = above or (comparison == "gte" and not below)
            return _is_float() & (number >= bound if takes_bound else number > bound)
        case "lt" | "lte":
            takes_bound = below or (comparison == "lte" and not above)
            return _is_float() & (number <= bound if takes_bound else number < bound)


def _nearest_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _is_float() -> Condition:
    return AttributeRow.whole.is_(None)


# --- text ---------------------------------------------------------------------------------------

Text: TypeAlias = ColumnElement[str] | ColumnElement[str | None]


class _OneOf(Struct, frozen=True):
    values: tuple[str, ...]

    def of(self, text: Text) -> Condition:
        return text.in_(self.values)

    def of_head(self, head: Text) -> Condition:
        return head.in_([value[:HEAD] for value in self.values])


class _Prefixed(Struct, frozen=True):
    value: str

    def of(self, text: Text) -> Condition:
        if not is_storable(self.value):
            return false()
        after = _after_all_with(self.value)
        return and_(text >= self.value, true() if after is None else text < after)

    def of_head(self, head: Text) -> Condition:
        return _Prefixed(self.value[:HEAD]).of(head)


class _Ordered(Struct, frozen=True):
    comparison: Comparison
    value: str

    def of(self, text: Text) -> Condition:
        bound, comparison = _storable_bound(self.value, self.comparison)
        match comparison:
            case "gt":
                return text > bound
            case "gte":
                return text >= bound
            case "lt":
                return text < bound
            case "lte":
                return text <= bound

    def of_head(self, head: Text) -> Condition:
        """Less than is asked of the whole text, so that an index over heads narrows it down."""
        weak: Comparison = "gte" if self.comparison in ("gt", "gte") else "lte"
        return _Ordered(weak, self.value[:HEAD]).of(head)


_Asked: TypeAlias = _OneOf | _Prefixed | _Ordered


def _after_all_with(prefix: str) -> str | None:
    """The least text greater than all that begin with `prefix`; None where there is none."""
    kept = prefix.rstrip(LAST)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(SURROGATES.stop if following in SURROGATES else following)


def _storable_bound(value: str, comparison: Comparison) -> tuple[str, Comparison]:
    """A bound that a database takes, with the same stored texts on each side of it.

    No stored text has a NUL or a surrogate, so it cannot be equal to a value that has one, and
    the first such character decides: everything is greater than NUL, and what is greater than a
    surrogate begins at U+E000.
    """
    place = next((n for n, char in enumerate(value) if not is_storable(char)), None)
    if place is None:
        return value, comparison
    is_above = comparison in ("gt", "gte")
    if value[place] == "\0":
        return value[:place], "gt" if is_above else "lte"
    return value[:place] + chr(SURROGATES.stop), "gte" if is_above else "lt"


def _contains(key: str, value: str, within: CollectionId) -> Condition:
    if not is_storable(value):
        return false()
    if key in COLUMNS:
        return holds(COLUMNS[key], value)
    element = and_(AttributeRow.kind == "element", *_both(_OneOf((value,))))
    text = and_(AttributeRow.kind == "text", holds(AttributeRow.text, value))
    return _has(key, or_(element, text), within)


def _text(key: str, asked: _Asked, within: CollectionId) -> Condition:
    if key in COLUMNS:
        return asked.of(by_code_point(COLUMNS[key]))
    return _attribute(key, "text", and_(*_both(asked)), within)


def _both(asked: _Asked) -> tuple[Condition, Condition]:
    return (
        asked.of_head(AttributeRow.head.expression),
        asked.of(AttributeRow.text.expression),
    )


# --- where attributes are -----------------------------------------------------------------------


def _attribute(key: str, kind: Kind, condition: Condition, within: CollectionId) -> Condition:
    if key in COLUMNS:  # they are texts; what is asked of a text is answered before
        return false()
    return _has(key, and_(AttributeRow.kind == kind, condition), within)


def _has(key: str, condition: Condition, within: CollectionId) -> Condition:
    if not is_storable(key):
        return false()
    return VersionRow.id.in_(
        select(AttributeRow.version_id).where(
            AttributeRow.collection_id == within, AttributeRow.key == key, condition
        )
    )
