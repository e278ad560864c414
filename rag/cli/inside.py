"""A library opened in this very process, for when no server has it open.

Kept apart from the door because it imports every engine, which a command that only speaks to a
server has no use for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import click
import httpx

from rag.api.app import create_app
from rag.cli.allocation import give_back_memory
from rag.errors import LibraryInUse
from rag.settings import Settings
from rag.wiring import Services

PATIENCE = 10.0
"""Seconds to wait for a library that another short command has open."""


@asynccontextmanager
async def opened(settings: Settings, answer_time: float) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, which runs here, worker and all.

    Raises:
        LibraryInUse: another command has the library open, and keeps it open.
    """
    give_back_memory()
    services = await _open(settings)
    await services.start()
    try:
        application = cast(Any, create_app(services))  # two spellings of one ASGI type
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application),
            base_url="http://127.0.0.1",
            timeout=answer_time,
        ) as http:
            for notice in services.notices:
                click.secho(f"rag: {notice}", fg="yellow", err=True)
            yield http
            await services.settle()
    except asyncio.CancelledError:
        click.secho("rag: stopping; what is under way is finished or given back", err=True)
        raise
    finally:
        await services.stop()


async def _open(settings: Settings) -> Services:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await asyncio.to_thread(Services, settings)
        except LibraryInUse:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.2)
