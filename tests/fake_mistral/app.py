"""A provider that speaks the published contract, keeps a bill, and fails when told to."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from fake_mistral import replies
from fake_mistral.contract import Chat, Closed, Embeddings, Ocr, validation_errors
from fake_mistral.faults import Fault

KEY = "fake-key-3f7a"

WIDTHS = {"mistral-embed": 1024, "codestral-embed": 1536}
OCR_MODELS = {"mistral-ocr-4-0", "mistral-ocr-4-1", "mistral-ocr-latest", "mistral-ocr-2512"}
CHAT_MODELS = {"mistral-large-2512", "mistral-small-2603", "mistral-medium-3-5"}
REASONING = {"mistral-small-2603", "mistral-medium-3-5"}

REFUSED_IN_SCHEMAS = {"$schema", "$id", "format", "uniqueItems", "not", "if"}


class Received(Struct):
    """One request as it arrived, and what became of it."""

    path: str
    body: Any
    headers: dict[str, str]
    status: int = 0
    """0 until the answer began."""


class FakeMistral:
    """The state behind the app. A test changes it directly: `fake.faults.append(Reply(503))`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.faults: list[Fault | None] = []
        """One for each request to come, in order; None lets one pass."""
        self.largest_batch = 512
        """Inputs of one embeddings request."""
        self.most_tokens = 16_384
        """Of one embeddings request."""
        self.longest_input = 8_192
        """Tokens of one text."""
        self.chat_models = set(CHAT_MODELS)
        self.pages: Callable[[Ocr], list[dict[str, Any]]] = replies.ocr_pages
        self.choice: Callable[[Chat], dict[str, Any]] = _choice
        self.mistakes: list[Exception] = []
        """Of the fake itself: it answered 500 without being told to."""
        self.pages_billed = 0
        self.tokens_billed = 0
        self.app: ASGIApp = _in_turn(self, _app(self))

    def answered(self, path: str) -> list[Any]:
        """Bodies of the requests to a path that were answered with 200."""
        return [each.body for each in self.received if each.path == path and each.status == 200]


def _app(fake: FakeMistral) -> Litestar:
    @post("/v1/ocr", status_code=200)
    async def ocr(request: Request[Any, Any, Any]) -> Response[Any]:
        asked = await _checked(request, Ocr)
        if isinstance(asked, Response):
            return asked
        if asked.model not in OCR_MODELS:
            return _unknown_model(asked.model)
        try:
            pages = fake.pages(asked)
        except replies.Unparsable:
            return _refusal(400, "document_parser_invalid_file", "Could not parse.", "3740")
        fake.pages_billed += len(pages)
        usage = {"pages_processed": len(pages), "doc_size_bytes": None}
        return Response({"model": asked.model, "pages": pages, "usage_info": usage})

    @post("/v1/embeddings", status_code=200)
    async def embeddings(request: Request[Any, Any, Any]) -> Response[Any]:
        asked = await _checked(request, Embeddings)
        if isinstance(asked, Response):
            return asked
        if asked.model not in WIDTHS:
            return _unknown_model(asked.model)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        counts = [replies.tokens(text) for text in texts]
        if too_much := _too_much(fake, counts):
            return _refusal(400, "invalid_request_prompt", too_much, "3210")
        fake.tokens_billed += sum(counts)
        width = asked.output_dimension or WIDTHS[asked.model]
        data = [
            {"object": "embedding", "index": index, "embedding": replies.vector(text, width)}
            for index, text in enumerate(texts)
        ]
        return _list(data, model=asked.model, id="e1", usage=_usage(sum(counts), 0))

    @post("/v1/chat/completions", status_code=200)
    async def chat(request: Request[Any, Any, Any]) -> Response[Any]:
        asked = await _checked(request, Chat)
        if isinstance(asked, Response):
            return asked
        if asked.model not in fake.chat_models:
            return _unknown_model(asked.model)
        if asked.reasoning_effort and asked.model not in REASONING:
            return _refusal(400, "invalid_request_error", "reasoning_effort is not supported")
        if asked.response_format and (wrong := _unknown_schema_words(asked)):
            return _refusal(400, "invalid_request_error", f"Unsupported schema: {wrong}")
        prompt = sum(replies.tokens(str(message.content)) for message in asked.messages)
        choice = fake.choice(asked)
        written = replies.tokens(str(choice["message"]["content"]))
        fake.tokens_billed += prompt + written
        return Response(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1_780_000_000,
                "model": asked.model,
                "choices": [choice],
                "usage": _usage(prompt, written),
            }
        )

    @get("/v1/models")
    async def models(request: Request[Any, Any, Any]) -> Response[Any]:
        ids = sorted({*WIDTHS, *OCR_MODELS, *fake.chat_models})
        cards = [
            {"id": each, "object": "model", "type": "base", "capabilities": {}, "aliases": []}
            for each in ids
        ]
        return _forbidden(request) or _list(cards)

    async def note(error: Exception, scope: Scope) -> None:
        fake.mistakes.append(error)

    return Litestar(
        [ocr, embeddings, chat, models],
        after_exception=[note],
        openapi_config=None,
        logging_config=None,
    )


async def _checked(request: Request[Any, Any, Any], shape: type[Closed]) -> Any:
    """The request, or the refusal it deserves."""
    if refusal := _forbidden(request):
        return refusal
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        return Response({"detail": validation_errors(error, body.decode())}, status_code=422)
    except msgspec.DecodeError:
        return _refusal(400, "invalid_request_error", "Malformed JSON")


def _forbidden(request: Request[Any, Any, Any]) -> Response[Any] | None:
    if request.headers.get("authorization") == f"Bearer {KEY}":
        return None
    return Response({"detail": "Unauthorized"}, status_code=401)


def _refusal(status: int, kind: str, message: str, code: str | None = None) -> Response[Any]:
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return Response({**body, "raw_status_code": status}, status_code=status)


def _unknown_model(model: str | None) -> Response[Any]:
    return _refusal(404, "invalid_model", f"Invalid model: {model}", "1500")


def _too_much(fake: FakeMistral, counts: list[int]) -> str | None:
    if len(counts) > fake.largest_batch:
        return "Too many inputs in request, split into more batches."
    if sum(counts) > fake.most_tokens or max(counts, default=0) > fake.longest_input:
        return "Too many tokens overall, split into more batches."
    return None


def _unknown_schema_words(asked: Chat) -> set[str]:
    sent = msgspec.json.encode(asked.response_format).decode()
    return {word for word in REFUSED_IN_SCHEMAS if f'"{word}":' in sent}


def _choice(asked: Chat) -> dict[str, Any]:
    message = {"role": "assistant", "content": replies.draft(asked), "tool_calls": None}
    return {"index": 0, "finish_reason": "stop", "message": message}


def _usage(prompt: int, written: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0},
        "request_count": 1,
    }


def _list(data: list[Any], **more: Any) -> Response[Any]:
    return Response({"object": "list", "data": data, **more})


def _in_turn(fake: FakeMistral, app: Litestar) -> ASGIApp:
    """Writes down each request, and lets the next fault have its way with the answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            event: Any = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        noted = Received(scope["path"], msgspec.json.decode(bytes(body) or b"null"), headers)
        fake.received.append(noted)
        fault = fake.faults.pop(0) if fake.faults else None

        unread: list[Any] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Any:
            return unread.pop() if unread else await receive()

        async def note(event: Any) -> None:
            if event["type"] == "http.response.start":
                noted.status = event["status"]
            await send(event)

        await (fault(app) if fault else app)(scope, again, note)

    return answer
