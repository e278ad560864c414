"""The smallest value that a JSON schema allows, for models that are asked for JSON."""

from typing import Any

from .refusals import refused

REFUSED = {"$schema", "$id", "format", "uniqueItems", "not", "if"}
"""Words that the provider was seen to refuse, or that its grammar code rejects."""


def checked(schema: Any) -> None:
    """
    Raises:
        Refusal: the schema has a word that is not taken.
    """
    if isinstance(schema, list):
        for each in schema:
            checked(each)
    if not isinstance(schema, dict):
        return
    if wrong := REFUSED & schema.keys():
        message = f"Unsupported schema: {sorted(wrong)}"
        raise refused(400, "invalid_request_error", message)
    for word, value in schema.items():
        if word in ("properties", "$defs"):
            checked(list(value.values()))
        elif word not in ("enum", "const", "default", "examples", "required"):
            checked(value)


def instance(schema: dict[str, Any], whole: dict[str, Any] | None = None) -> Any:
    """A value of the schema; references point into `whole`."""
    whole = schema if whole is None else whole
    if reference := schema.get("$ref"):
        node: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        return instance(node, whole)
    for choices in (schema.get("anyOf"), schema.get("oneOf"), schema.get("allOf")):
        if choices:
            return instance(choices[0], whole)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: instance(properties.get(name, {}), whole) for name in properties}
    if kind == "array":
        return [instance(schema.get("items", {}), whole)] * schema.get("minItems", 0)
    plain = {"integer": 1, "number": 0.5, "boolean": True, "null": None}
    if kind in ("integer", "number") and "minimum" in schema:
        return schema["minimum"]
    return plain.get(str(kind), "something plausible")
