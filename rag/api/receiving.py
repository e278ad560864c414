"""A deadline for receiving a body.

The framework limits how large a body may be, nobody how slow: a client that drips bytes would
hold its connection, and a slot of the uploads, for ever.
"""

import asyncio
from time import monotonic

from litestar.types import HTTPReceiveMessage, HTTPScope, Send

from rag.api.limits import Limits
from rag.api.problems import Refused
from rag.api.tracing import HttpApp, HttpReceive


class Receiving:
    """Gives every body `body_seconds`, and the time its bytes take at `body_rate`."""

    def __init__(self, app: HttpApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: HTTPScope, receive: HttpReceive, send: Send) -> None:
        began = monotonic()
        received = 0
        whole = False

        async def receive_in_time() -> HTTPReceiveMessage:
            nonlocal received, whole
            if whole:  # what follows a body is the news that the client left: it may take its time
                return await receive()
            seconds = self._limits.body_seconds + received / self._limits.body_rate
            try:
                async with asyncio.timeout(began + seconds - monotonic()):
                    message = await receive()
            except TimeoutError as error:
                raise _too_slow(seconds) from error
            if message["type"] == "http.disconnect":
                raise Refused(400, "incomplete_body", "the connection ended within the body")
            received += len(message["body"])
            whole = not message["more_body"]
            return message

        await self._app(scope, receive_in_time, send)


def _too_slow(seconds: float) -> Refused:
    return Refused(
        408, "request_timeout", f"the body did not arrive within {seconds:.0f} s; send it again"
    )
