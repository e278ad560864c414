"""The fake provider over real HTTP, on a port of this machine."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .faults import RESET

_RESET_AT_ONCE = struct.pack("ii", 1, 0)
"""Linger for no time: the connection ends with a reset, not with a farewell."""


class Served(Protocol):
    """A fake provider, or a fake of another host."""

    @property
    def app(self) -> Any: ...


class Resettable(H11Protocol):
    """Hands the app a function that resets its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app: Any = self.app

        def reset() -> None:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
            transport.abort()

        async def resettable(scope: Any, receive: Any, send: Any) -> None:
            extensions = {**scope.get("extensions", {}), RESET: reset}
            await app({**scope, "extensions": extensions}, receive, send)

        self.app = resettable


def server(fake: Served, port: int = 8100) -> uvicorn.Server:
    config = uvicorn.Config(
        fake.app,
        port=port,
        http=Resettable,
        ws="none",
        interface="asgi3",
        lifespan="off",
        date_header=False,  # the fake's own clock tells it
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@contextmanager
def served(fake: Served) -> Iterator[str]:
    """Its base URL, while it serves in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        running = server(fake)
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()
        while not running.started:
            assert thread.is_alive(), "the fake provider did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        running.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive(), "the fake provider did not stop"
