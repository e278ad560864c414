"""A provider that speaks the published contract, keeps a bill, and fails when told to."""

import asyncio
from collections.abc import Mapping
from email.utils import formatdate
from functools import cache
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ASGIApp, Receive, Scope, Send

from . import batches, files, models
from .faults import Fault
from .paid import PAID, asked_of, billed, streamed
from .provider import KEY, Provider, Received
from .refusals import Refusal, plain, unknown_model

__all__ = ["KEY", "FakeMistral", "Received"]

_PROVIDER = "fake.provider"
_NOTED = "fake.noted"
"""Where a request's scope holds whom it is for, and what is noted of it."""


class FakeMistral(Provider):
    """The provider with its app: in process by `httpx.ASGITransport`, or served over HTTP."""

    def __init__(self, **options: Any) -> None:
        """
        Args:
            options: as of `Provider`.
        """
        super().__init__(**options)
        self.app: ASGIApp = _in_turn(self)


@cache
def _app() -> Litestar:
    """One for all fakes of a process: making it takes longer than most tests."""
    return Litestar(
        [*map(_paid, PAID), *files.HANDLERS, *batches.HANDLERS, *_HANDLERS],
        dependencies={"provider": Provide(_provider, sync_to_thread=False)},
        before_request=_checked_key,
        after_exception=[_note_mistake],
        exception_handlers={Refusal: _told, HTTPException: _unknown_place},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )


def _provider(scope: Scope) -> Provider:
    return _provider_of(scope)


def _provider_of(scope: Any) -> Provider:
    found: Provider = scope[_PROVIDER]
    return found


async def _note_mistake(error: Exception, scope: Scope) -> None:
    if not isinstance(error, Refusal | HTTPException):
        _provider_of(scope).mistakes.append(error)


def _told(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    return Response(refusal.body, status_code=refusal.status, headers=refusal.headers)


def _unknown_place(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    return Response(plain(error.detail), status_code=error.status_code)


def _checked_key(request: Request[Any, Any, Any]) -> Response[Any] | None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key in _provider_of(request.scope).keys or not request.url.path.startswith("/v1/"):
        return None
    return Response(plain("Unauthorized"), status_code=401)


# --- what costs money ----------------------------------------------------------------------------


def _paid(path: str) -> HTTPRouteHandler:
    @post(path, status_code=200)
    async def handler(
        request: Request[Any, Any, Any], provider: NamedDependency[Provider]
    ) -> Response[Any]:
        asked = asked_of(path, await request.body())
        if provider.latency:
            await asyncio.sleep(provider.latency)
        noted: Received = request.scope[_NOTED]  # type: ignore[literal-required]  # ours
        headers = _admitted(provider, path, asked)
        if getattr(asked, "stream", False):
            pieces = streamed(provider, path, asked, noted)
            return Stream(pieces, media_type="text/event-stream", headers=headers)
        return Response(billed(provider, path, asked, noted), headers=headers)

    return handler


def _admitted(provider: Provider, path: str, asked: Any) -> dict[str, str]:
    """Headers of the reply, or 429."""
    name = models.canonical(asked.model or "")
    pages = 1 if path == "/v1/ocr" else 0  # the others are known once they are read
    headers = provider.gate.admit(name, PAID[path].cost(asked), pages, provider.in_flight)
    model = models.MODELS.get(name)
    if model and model.retires:
        headers["x-model-deprecation-timestamp"] = model.retires
    return headers


# --- what does not -------------------------------------------------------------------------------


def _known(provider: Provider) -> set[str]:
    return ({*models.MODELS} | provider.chat_models) - provider.retired


@get("/v1/models")
async def _models(provider: NamedDependency[Provider]) -> dict[str, Any]:
    return {"object": "list", "data": [models.card(name) for name in sorted(_known(provider))]}


@get("/v1/models/{model_id:str}")
async def _model(model_id: FromPath[str], provider: NamedDependency[Provider]) -> dict[str, Any]:
    if model_id not in _known(provider):
        raise unknown_model(model_id)
    return models.card(model_id)


@get("/fake/bill")
async def _bill(provider: NamedDependency[Provider]) -> dict[str, Any]:
    """For whoever runs it by hand."""
    return provider.bill.by_model()


@get("/fake/state")
async def _state(provider: NamedDependency[Provider]) -> dict[str, Any]:
    return provider.state()


_HANDLERS = [_models, _model, _bill, _state]


# --- one request after the other -----------------------------------------------------------------


def _in_turn(fake: FakeMistral) -> ASGIApp:
    """Writes down each request, and lets the next fault have its way with the answer."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        noted = Received(scope["path"], None, _headers(scope))
        ours: Any = {**scope, _PROVIDER: fake, _NOTED: noted}
        if scope["path"].startswith("/fake/"):
            await _app()(ours, receive, send)
            return
        body = await _body(receive)
        noted.body = _json(fake, body)
        fake.received.append(noted)
        fault = _fault(fake, noted)

        unread: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return unread.pop() if unread else await receive()

        async def note(event: Any) -> None:
            if event["type"] == "http.response.start":
                noted.status = event["status"]
                event = {**event, "headers": _dated(event["headers"], fake.now())}
            await send(event)

        with fake.working():
            await (fault(_app()) if fault else _app())(ours, again, note)

    return answer


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        event: Any = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return bytes(body)


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


def _json(fake: FakeMistral, body: bytes) -> Any:
    if len(body) > fake.keeps:
        return None
    try:
        return msgspec.json.decode(body or b"null")
    except msgspec.DecodeError:
        return None


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in scope["headers"]}


def _dated(headers: Any, now: float) -> list[tuple[bytes, bytes]]:
    """By the fake's own clock, unless a fault tells another time."""
    told = [(bytes(name), bytes(value)) for name, value in headers]
    if any(name.lower() == b"date" for name, _ in told):
        return told
    return [*told, (b"date", formatdate(now, usegmt=True).encode())]
