"""The part of JSON Schema that the provider takes."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from rag.domain import Draft
from rag.mistral.chat.schema import json_schema


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


class Loop(Struct, forbid_unknown_fields=True):
    next: "Loop | None"


class Open(Struct):
    name: str


class Optional(Struct, forbid_unknown_fields=True):
    name: str = ""


class Pair(Struct, forbid_unknown_fields=True):
    both: tuple[int, str]


class Table(Struct, forbid_unknown_fields=True):
    rows: dict[str, int]


class Deep(Struct, forbid_unknown_fields=True):
    open: tuple[Open, ...]


@pytest.mark.parametrize("shape", [Loop, Open, Optional, Pair, Table, Deep])
def test_what_cannot_be_said_is_no_schema(shape: type[Struct]) -> None:
    with pytest.raises(TypeError):
        json_schema(shape)


def test_two_may_contain_the_same() -> None:
    class Twice(Struct, forbid_unknown_fields=True):
        first: Leaf
        second: Leaf

    properties = json_schema(Twice)["properties"]
    assert properties["first"] == properties["second"]


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
