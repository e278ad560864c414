"""Which documents a question may see: one bounded, typed tree over their attributes.

A missing key equals null: `ne` and `nin` match it, and every other comparison does not, unless
it asks for null itself. Values of different types are never equal and never ordered, except that
whole numbers and fractions are both numbers; true is not 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Attribute
from rag.errors import InvalidRequest

MAX_DEPTH = 8  # levels; no question a person asks nests deeper, and recursion stays shallow
MAX_NODES = 100  # nodes and listed values / 10: what one question may cost per document

Scalar: TypeAlias = str | int | float | bool | None


class And(Struct, frozen=True, tag="and", forbid_unknown_fields=True):
    """Every one of `filters` matches; none at all match everything."""

    filters: tuple[Filter, ...]


class Or(Struct, frozen=True, tag="or", forbid_unknown_fields=True):
    """At least one of `filters` matches; none at all match nothing."""

    filters: tuple[Filter, ...]


class Not(Struct, frozen=True, tag="not", forbid_unknown_fields=True):
    """`filter` does not match."""

    filter: Filter


class Eq(Struct, frozen=True, tag="eq", forbid_unknown_fields=True):
    """The attribute is `value`; null is a missing attribute."""

    key: str
    value: Scalar


class Ne(Struct, frozen=True, tag="ne", forbid_unknown_fields=True):
    """The attribute is missing, or something other than `value`."""

    key: str
    value: Scalar


class Gt(Struct, frozen=True, tag="gt", forbid_unknown_fields=True):
    """The attribute is greater: numbers by size, strings by code point."""

    key: str
    value: str | int | float


class Gte(Struct, frozen=True, tag="gte", forbid_unknown_fields=True):
    """The attribute is greater or equal."""

    key: str
    value: str | int | float


class Lt(Struct, frozen=True, tag="lt", forbid_unknown_fields=True):
    """The attribute is less."""

    key: str
    value: str | int | float


class Lte(Struct, frozen=True, tag="lte", forbid_unknown_fields=True):
    """The attribute is less or equal."""

    key: str
    value: str | int | float


class In(Struct, frozen=True, tag="in", forbid_unknown_fields=True):
    """The attribute is one of `values`."""

    key: str
    values: tuple[Scalar, ...]


class Nin(Struct, frozen=True, tag="nin", forbid_unknown_fields=True):
    """The attribute is missing, or none of `values`."""

    key: str
    values: tuple[Scalar, ...]


class Exists(Struct, frozen=True, tag="exists", forbid_unknown_fields=True):
    """The attribute is there and not null."""

    key: str


class Contains(Struct, frozen=True, tag="contains", forbid_unknown_fields=True):
    """A list attribute has `value` as an element, or a text attribute has it somewhere in it."""

    key: str
    value: str


class Prefix(Struct, frozen=True, tag="prefix", forbid_unknown_fields=True):
    """A text attribute begins with `value`."""

    key: str
    value: str


Filter: TypeAlias = (
    And | Or | Not | Eq | Ne | Gt | Gte | Lt | Lte | In | Nin | Exists | Contains | Prefix
)


def matches(filter: Filter, attributes: Mapping[str, Attribute]) -> bool:
    """Whether a document with these attributes passes. Assumes a `bounded` filter."""
    match filter:
        case And(filters):
            return all(matches(one, attributes) for one in filters)
        case Or(filters):
            return any(matches(one, attributes) for one in filters)
        case Not(inner):
            return not matches(inner, attributes)
        case Eq(key, value):
            return _equal(attributes.get(key), value)
        case Ne(key, value):
            return not _equal(attributes.get(key), value)
        case In(key, values):
            return any(_equal(attributes.get(key), value) for value in values)
        case Nin(key, values):
            return not any(_equal(attributes.get(key), value) for value in values)
        case Exists(key):
            return attributes.get(key) is not None
        case Contains(key, value):
            found = attributes.get(key)
            return isinstance(found, str | tuple) and value in found
        case Prefix(key, value):
            found = attributes.get(key)
            return isinstance(found, str) and found.startswith(value)
        case Gt(key, value):
            return _order(attributes.get(key), value) == 1
        case Gte(key, value):
            return _order(attributes.get(key), value) in (0, 1)
        case Lt(key, value):
            return _order(attributes.get(key), value) == -1
        case Lte(key, value):
            return _order(attributes.get(key), value) in (-1, 0)


def bounded(filter: Filter) -> Filter:
    """The filter itself.

    Raises:
        InvalidRequest: deeper than `MAX_DEPTH`, or more than `MAX_NODES` nodes; ten listed values
            count as one node.
    """
    level: list[Filter] = [filter]
    nodes = 0.0
    for _ in range(MAX_DEPTH):
        nodes += sum(_weight(one) for one in level)
        level = [child for one in level for child in _children(one)]
        if nodes > MAX_NODES:
            raise InvalidRequest(f"the filter has more than {MAX_NODES} conditions")
        if not level:
            return filter
    raise InvalidRequest(f"the filter is nested more than {MAX_DEPTH} levels deep")


def _children(filter: Filter) -> tuple[Filter, ...]:
    match filter:
        case And(filters) | Or(filters):
            return filters
        case Not(inner):
            return (inner,)
        case _:
            return ()


def _weight(filter: Filter) -> float:
    return 1 + len(filter.values) / 10 if isinstance(filter, In | Nin) else 1


def _equal(found: Attribute, value: Scalar) -> bool:
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    return found == value


def _order(found: Attribute, value: str | int | float) -> int | None:
    """-1, 0 or 1 as `found` is less, equal or greater; None where the two have no order."""
    if isinstance(found, bool) or isinstance(value, bool):
        return None
    if isinstance(found, str) and isinstance(value, str):
        return (found > value) - (found < value)
    if isinstance(found, int | float) and isinstance(value, int | float):
        if found != found or value != value:  # NaN has no order
            return None
        return (found > value) - (found < value)
    return None
