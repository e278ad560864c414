"""A provider that speaks the published contract, keeps a bill, and fails when told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

from . import batches, chat, embeddings, files, models, ocr
from .contract import Chat, Closed, Embeddings, Fim, Ocr
from .faults import Fault
from .provider import KEY, Answered, Provider, Received
from .refusals import Refusal, plain, refused, unknown_model, validation_error
from .streams import StreamStyle, chunks
from .tokens import tokens

__all__ = ["KEY", "FakeMistral", "Received"]

_NOTED = "fake.noted"
"""Where a request's scope holds what is noted of it."""


class Paid(Struct, frozen=True):
    """An endpoint that costs money."""

    shape: type[Closed]
    answer: Callable[[Provider, Any], Answered]
    cost: Callable[[Any], int]
    """Tokens, as far as they are known before the answer."""


PAID = {
    "/v1/ocr": Paid(Ocr, ocr.answer, lambda asked: 0),
    "/v1/embeddings": Paid(
        Embeddings,
        embeddings.answer,
        lambda asked: sum(
            map(tokens, [asked.input] if isinstance(asked.input, str) else asked.input)
        ),
    ),
    "/v1/chat/completions": Paid(Chat, chat.answer, chat.prompt_tokens),
    "/v1/fim/completions": Paid(Fim, chat.complete, chat.prompt_tokens),
}


class FakeMistral(Provider):
    """The provider with its app: in process by `httpx.ASGITransport`, or served over HTTP."""

    def __init__(self, **options: Any) -> None:
        """
        Args:
            options: as of `Provider`.
        """
        super().__init__(**options)
        self.app: ASGIApp = _in_turn(self, _app(self))


