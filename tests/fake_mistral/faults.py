"""Ways to fail: each turns the working app into one that answers wrongly, once."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct


class Fault(Protocol):
    def __call__(self, app: ASGIApp, /) -> ASGIApp: ...


class Reply(Struct):
    """Another answer than the app's; the app is not asked, and bills nothing."""

    status: int
    body: Any = None
    """Bytes are sent as they are, anything else as JSON."""
    headers: Mapping[str, str] = {}

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            body = self.body if isinstance(self.body, bytes) else msgspec.json.encode(self.body)
            await _send(send, self.status, self.headers, body)

        return answer


class Changed(Struct):
    """The app's own answer, which it bills, changed on its way."""

    change: Callable[[bytes], bytes]

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, body = await _answer_of(app, scope, receive)
            await _send(send, status, {}, self.change(body))

        return answer


class Cut(Struct):
    """The connection closes after so many bytes of the body. Over real HTTP only."""

    after: int

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, body = await _answer_of(app, scope, receive)
            await _start(send, status, {"content-length": str(len(body))})
            part: Any = {"type": "http.response.body", "body": body[: self.after]}
            await send({**part, "more_body": True})

        return answer


class Drip(Struct):
    """A byte every `pause` seconds, until the caller has left. Over real HTTP only."""

    pause: float
    was_left: bool = False

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, body = await _answer_of(app, scope, receive)
            await _start(send, status, {"content-length": str(len(body))})
            leaving = asyncio.ensure_future(receive())
            for byte in body:
                part: Any = {"type": "http.response.body", "body": bytes([byte])}
                await send({**part, "more_body": True})
                done, _ = await asyncio.wait([leaving], timeout=self.pause)
                if done:
                    self.was_left = True
                    return

        return answer


def edited(change: Callable[[Any], Any]) -> Changed:
    """A change of the answer as a JSON value."""
    return Changed(lambda body: msgspec.json.encode(change(msgspec.json.decode(body))))


async def _answer_of(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, bytes]:
    status = 0
    body = bytearray()

    async def keep(event: Any) -> None:
        nonlocal status
        status = event.get("status", status)
        body.extend(event.get("body", b""))

    await app(scope, receive, keep)
    return status, bytes(body)


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    fields = {"content-type": "application/json", **headers}
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    start: Any = {"type": "http.response.start", "status": status, "headers": raw}
    await send(start)


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    await _start(send, status, {"content-length": str(len(body)), **headers})
    end: Any = {"type": "http.response.body", "body": body, "more_body": False}
    await send(end)
