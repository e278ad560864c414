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
    """
    whole = msgspec.json.schema(shape)
    schema: dict[str, Any] = _inlined(whole, whole.get("$defs", {}))
    return schema


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        return _inlined(definitions[reference.removeprefix(_DEFINITIONS)], definitions)
    return {
        key: {name: _inlined(each, definitions) for name, each in value.items()}
        if key == "properties"
        else _inlined(value, definitions)
        for key, value in node.items()
        if key in _KEPT
    }
