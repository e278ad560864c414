"""`rag worker`: works on what is queued, in a process of its own."""

import asyncio
import logging
import os
import signal

import click

from rag.cli import show
from rag.cli.allocation import give_back_memory
from rag.errors import InvalidSettings
from rag.settings import Settings, load_settings
from rag.wiring import Services, has_several_processes

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command("worker")
def command() -> None:
    """Work on what is queued in a library on PostgreSQL, until interrupted.

    Any number of workers may run, on any machine that reaches the database; each needs a folder
    of its own (RAG_DATA_DIR). What it has in hand when it is interrupted, another takes up; what
    it has when it dies, another takes up within a minute.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    give_back_memory()
    asyncio.run(_work(settings_of_worker(load_settings(os.environ))))


def settings_of_worker(settings: Settings) -> Settings:
    """
    Raises:
        InvalidSettings: nothing is left to do for another process.
    """
    if not has_several_processes(settings):
        raise InvalidSettings(
            "a library on SQLite has one process, and `rag serve` and `rag ingest` work in theirs;"
            " for more, keep the library on PostgreSQL and name it in RAG_DATABASE_URL"
        )
    if settings.serve_only:
        raise InvalidSettings("RAG_SERVE_ONLY is for `rag serve`; unset it for a worker")
    return settings


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    services = await asyncio.to_thread(Services, settings)
    for each in SIGNALS:
        loop.add_signal_handler(each, stopped.set)
    for notice in services.notices:
        show.aside.print(notice, style="bold yellow")
    try:
        await services.start()
        services.follow_code()
        show.aside.print(f"Working, with {services.library.data_dir}  (Ctrl+C stops)")
        waiting = {asyncio.create_task(stopped.wait()), asyncio.create_task(services.works())}
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in done:
            await task
    finally:
        await services.stop()
