"""What the provider says when it does not do what it was asked.

Its error bodies come in seven shapes, and several of them repeat what was sent: a validation
error carries the offending value, which may be a whole document. So nothing of a body is passed
on but words of a known form: its own type and code, and the names of the fields it points at.
What its sentences say is only looked at for a few known causes, and told in our words.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from rag.errors import ProviderRefused
from rag.mistral.wire.decoding import PROVIDER

Cause: TypeAlias = Literal[
    "too many inputs",
    "too many tokens",
    "too long for the model",
    "an unreadable document",
    "an unknown model",
    "over capacity",
    "blocked by a guardrail",
    "a budget that is used up",
]

_CAUSES: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    ("too many inputs", re.compile(r"too many inputs|batch size \d+ > maximum", re.I)),
    ("too many tokens", re.compile(r"too many tokens|split into more batches", re.I)),
    ("too long for the model", re.compile(r"context (length|window)|too large for model", re.I)),
    ("an unreadable document", re.compile(r"document_parser|could not (be )?pars", re.I)),
    ("an unknown model", re.compile(r"invalid.?model|model.{0,80}not (found|exist)", re.I)),
    ("over capacity", re.compile(r"capacity exceeded|overloaded", re.I)),
    ("blocked by a guardrail", re.compile(r"guardrail", re.I)),
    ("a budget that is used up", re.compile(r"spend|quota|billing|payment", re.I)),
)
"""Looked for in this order in all that a body says."""

_CAUSE_OF_CODE: dict[str, Cause] = {
    "3740": "an unreadable document",
    "3201": "blocked by a guardrail",
}
"""Seen in traffic, documented nowhere."""

_WORD = re.compile(r"[a-z_]{1,48}|\d{1,6}")
"""The form of types, codes and field names. A sentence, a key or a document has another."""

LARGEST_BODY = 64 * 1024
"""Bytes of an error body that are looked at; those that repeat a document are longer."""

_MOST_FIELDS = 3
"""Named in a message; more would hide the first."""


class Refusal(Struct, frozen=True):
    """The little that may be told of an error body."""

    status: int
    type: str | None = None
    code: str | None = None
    fields: tuple[str, ...] = ()
    """What a validation error points at: `body.input.0: string_type`."""
    cause: Cause | None = None

    def __str__(self) -> str:
        said = [f"HTTP {self.status}", self.type or "", f"code {self.code}" if self.code else ""]
        words = ", ".join(word for word in said if word)
        reason = f"; {self.cause}" if self.cause else ""
        return words + reason + (f"; at {'; '.join(self.fields)}" if self.fields else "")


class Refused(ProviderRefused):
    """The provider will not do it, however often it is asked."""

    def __init__(self, refusal: Refusal, advice: str, model: str) -> None:
        super().__init__(PROVIDER, f"{advice} ({model}: {refusal})")
        self.refusal = refusal


def refusal(status: int, body: bytes) -> Refusal:
    """Whatever the body is, including no JSON at all."""
    envelope = _envelope(body)
    errors = list(_validation_errors(envelope))
    code = _word(envelope.get("code"))
    return Refusal(
        status,
        type=_word(envelope.get("type")),
        code=code,
        fields=tuple(_field(error) for error in errors[:_MOST_FIELDS]) or _named(envelope),
        cause=_CAUSE_OF_CODE.get(code or "") or _cause(_sentences(envelope, errors)),
    )


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(body[:LARGEST_BODY])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    inner = said.get("error")
    return {**said, **inner} if isinstance(inner, dict) else said  # as OpenAI wraps it


def _validation_errors(envelope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """They stand under `detail`, or under `message` as a list, or under `message.detail`."""
    message = envelope.get("message")
    inner = message.get("detail") if isinstance(message, dict) else message
    for errors in (envelope.get("detail"), inner):
        if isinstance(errors, list):
            yield from (error for error in errors if isinstance(error, dict))


def _field(error: dict[str, Any]) -> str:
    steps = error.get("loc")
    place = ".".join(_word(step) or "?" for step in steps) if isinstance(steps, list) else "?"
    return f"{place}: {_word(error.get('type')) or 'invalid'}"


def _named(envelope: dict[str, Any]) -> tuple[str, ...]:
    """The field at fault, as OpenAI names it."""
    name = _word(envelope.get("param"))
    return (f"{name}: {_word(envelope.get('code')) or 'invalid'}",) if name else ()


def _sentences(envelope: dict[str, Any], errors: Sequence[dict[str, Any]]) -> str:
    """All that the body says in its own words, without the input that it repeats."""
    said = [envelope.get(name) for name in ("type", "message", "detail", "error")]
    said += [each.get("msg") for each in errors]
    return "\n".join(text for text in said if isinstance(text, str))


def _cause(sentences: str) -> Cause | None:
    return next((cause for cause, pattern in _CAUSES if pattern.search(sentences)), None)


def _word(value: object) -> str | None:
    word = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return word if _WORD.fullmatch(word) else None
