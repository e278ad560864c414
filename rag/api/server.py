"""Serves the application on a port, until a signal ends it."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
import uvloop
from litestar import Litestar

from rag.api.connection import Connection
from rag.api.limits import Limits
from rag.errors import InvalidSettings

GRACE = 10  # seconds that requests under way may take to end after a signal; answers take fewer

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a process that serves, to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def serve(
    app: Litestar,
    host: str,
    port: int,
    *,
    on_ready: Callable[[str], None],
    on_exit: Callable[[], None] = lambda: None,
    limits: Limits | None = None,
) -> None:
    """Returns when SIGINT or SIGTERM came and requests under way have ended.

    Args:
        port: 0 takes any free one.
        on_ready: called once requests are accepted, with the address.
        on_exit: called when a signal came, before requests under way are waited for.

    Raises:
        InvalidSettings: the port is taken, or the host is not an address of this machine.
    """
    with listen(host, port) as listening:
        await Server(app, limits or Limits(), on_ready, on_exit).serve(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """
    Raises:
        InvalidSettings: the port is taken, or the host is not an address of this machine.
    """
    listening = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        if listening is not None:
            listening.close()
        if error.errno == errno.EADDRINUSE:
            raise InvalidSettings(
                f"port {port} on {host} is in use: stop the program that has it, or set RAG_PORT"
                " to another (0 takes any free one)"
            ) from error
        raise InvalidSettings(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    return listening


class Server(uvicorn.Server):
    """Says when it is ready, and swallows the signals that end it: what was opened before it can
    then be closed in peace."""

    def __init__(
        self,
        app: Litestar,
        limits: Limits,
        on_ready: Callable[[str], None],
        on_exit: Callable[[], None] = lambda: None,
    ) -> None:
        protocol = cast(  # uvicorn calls it with keywords, as it would the class
            type[Connection], partial(Connection, limits=limits)
        )
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # whoever sends them could name any client and any host
                timeout_keep_alive=limits.idle_seconds,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self._on_ready = on_ready
        self._on_exit = on_exit

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets, "we always bring the socket"
        self._on_ready(_address(sockets[0]))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_exit()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # signals reach the main thread only
            return
        loop = asyncio.get_running_loop()
        for each in SIGNALS:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in SIGNALS:
                loop.remove_signal_handler(each)


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
