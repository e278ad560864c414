"""As much of OpenAPI and JSON Schema as the provider's published document uses."""

import email
import email.policy
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Exchange(Struct, frozen=True):
    """A request and its reply, as they went over the wire."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    sent_type: str
    sent: bytes
    status: int
    told_type: str
    told: bytes


class Published:
    """The provider's OpenAPI document."""

    def __init__(self, path: Path) -> None:
        self._document = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))

    def faults(self, name: str, value: Any) -> list[str]:
        """What is wrong with a value by the schema of that name."""
        return list(self._faults(self._document["components"]["schemas"][name], value, name))

    def request_faults(self, exchange: Exchange) -> list[str]:
        """What is wrong with a request: its place, its query, its body."""
        operation = self._operation(exchange)
        if operation is None:
            return [f"{exchange.method} {exchange.path} is not published"]
        known = {each["name"]: each["schema"] for each in operation.get("parameters", ())}
        found = [f"query: unknown {name}" for name, _ in exchange.query if name not in known]
        for name, text in exchange.query:
            if name in known:
                found += self._faults(known[name], _coerced(known[name], text), f"query.{name}")
        bodies = operation.get("requestBody", {}).get("content", {})
        media_type = exchange.sent_type.partition(";")[0]
        if not exchange.sent:
            return found + (["without a body"] if bodies else [])
        if media_type not in bodies:
            return [*found, f"a body of {media_type or 'no type'}"]
        schema = bodies[media_type]["schema"]
        value = _form(exchange, schema) if "multipart" in media_type else json.loads(exchange.sent)
        return found + list(self._faults(schema, value, _name(schema)))

    def reply_faults(self, exchange: Exchange) -> list[str]:
        """What is wrong with a reply; every event of it, where it is a stream."""
        operation = self._operation(exchange)
        assert operation is not None
        media_type = exchange.told_type.partition(";")[0]
        told = operation["responses"].get(str(exchange.status), {}).get("content", {})
        if media_type not in told:
            return [f"{exchange.status} with {media_type} is not published"]
        schema = told[media_type]["schema"]
        if media_type == "application/octet-stream":
            return []
        if media_type == "text/event-stream":
            events = re.findall(rb"^data: (.*)$", exchange.told, re.M)
            assert events.pop() == b"[DONE]"
            values: list[Any] = [{"data": json.loads(event)} for event in events]
        else:
            values = [json.loads(exchange.told)]
        return [fault for value in values for fault in self._faults(schema, value, _name(schema))]

    def _operation(self, exchange: Exchange) -> dict[str, Any] | None:
        for template, operations in self._document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), exchange.path):
                found: dict[str, Any] | None = operations.get(exchange.method.lower())
                return found
        return None

    def _faults(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        if reference := schema.get("$ref"):
            yield from self._faults(self._resolved(reference), value, at)
        yield from self._faults_of_alternatives(schema, value, at)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(_is_of(kind, value) for kind in kinds):
            yield f"{at}: {type(value).__name__} where {' or '.join(kinds)} is due"
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
            if len(value) > schema.get("maxItems", len(value)):
                yield f"{at}: {len(value)} items"

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
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self._faults(schema["additionalProperties"], each, f"{at}.{name}")
            yield from self._faults(schema.get("propertyNames", {}), name, f"{at} (a name)")


def _is_of(kind: str, value: Any) -> bool:
    is_wrong_bool = isinstance(value, bool) and kind in ("integer", "number")
    return isinstance(value, TYPES[kind]) and not is_wrong_bool


def _faults_of_bounds(schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{at}: {len(value)} characters"
        if schema.get("format") == "uuid" and not _UUID.fullmatch(value):
            yield f"{at}: no uuid"
    if not isinstance(value, int | float):
        return
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        yield f"{at}: {value} is out of range"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield f"{at}: {value} is out of range"


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "body")).rpartition("/")[2]


def _coerced(schema: dict[str, Any], text: str) -> Any:
    """A text of a query or a form, as its schema means it."""
    if schema.get("type") == "integer" and text.isdigit():
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    for way in schema.get("anyOf", ()):
        if way.get("type") == "array":
            return [_coerced(way["items"], text)]
        if (value := _coerced(way, text)) != text:
            return value
    return text


def _form(exchange: Exchange, schema: dict[str, Any]) -> dict[str, Any]:
    head = f"content-type: {exchange.sent_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + exchange.sent, policy=email.policy.HTTP)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        field = schema["properties"].get(name, {})
        fields[name] = part.get_filename() or _coerced(field, content.decode())
    return fields
