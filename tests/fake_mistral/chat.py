"""`/v1/chat/completions` and `/v1/fim/completions`."""

import zlib
from itertools import pairwise
from typing import Any

import msgspec

from .contract import Chat, ChatMessage, Fim
from .instances import checked
from .models import MODELS, Units, of_kinds
from .provider import Answered, Provider
from .refusals import Refusal, guardrail, refused, unknown_model
from .tokens import BYTES_PER_TOKEN, tokens
from .writing import completed, spoken, stopped

_BLOCK = 64
"""Tokens: what the prefix cache keeps whole."""

_CREATED = 1_780_000_000

_BEFORE = {"assistant": {"user", "tool"}, "tool": {"assistant", "tool"}}
"""Which roles may stand before a role; any may stand before a user."""


def answer(provider: Provider, asked: Chat) -> Answered:
    """
    Raises:
        Refusal: it will not.
    """
    if asked.model not in provider.chat_models or asked.model in provider.retired:
        raise unknown_model(asked.model)
    model = MODELS.get(asked.model)
    if asked.reasoning_effort and not (model and model.reasons):
        raise refused(400, "invalid_request_error", "reasoning_effort is not supported")
    if not isinstance(asked.response_format, msgspec.UnsetType):
        wanted = asked.response_format.json_schema
        if asked.response_format.type == "json_schema" and wanted is None:
            raise refused(400, "invalid_request_error", "json_schema is missing")
        checked(wanted.definition if wanted else {})
    _check_order(asked.messages)
    results = _guarded(provider, asked)
    prompt = _prompt(asked)
    counted = sum(tokens(str(message.content)) for message in asked.messages)
    if model and counted + (asked.max_tokens or 0) > model.context:
        message = f"Prompt contains {counted} tokens, too large for model with {model.context}"
        raise refused(400, "invalid_request_error", message, "3051")
    choices = [{**_choice(provider, asked), "index": number} for number in range(asked.n or 1)]
    units = Units(
        prompt=counted,
        cached=min(counted, _cached(provider, asked.model, asked.prompt_cache_key, prompt)),
        written=sum(_written(choice["message"]) for choice in choices),
    )
    body = _completion(asked.model, choices, units)
    if results:
        body["guardrails"] = results
    if asked.service_tier:
        body["usage"]["service_tier"] = "default"
    return Answered(asked.model, units, body)


def complete(provider: Provider, asked: Fim) -> Answered:
    """
    Raises:
        Refusal: the model does not fill in code.
    """
    if asked.model not in of_kinds("code") or asked.model in provider.retired:
        raise unknown_model(asked.model)
    said = provider.script.popleft() if provider.script else completed(asked)
    text, reason = stopped(said, asked.stop, asked.max_tokens)
    prompt = asked.prompt + (asked.suffix or "")
    counted = tokens(prompt)
    cached = _cached(provider, asked.model, asked.prompt_cache_key, prompt)
    units = Units(prompt=counted, cached=min(counted, cached), written=tokens(text))
    message = {"role": "assistant", "content": text, "tool_calls": None}
    choice = {"index": 0, "finish_reason": reason, "message": message}
    return Answered(asked.model, units, _completion(asked.model, [choice], units))


def prompt_tokens(asked: Chat | Fim) -> int:
    """What a request will count, as far as it is known before the answer."""
    if isinstance(asked, Fim):
        return tokens(asked.prompt + (asked.suffix or ""))
    return sum(tokens(str(message.content)) for message in asked.messages)


def _choice(provider: Provider, asked: Chat) -> dict[str, Any]:
    if provider.script:
        return spoken(asked, provider.script.popleft())
    return provider.choice(asked)


def _completion(model: str, choices: list[dict[str, Any]], units: Units) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": _CREATED,
        "model": model,
        "choices": choices,
        "usage": usage(units),
    }


def usage(units: Units) -> dict[str, Any]:
    """Some of its fields are sent and not published."""
    return {
        "prompt_tokens": units.prompt,
        "completion_tokens": units.written,
        "total_tokens": units.prompt + units.written,
        "prompt_tokens_details": {"cached_tokens": units.cached},
        "request_count": 1,
    }


def _written(message: dict[str, Any]) -> int:
    calls = message.get("tool_calls")
    return tokens(str(message["content"])) + (tokens(str(calls)) if calls else 0)


def _check_order(messages: list[ChatMessage]) -> None:
    """By the published validator."""
    roles = [message.role for message in messages]
    wrong = roles[0] not in ("system", "user")
    for before, role in pairwise(roles):
        wrong |= before not in _BEFORE.get(role, {"system", "user", "assistant", "tool"})
    wrong |= roles[-1] == "system"
    wrong |= roles[-1] == "assistant" and messages[-1].prefix is not True
    if wrong:
        message = f"Unexpected order of roles: {roles}"
        raise refused(400, "invalid_request_message_order", message, "3230")


def _guarded(provider: Provider, asked: Chat) -> list[dict[str, Any]]:
    """What the guardrails say of the input, where some are asked for."""
    if not asked.guardrails:
        return []
    text = "\n".join(message.text() for message in asked.messages)
    if any(word in text for word in provider.blocked_words):
        raise Refusal(403, guardrail("pii"))
    return [{"moderation_llm_v2": {"category_scores": {"pii": 0.01}}}]


# --- the prefix cache ----------------------------------------------------------------------------


def _prompt(asked: Chat) -> str:
    return "\n".join(f"{message.role}: {message.content}" for message in asked.messages)


def _cached(provider: Provider, model: str, key: str | None, prompt: str) -> int:
    """Tokens of the prefix that an earlier prompt under the same key had: a multiple of 64."""
    if key is None:
        return 0
    sent = prompt.encode()
    step = _BLOCK * BYTES_PER_TOKEN
    blocks = [(model, key, at, zlib.crc32(sent[:at])) for at in range(step, len(sent) + 1, step)]
    known = 0
    while known < len(blocks) and blocks[known] in provider.cached_prefixes:
        known += 1
    provider.cached_prefixes.update(blocks)
    return known * _BLOCK
