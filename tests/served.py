"""A real service on a real port, in a thread of the tests' own process."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.api.app import create_app
from rag.api.limits import Limits
from rag.api.server import serve
from rag.wiring import Services

PATIENCE = 60.0  # seconds to start or to stop


@contextmanager
def served(services: Services, limits: Limits | None = None) -> Iterator[str]:
    """Its address; it is stopped at the end."""
    told: list[str] = []
    ready = threading.Event()
    stopping: list[Callable[[], object]] = []

    def on_ready(address: str) -> None:
        told.append(address)
        ready.set()

    async def run() -> None:
        await services.start()
        app = create_app(services, limits=limits) if limits else create_app(services)
        task = asyncio.create_task(serve(app, "127.0.0.1", 0, on_ready=on_ready))
        loop = asyncio.get_running_loop()
        stopping.append(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            await task
        except asyncio.CancelledError:
            pass
        finally:
            await services.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield told[0]
    finally:
        stopping[0]()
        thread.join(PATIENCE)
    assert not thread.is_alive()
