"""What every exchange has: an id, a line in the log, and headers that keep browsers careful.

The line holds neither query strings nor bodies: questions and texts stay out of logs.
"""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeAlias, cast

from litestar.enums import ScopeType
from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from rag.api.problems import new_request_id

log = logging.getLogger(__name__)

HttpReceive: TypeAlias = Callable[[], Awaitable[HTTPReceiveMessage]]
HttpApp: TypeAlias = Callable[[HTTPScope, HttpReceive, Send], Awaitable[None]]
"""What stands between the server and the framework. There are no websockets here."""

CAREFUL = {
    # nothing is loaded from elsewhere, and no script runs that is not a file of ours
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self';"
    b" img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    b" frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
"""Added where a response does not set them itself."""


class Tracing:
    """Names each request, and logs how it ended."""

    def __init__(self, app: HttpApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP, "the server takes nothing else"
        began = perf_counter()
        request_id = new_request_id()
        scope["state"]["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                careful = [pair for pair in CAREFUL.items() if pair[0] not in present]
                named = (b"x-request-id", request_id.encode())
                message = {**message, "headers": [*headers, *careful, named]}
            await send(message)

        try:
            await self._app(scope, cast(HttpReceive, receive), send_named)
        finally:
            log.info(
                "request",
                extra={
                    "action": "request",
                    "request_id": request_id,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "milliseconds": round(1000 * (perf_counter() - began), 1),
                },
            )
