"""A struct -> the part of JSON Schema that the provider is known to take.

It does not document which part that is. Refused were `$schema`, `$id` and `format`; its published
grammar code rejects a few more. So nothing is sent but what is listed here, with every definition
in the place where it is used.
"""

from typing import Any

import msgspec
from msgspec import Struct

_KEPT = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "anyOf"}
)
_DEFINITIONS = "#/$defs/"


def json_schema(shape: type[Struct]) -> dict[str, Any]:
    """The schema of a struct that forbids unknown fields, as every struct in it does.

    Titles and descriptions are left out: the provider puts the schema before each prompt, and
    each word of it is paid for with each answer.

    Raises:
        TypeError: the struct cannot be said in this part of the language: it contains itself, is
            open, has an optional field, or a tuple of several types.
    """
    whole = msgspec.json.schema(shape)
    schema: dict[str, Any] = _inlined(whole, whole.get("$defs", {}), ())
    return schema


def _inlined(node: Any, definitions: dict[str, Any], within: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions, within) for each in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        name = reference.removeprefix(_DEFINITIONS)
        if name in within:
            raise TypeError(f"{name} contains itself, and has no schema without references")
        return _inlined(definitions[name], definitions, (*within, name))
    _check(node, within)
    return {
        key: {name: _inlined(each, definitions, within) for name, each in value.items()}
        if key == "properties"
        else _inlined(value, definitions, within)
        for key, value in node.items()
        if key in _KEPT
    }


def _check(node: dict[str, Any], within: tuple[str, ...]) -> None:
    """What would be lost in silence, or refused under `strict`."""
    name = within[-1] if within else "?"
    if node.get("prefixItems"):
        raise TypeError(f"{name} has a tuple of several types, which this schema cannot say")
    if node.get("type") == "object":
        if node.get("additionalProperties") is not False:
            raise TypeError(f"{name} is open: a model would add fields to it")
        if node.get("required") != list(node["properties"]):
            raise TypeError(f"{name} has an optional field: a model would leave it out")
