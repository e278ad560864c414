"""Ways to fail: each turns the working app into one that answers wrongly, once."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import httpx
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Struct

RESET = "fake.reset"
"""Extension of the scope: a function that resets the connection. Only a real one can be reset; in
process the caller is handed the error that it would have met."""


_FLIGHT = 0.05
"""Seconds in which the last byte arrives; a reset throws away what is not read yet."""


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
            status, headers, body = await _answer_of(app, scope, receive)
            await _send(send, status, headers, self.change(body))

        return answer


class Cut(Struct):
    """The connection closes after so many bytes of the body, which was billed."""

    after: int

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, headers, body = await _answer_of(app, scope, receive)
            await _start(send, status, {"content-length": str(len(body)), **headers})
            part: Any = {"type": "http.response.body", "body": body[: self.after]}
            await send({**part, "more_body": True})
            if not _reset_of(scope):
                raise httpx.RemoteProtocolError("peer closed connection")

        return answer


class Reset(Struct):
    """The connection is reset: before the request is looked at, which bills nothing; during the
    answer, or after the last byte of it."""

    when: Literal["before", "during", "after"]

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if self.when != "before":
                status, headers, body = await _answer_of(app, scope, receive)
                await _start(send, status, {"content-length": str(len(body)), **headers})
                sent = body[: len(body) // 2] if self.when == "during" else body
                part: Any = {"type": "http.response.body", "body": sent}
                await send({**part, "more_body": self.when == "during"})
            if reset := _reset_of(scope):
                if self.when == "after":
                    await asyncio.sleep(_FLIGHT)
                reset()
                await receive()  # until the server has noticed
            elif self.when != "after":
                raise httpx.ReadError("connection reset by peer")

        return answer


class Drip(Struct):
    """A byte every `pause` seconds, until the caller has left."""

    pause: float
    was_left: bool = False

    def __call__(self, app: ASGIApp, /) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            status, headers, body = await _answer_of(app, scope, receive)
            await _start(send, status, {"content-length": str(len(body)), **headers})
            leaving = asyncio.ensure_future(receive())
            try:
                for byte in body:
                    part: Any = {"type": "http.response.body", "body": bytes([byte])}
                    await send({**part, "more_body": True})
                    done, _ = await asyncio.wait([leaving], timeout=self.pause)
                    if done:
                        self.was_left = True
                        return
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                leaving.cancel()

        return answer


def edited(change: Callable[[Any], Any]) -> Changed:
    """A change of the answer as a JSON value."""
    return Changed(lambda body: msgspec.json.encode(change(msgspec.json.decode(body))))


def _reset_of(scope: Scope) -> Callable[[], None] | None:
    extensions: Any = scope.get("extensions") or {}
    reset: Callable[[], None] | None = extensions.get(RESET)
    return reset


async def _answer_of(
    app: ASGIApp, scope: Scope, receive: Receive
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers but the length, and the whole body."""
    status = 0
    headers: dict[str, str] = {}
    body = bytearray()

    async def keep(event: Any) -> None:
        nonlocal status, headers
        if event["type"] == "http.response.start":
            status = event["status"]
            headers = {name.decode().lower(): text.decode() for name, text in event["headers"]}
            headers.pop("content-length", None)
        body.extend(event.get("body", b""))

    await app(scope, receive, keep)
    return status, headers, bytes(body)


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    fields = {"content-type": "application/json", **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    start: Any = {"type": "http.response.start", "status": status, "headers": raw}
    await send(start)


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    await _start(send, status, {"content-length": str(len(body)), **headers})
    end: Any = {"type": "http.response.body", "body": body, "more_body": False}
    await send(end)
