"""A finished completion -> the events of a stream, with every boundary that is legal."""

import random
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

_LETTERS = 12
"""Of a piece of the text."""


class StreamStyle(Struct):
    """How events are written, and cut on their way."""

    newline: Literal["\n", "\r\n", "\r"] = "\n"
    comments: bool = False
    """Whether comments stand between the events, and fields that mean nothing here."""
    many_lines: bool = False
    """Whether the data of an event takes a line for each line of its JSON."""
    seed: int | None = None
    """Where given, the bytes arrive in pieces of any size, cut anywhere."""
    splits_arguments: bool = False
    """Whether a tool call's arguments come in two pieces."""
    tells_usage: bool = True
    ends: bool = True
    """Whether `[DONE]` comes."""
    pause: float = 0.0
    """Seconds between two pieces, of real time."""

    def pieces(self, chunks: list[dict[str, Any]]) -> Iterator[bytes]:
        """What is sent, piece by piece."""
        events = [*map(self._event, chunks), *([self._written("[DONE]")] if self.ends else [])]
        if self.seed is None:
            yield from events
            return
        chance = random.Random(self.seed)
        whole = b"".join(events)
        at = 0
        while at < len(whole):
            size = min(chance.choice((1, 1, 2, 3, 7, 40, 400)), 1 + len(whole) // 8)
            yield whole[at : at + size]
            at += size

    def _event(self, chunk: dict[str, Any]) -> bytes:
        text = msgspec.json.encode(chunk)
        return self._written((msgspec.json.format(text) if self.many_lines else text).decode())

    def _written(self, data: str) -> bytes:
        lines = [f"data: {line}" for line in data.split("\n")]
        if self.comments:
            lines = [": keep-alive", "event: message", *lines, "retry: 3000"]
        return "".join(line + self.newline for line in [*lines, ""]).encode()


def chunks(whole: dict[str, Any], style: StreamStyle) -> list[dict[str, Any]]:
    """`chat.completion.chunk` after `chat.completion.chunk`; usage with the last one."""
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": whole["created"]}
    head["model"] = whole["model"]
    told = [
        {**head, "choices": [{"index": choice["index"], "delta": delta, "finish_reason": None}]}
        for choice in whole["choices"]
        for delta in _deltas(choice["message"], style)
    ]
    for choice in whole["choices"]:
        of_choice = [each for each in told if each["choices"][0]["index"] == choice["index"]]
        of_choice[-1]["choices"][0]["finish_reason"] = choice["finish_reason"]
    if style.tells_usage:
        told[-1]["usage"] = whole["usage"]
    return told


def _deltas(message: dict[str, Any], style: StreamStyle) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    content = message.get("content")
    if isinstance(content, list):
        yield from _mixed(content)
    else:
        for piece in _cut(content or ""):
            yield {"content": piece}
    calls = message.get("tool_calls") or []
    for number, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        if style.splits_arguments and isinstance(arguments, str):
            half = len(arguments) // 2
            yield {"tool_calls": [_call(call, number, arguments[:half])]}
            rest = {**call, "function": {**call["function"], "name": ""}}
            yield {"tool_calls": [_call(rest, number, arguments[half:])]}
        else:
            yield {"tool_calls": [_call(call, number, arguments)]}


def _mixed(content: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Lists while the model thinks, one mixed list at the turn, then plain strings."""
    is_turned = False
    for chunk in content:
        if chunk["type"] == "thinking":
            for piece in _cut("".join(each["text"] for each in chunk["thinking"])):
                thought = [{"type": "text", "text": piece}]
                yield {"content": [{"type": "thinking", "thinking": thought, "closed": False}]}
        elif chunk["type"] == "text":
            first, *rest = _cut(chunk["text"]) or [""]
            if not is_turned:
                thought = {"type": "thinking", "thinking": [], "closed": True}
                yield {"content": [thought, {"type": "text", "text": first}]}
                is_turned = True
            else:
                yield {"content": first}
            for piece in rest:
                yield {"content": piece}
        else:
            yield {"content": [chunk]}


def _cut(text: str) -> list[str]:
    return [text[at : at + _LETTERS] for at in range(0, len(text), _LETTERS)]


def _call(call: dict[str, Any], number: int, arguments: Any) -> dict[str, Any]:
    function = {**call["function"], "arguments": arguments}
    return {**call, "function": function, "index": number}
