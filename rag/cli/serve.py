"""`rag serve`: the REST API and the worker in one process, with a first ingest if asked."""

import asyncio
import gc
import logging
import os
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import httpx

from rag.api.app import create_app
from rag.api.server import run, serve
from rag.cli import show
from rag.cli.allocation import give_back_memory
from rag.cli.bulk import ingest_files
from rag.cli.door import ANSWER_TIME, Door
from rag.cli.firstquestion import first_questions
from rag.cli.outcomes import Summary
from rag.cli.progress import progress_of
from rag.errors import InvalidRequest, RagError
from rag.settings import Settings, load_settings
from rag.sources.folder import find, look
from rag.sources.found import Found
from rag.sources.hashes import Hashes, cache_file
from rag.wiring import DEFAULT_COLLECTION, Services

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE_PREFIX = "samples/"
SAMPLE_QUESTION = "When may the stove be lit again?"


@click.command("serve")
@click.option("--host", help="Overrides RAG_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides RAG_PORT; 0 is any free.")
@click.option(
    "--ingest",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Read this first; `samples` is the documents in the box. Repeatable.",
)
@click.option("--ask", metavar="QUESTION", help="Then ask this; `auto` finds a question itself.")
@click.option("--no-worker", is_flag=True, help="Leave the work to `rag worker` processes.")
def command(
    host: str | None, port: int | None, paths: tuple[str, ...], ask: str | None, no_worker: bool
) -> None:
    """Serve the REST API, and work on what was queued, until interrupted."""
    given = {
        "RAG_HOST": host,
        "RAG_PORT": None if port is None else str(port),
        "RAG_SERVE_ONLY": "true" if no_worker else None,
    }
    environment = {**os.environ, **{name: value for name, value in given.items() if value}}
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    give_back_memory()
    settings = load_settings(environment)
    files = _found(paths)
    run(_serve(settings, files, ask))


def _found(paths: tuple[str, ...]) -> list[Found]:
    """
    Raises:
        InvalidRequest: there is nothing to read, said before anything is started.
    """
    files: list[Found] = []
    for path in paths:
        if path == "samples" and not Path(path).exists():
            files += [Found(SAMPLE_PREFIX + f.key, f.path) for f in find([str(SAMPLES)])]
        else:
            findings = look([path])
            files += findings.files
            show.troubles(findings.troubles, len(findings.addresses))
    if paths and not files:
        raise InvalidRequest(f"there is no file to read in {', '.join(paths)}")
    return files


async def _serve(settings: Settings, files: list[Found], ask: str | None) -> None:
    began = perf_counter()
    services = await asyncio.to_thread(Services, settings)
    for notice in services.notices:
        show.aside.print(notice, style="bold yellow")
    services.preparing = bool(files)
    welcome: asyncio.Task[None] | None = None

    def on_ready(address: str) -> None:
        nonlocal welcome
        # 150,000 objects that stay: looking through them again stalled everything for 0.1 s
        gc.freeze()
        services.library.announce(address)
        welcome = asyncio.create_task(_welcome(services, address, files, ask, began))

    try:
        await services.start()
        services.follow_code()
        await serve(
            create_app(services),
            host=settings.host,
            port=settings.port,
            on_ready=on_ready,
            on_exit=services.begin_stop,
        )
    finally:
        if welcome is not None:
            welcome.cancel()
        await services.stop()


async def _welcome(
    services: Services, address: str, files: list[Found], ask: str | None, began: float
) -> None:
    """The first ingest, one question, and where to go from here."""
    async with httpx.AsyncClient(base_url=address, timeout=ANSWER_TIME) as http:
        door = Door(http, address)
        try:
            if files:
                await _ingest(files, door)
            services.preparing = False
            if ask:
                await _ask(ask, files, door)
        except RagError as error:
            show.aside.print(f"rag: {error}", style="red")
        finally:
            services.preparing = False
    show.results.print(f"\nServing on [bold]{address}[/bold]", end="")
    show.results.print(f"  (API: {address}/schema; ready after {perf_counter() - began:.1f} s;"
                       " Ctrl+C stops)")  # fmt: skip


async def _ingest(files: list[Found], door: Door) -> Summary:
    if not any(found.key.startswith(SAMPLE_PREFIX) for found in files):
        await _remove_samples(door)
    with progress_of(len(files)) as progress, Hashes(cache_file()) as hashes:
        done, outcomes = await ingest_files(
            files,
            DEFAULT_COLLECTION,
            door,
            told=progress.told,
            paused=progress.paused,
            spent=progress.spent,
            under_way=progress.under_way,
            hashes=hashes,
        )
    show.summary(done, outcomes, on=show.results)
    return done


async def _remove_samples(door: Door) -> None:
    """One's own documents take the place of those in the box."""
    path = f"/v1/collections/{DEFAULT_COLLECTION}/documents"
    stored: list[dict[str, Any]] = [entry async for entry in door.listing(path)]
    shipped = {SAMPLE_PREFIX + found.key for found in find([str(SAMPLES)])}
    for entry in stored:
        if entry["key"] in shipped:
            await door.call("DELETE", f"/v1/documents/{entry['id']}")


async def _ask(ask: str, files: list[Found], door: Door) -> None:
    """Asks the question, or the first that has an answer among those found in the documents."""
    if ask != "auto":
        questions = [ask]
    elif files and files[0].key.startswith(SAMPLE_PREFIX):
        questions = [SAMPLE_QUESTION]
    else:
        questions = await first_questions(DEFAULT_COLLECTION, door)
    for number, question in enumerate(questions, start=1):
        answered = await door.call("POST", "/v1/answers", json={"question": question})
        if answered["outcome"] == "answered" or number == len(questions):
            show.results.print(f"\n[bold]Q: {question}[/bold]")
            show.answer(answered, address=door.address)
            return