def _app(fake: FakeMistral) -> Litestar:
    async def note(error: Exception, scope: Scope) -> None:
        if not isinstance(error, Refusal | HTTPException):
            fake.mistakes.append(error)

    def told(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
        return Response(refusal.body, status_code=refusal.status, headers=refusal.headers)

    def unknown_place(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        return Response(plain(error.detail), status_code=error.status_code)

    def checked_key(request: Request[Any, Any, Any]) -> Response[Any] | None:
        if not request.url.path.startswith("/v1/") or _has_key(fake, request):
            return None
        return Response(plain("Unauthorized"), status_code=401)

    def dated(response: Response[Any]) -> Response[Any]:
        response.headers["date"] = formatdate(fake.now(), usegmt=True)
        return response

    def in_batch(path: str, body: bytes) -> tuple[int, Any]:
        return batches.answered_or_refused(lambda: _billed(fake, path, _asked(path, body), None))

    return Litestar(
        [
            *(_paid(fake, path) for path in PAID),
            *files.handlers(fake),
            *batches.handlers(fake, in_batch),
            *_models(fake),
            *_pages(fake),
        ],
        before_request=checked_key,
        after_request=dated,
        after_exception=[note],
        exception_handlers={Refusal: told, HTTPException: unknown_place},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )


def _has_key(fake: FakeMistral, request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("authorization", "").removeprefix("Bearer ") in fake.keys


# --- what costs money ----------------------------------------------------------------------------


def _paid(fake: FakeMistral, path: str) -> HTTPRouteHandler:
    @post(path, status_code=200)
    async def handler(request: Request[Any, Any, Any]) -> Response[Any]:
        asked = _asked(path, await request.body())
        if fake.latency:
            await asyncio.sleep(fake.latency)
        noted: Received | None = request.scope.get(_NOTED)  # type: ignore[assignment]  # ours
        headers = _admitted(fake, path, asked)
        if getattr(asked, "stream", False):
            answered = PAID[path].answer(fake, asked)
            pieces = _streamed(fake, path, answered, noted)
            return Stream(pieces, media_type="text/event-stream", headers=headers)
        return Response(_billed(fake, path, asked, noted), headers=headers)

    return handler


def _asked(path: str, body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, type=PAID[path].shape)
    except msgspec.ValidationError as error:
        raise validation_error(error, body.decode()) from error
    except msgspec.DecodeError as error:
        raise refused(400, "invalid_request_error", "Malformed JSON") from error


def _admitted(fake: FakeMistral, path: str, asked: Any) -> dict[str, str]:
    """Headers of the reply, or 429."""
    model = models.MODELS.get(asked.model or "")
    pages = 1 if path == "/v1/ocr" else 0
    cost = PAID[path].cost(asked)
    headers = fake.gate.admit(model.id if model else asked.model, cost, pages, fake.in_flight)
    if model and model.retires:
        headers["x-model-deprecation-timestamp"] = model.retires
    return headers


def _billed(fake: FakeMistral, path: str, asked: Any, noted: Received | None) -> dict[str, Any]:
    """The body of the answer. What is not noted of one request belongs to a batch."""
    answered = PAID[path].answer(fake, asked)
    _charge(fake, path, answered, noted)
    return answered.body


def _charge(fake: FakeMistral, path: str, answered: Answered, noted: Received | None) -> None:
    charge = fake.bill.add(path, answered.model, answered.units, in_batch=noted is None)
    if noted is not None:
        noted.charge = charge
        fake.gate.spend(answered.model, answered.units.written)


async def _streamed(
    fake: FakeMistral, path: str, answered: Answered, noted: Received | None
) -> AsyncIterator[bytes]:
    """The pieces of the stream; what has not left when the caller leaves is not billed."""
    style: StreamStyle = fake.stream_style
    pieces = list(style.pieces(chunks(answered.body, style)))
    sent = 0
    try:
        for piece in pieces:
            yield piece
            sent += 1
            if style.pause:
                await asyncio.sleep(style.pause)
    finally:
        written = -(-answered.units.written * sent // len(pieces))
        units = msgspec.structs.replace(answered.units, written=written)
        _charge(fake, path, Answered(answered.model, units, {}), noted)


# --- what does not -------------------------------------------------------------------------------


def _models(fake: FakeMistral) -> list[HTTPRouteHandler]:
    def known() -> set[str]:
        return ({*models.MODELS} | fake.chat_models) - fake.retired

    @get("/v1/models")
    async def listed() -> dict[str, Any]:
        return {"object": "list", "data": [models.card(name) for name in sorted(known())]}

    @get("/v1/models/{model_id:str}")
    async def one(model_id: FromPath[str]) -> dict[str, Any]:
        if model_id not in known():
            raise unknown_model(model_id)
        return models.card(model_id)

    return [listed, one]


def _pages(fake: FakeMistral) -> list[HTTPRouteHandler]:
    """For whoever runs it by hand."""

    @get("/fake/bill")
    async def bill() -> dict[str, Any]:
        return fake.bill.by_model()

    @get("/fake/state")
    async def state() -> dict[str, Any]:
        return fake.state()

    return [bill, state]


# --- one request after the other -----------------------------------------------------------------


def _in_turn(fake: FakeMistral, app: Litestar) -> ASGIApp:
    """Writes down each request, and lets the next fault have its way with the answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/fake/"):
            await app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            event: Any = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        noted = Received(scope["path"], _json(fake, body), _headers(scope))
        fake.received.append(noted)
        fault = _fault(fake, noted)
        scope[_NOTED] = noted  # type: ignore[literal-required]  # ours

        unread: list[Any] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> Any:
            return unread.pop() if unread else await receive()

        async def note(event: Any) -> None:
            if event["type"] == "http.response.start":
                noted.status = event["status"]
            await send(event)

        with fake.working():
            await (fault(app) if fault else app)(scope, again, note)

    return answer


def _fault(fake: FakeMistral, noted: Received) -> Fault | None:
    """Scripted faults come first, then those of the plan."""
    if fake.faults:
        fault = fake.faults.pop(0)
        noted.fault = type(fault).__name__ if fault else None
        return fault
    decided = fake.plan.next() if fake.plan else None
    if decided is None:
        return None
    noted.fault, planned = decided
    return planned


def _json(fake: FakeMistral, body: bytearray) -> Any:
    if len(body) > fake.keeps:
        return None
    try:
        return msgspec.json.decode(bytes(body) or b"null")
    except msgspec.DecodeError:
        return None


def _headers(scope: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in scope["headers"]}
