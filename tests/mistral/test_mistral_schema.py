"""The part of JSON Schema that the provider takes."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from rag.domain import Draft
from rag.mistral.schema import json_schema


class Leaf(Struct, forbid_unknown_fields=True):
    format: Annotated[str, Meta(title="A title", description="A description")]
    """A field whose name is a word of the schema language."""
    kind: Literal["a", "b"]
    note: str | None


class Tree(Struct, forbid_unknown_fields=True):
    leaves: tuple[Leaf, ...]


def test_definitions_stand_where_they_are_used() -> None:
    leaf = {
        "type": "object",
        "properties": {
            "format": {"type": "string"},
            "kind": {"enum": ["a", "b"]},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["format", "kind", "note"],
        "additionalProperties": False,
    }

    assert json_schema(Tree) == {
        "type": "object",
        "properties": {"leaves": {"type": "array", "items": leaf}},
        "required": ["leaves"],
        "additionalProperties": False,
    }


def test_every_object_of_a_draft_is_closed_and_complete() -> None:
    def check(node: Any) -> int:
        if isinstance(node, list):
            return sum(check(each) for each in node)
        if not isinstance(node, dict):
            return 0
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        return (node.get("type") == "object") + sum(check(each) for each in node.values())

    schema = json_schema(Draft)

    assert check(schema) == 3  # draft, claim, quotation
    assert "$" not in msgspec.json.encode(schema).decode()
