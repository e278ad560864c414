"""What other hosts are asked: what all of them know, less what one of them has refused.

They agree on most fields and not on all: newer models of OpenAI's want another name for
`max_tokens` and no `temperature`, and some hosts know no schema. Which one it is, a refusal says.
"""

from rag.mistral.refusals import Refusal
from rag.mistral.wire.chat import (
    ChatRequest,
    PlainChatRequest,
    PlainToolCall,
    PlainToolCalls,
    Said,
    SaidToolCalls,
    StreamOptions,
)

_NOT_NEEDED = frozenset({"max_tokens", "temperature", "response_format", "stream_options"})
"""`max_tokens` goes by its newer name then; a draft is checked whether a schema was sent or not."""


class Concessions:
    """To one host, for the life of a client."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def concede(self, refusal: Refusal) -> bool:
        """Whether another attempt, without what was refused, may go better."""
        named = {field.partition(":")[0].removeprefix("body.") for field in refusal.fields}
        news = (named & _NOT_NEEDED) - self._refused
        self._refused |= news
        return bool(news)

    def request(self, asked: ChatRequest) -> PlainChatRequest:
        def unless_refused(name: str) -> bool:
            return name not in self._refused

        is_old = unless_refused("max_tokens")
        is_counted = asked.stream and unless_refused("stream_options")
        return PlainChatRequest(
            asked.model,
            tuple(map(_plain, asked.messages)),
            max_tokens=asked.max_tokens if is_old else None,
            max_completion_tokens=None if is_old else asked.max_tokens,
            temperature=asked.temperature if unless_refused("temperature") else None,
            stream=asked.stream,
            stream_options=StreamOptions() if is_counted else None,
            response_format=asked.response_format if unless_refused("response_format") else None,
            tools=asked.tools,
            tool_choice="required" if asked.tool_choice == "any" else asked.tool_choice,
            stop=asked.stop,
            reasoning_effort=asked.reasoning_effort,
        )


def _plain(said: Said) -> Said | PlainToolCalls:
    if not isinstance(said, SaidToolCalls):
        return said
    calls = (PlainToolCall(call.function, call.id) for call in said.tool_calls)
    return PlainToolCalls(tuple(calls), said.content)
