"""As much of JSON Schema as the provider's published document uses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


class Published:
    """The provider's OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self._document = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def faults(self, name: str, value: Any) -> list[str]:
        """What is wrong with a value by the schema of that name."""
        return list(self._faults(self._document["components"]["schemas"][name], value, name))

    def _faults(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        if reference := schema.get("$ref"):
            yield from self._faults(self._resolved(reference), value, at)
        yield from self._faults_of_alternatives(schema, value, at)
        kind = schema.get("type")
        if kind and (not isinstance(value, TYPES[kind]) or _is_wrong_bool(kind, value)):
            yield f"{at}: {type(value).__name__} where {kind} is due"
            return
        if "const" in schema and value != schema["const"]:
            yield f"{at}: not {schema['const']!r}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at}: none of {schema['enum']}"
        yield from _faults_of_bounds(schema, value, at)
        if isinstance(value, dict):
            yield from self._faults_of_object(schema, value, at)
        if isinstance(value, list) and "items" in schema:
            for number, each in enumerate(value):
                yield from self._faults(schema["items"], each, f"{at}.{number}")

    def _resolved(self, reference: str) -> dict[str, Any]:
        node = self._document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        found: dict[str, Any] = node
        return found

    def _faults_of_alternatives(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        for part in schema.get("allOf", ()):
            yield from self._faults(part, value, at)
        discriminator = schema.get("discriminator")
        if discriminator and isinstance(value, dict):
            tag = value.get(discriminator["propertyName"])
            if tag not in discriminator["mapping"]:
                yield f"{at}: unknown kind {tag!r}"
            else:
                yield from self._faults(self._resolved(discriminator["mapping"][tag]), value, at)
            return
        ways = schema.get("anyOf") or schema.get("oneOf") or ()
        wrong = [list(self._faults(way, value, at)) for way in ways]
        if wrong and all(wrong):
            yield min(wrong, key=len)[0]

    def _faults_of_object(
        self, schema: dict[str, Any], value: dict[str, Any], at: str
    ) -> Iterator[str]:
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}: without {name}"
        for name, each in value.items():
            if name in properties:
                yield from self._faults(properties[name], each, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{at}: unknown field {name}"


def _is_wrong_bool(kind: str, value: Any) -> bool:
    return isinstance(value, bool) and kind in ("integer", "number")


def _faults_of_bounds(schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, int | float):
        return
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        yield f"{at}: {value} is out of range"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{at}: {value} is out of range"
