"""Another host, which speaks OpenAI's language and is strict about it: it wants its key in a header
of its own, has its paths below another one, and refuses each field that is not OpenAI's.

By hand, from the root of the repository: `python -m tests.fake_mistral.foreign --port 8200`.
"""

import argparse
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Meta, Struct

from .chat import usage
from .contract import Chat, ResponseFormat, Tool
from .embeddings import vectors
from .models import Units
from .tokens import tokens
from .writing import draft, spoken

KEY = "foreign-key-91c2"
ROOT = "/openai"
EMBEDDER = "text-embedding-9"
WIDTH = 96


class Closed(Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class Embeddings(Closed):
    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    user: str | None = None


class Message(Struct, kw_only=True):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: list[dict[str, Any]] = []
    tool_call_id: str | None = None
    name: str | None = None


class StreamOptions(Closed):
    include_usage: bool = False


class Completion(Closed):
    model: str
    messages: list[Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    stop: str | list[str] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None


Answer: TypeAlias = tuple[int, Any]
"""Status and body."""


class ForeignHost:
    def __init__(self, *, key_header: str = "api-key", width: int = WIDTH) -> None:
        self.key = KEY
        self.key_header = key_header
        self.width = width
        self.lists_models = True
        self.unsupported: set[str] = set()
        """Fields that its models do not take."""
        self.received: list[tuple[str, Any, dict[str, str]]] = []
        """Path, body and headers of each request."""
        self.prompt_tokens = 0
        self.written_tokens = 0

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        more = True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = msgspec.json.decode(bytes(body)) if body else None
        self.received.append((scope["path"], asked, headers))
        status, answer = self._answer(scope["path"], bytes(body), headers)
        told = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if headers.get(self.key_header, "").removeprefix("Bearer ") != self.key:
            return _refused(401, "invalid_api_key", "Incorrect API key provided")
        try:
            match path.removeprefix(ROOT):
                case "/v1/models" if self.lists_models:
                    return 200, {"object": "list", "data": [{"id": EMBEDDER}, {"id": "gpt-9"}]}
                case "/v1/embeddings":
                    return self._embed(msgspec.json.decode(body, type=Embeddings))
                case "/v1/chat/completions":
                    return self._complete(msgspec.json.decode(body, type=Completion))
        except msgspec.ValidationError as error:
            return _refused(400, "unknown_parameter", str(error))
        return _refused(404, "not_found", "Resource not found")

    def _embed(self, asked: Embeddings) -> Answer:
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        rows = vectors(texts, asked.dimensions or self.width)
        longer = np.float32(3.0)  # nobody promised that their length is 1
        data = [
            {"object": "embedding", "index": n, "embedding": (row * longer).tolist()}
            for n, row in enumerate(rows)
        ]
        units = Units(prompt=sum(map(tokens, texts)))
        self._count(units)
        return 200, {"object": "list", "data": data, "model": "x", "usage": usage(units)}

    def _complete(self, asked: Completion) -> Answer:
        for name in sorted(self.unsupported):
            if getattr(asked, name) is not None:
                return _refused(400, "unsupported_parameter", f"Unsupported: '{name}'", name)
        messages = [{"role": each.role, "content": each.content} for each in asked.messages]
        chat = msgspec.convert({"model": asked.model, "messages": messages}, Chat)
        chosen = spoken(chat, draft(chat) or "Understood.")
        units = Units(
            prompt=sum(tokens(each.content or "") for each in asked.messages),
            written=tokens(str(chosen["message"]["content"])),
        )
        self._count(units)
        body = {"object": "chat.completion", "model": "gpt-9-2026", "choices": [chosen]}
        return 200, {**body, "usage": usage(units)}

    def _count(self, units: Units) -> None:
        self.prompt_tokens += units.prompt
        self.written_tokens += units.written


def _refused(status: int, code: str, message: str, param: str | None = None) -> Answer:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return status, {"error": error}


if __name__ == "__main__":
    from .serving import server

    parser = argparse.ArgumentParser(description="A host that speaks OpenAI's language.")
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--no-models", action="store_true", help="no /v1/models")
    arguments = parser.parse_args()
    host = ForeignHost(width=arguments.width)
    host.lists_models = not arguments.no_models
    print(f"http://127.0.0.1:{arguments.port}{ROOT}  api-key: {KEY}", flush=True)
    server(host, arguments.port).run()
