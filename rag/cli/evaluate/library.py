"""The library that is measured: a throwaway one, filled by the real ingest."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rag.cli import show
from rag.cli.bulk import ingest_files
from rag.cli.door import Door, Refused
from rag.cli.evaluate.consent import agreed_to_ingest
from rag.cli.handing import WATCH, pause_of
from rag.cli.progress import progress_of
from rag.errors import RagError
from rag.settings import Settings, load_settings
from rag.sources.found import Found

MODELS = "models"  # within a library's folder

CONFLICT = 409
"""Status of a service whose index is just what was asked for."""


class Bench(Struct, frozen=True):
    """Where questions are asked."""

    settings: Settings
    collection: str
    documents: int = 0
    spent: Decimal = Decimal(0)
    """USD that the library had cost before."""
    seconds: float = 0.0
    """That bringing the documents in took."""
    is_settled: bool = True
    """Whether nothing follows what was done: the self-check follows the last document, and is
    awaited where a library is closed."""
    troubles: tuple[str, ...] = ()
    """Documents that could not be read, and why."""

    @property
    def path(self) -> str:
        return f"/v1/collections/{self.collection}"


def throwaway(home: Path) -> Settings:
    """As the environment says, but in a folder of its own, and nobody is told of its jobs. Models
    that were built for the user's own library are not built again."""
    settings = load_settings(os.environ)
    built = Path(settings.data_dir).expanduser() / MODELS
    if built.is_dir() and not (home / MODELS).exists():
        shutil.copytree(built, home / MODELS)
    return replace(
        settings,
        data_dir=str(home),
        database_url=None,
        serve_only=False,
        webhook_url=None,
    )


async def fill(
    bench: Bench, files: Sequence[Found], door: Door, *, yes: bool, quiet: bool
) -> Bench:
    """Brings the files in, as far as they are not there.

    Args:
        yes: whether it may cost something, without a question.

    Raises:
        RagError: no document could be read.
    """
    spent = await spent_at(door)
    await agreed_to_ingest(files, bench.collection, bench.settings, door, yes=yes, quiet=quiet)
    with progress_of(len(files), quiet=quiet) as progress:
        done, outcomes = await ingest_files(
            files,
            bench.collection,
            door,
            told=progress.told,
            paused=progress.paused,
            spent=progress.spent,
        )
    bad = [each for each in outcomes if each.state in ("refused", "failed")]
    if len(bad) == len(files):
        raise RagError(f"no document of the set could be read: {bad[0].reason}")
    if not quiet:
        show.summary(done, outcomes)
    return replace(
        bench,
        spent=spent,
        seconds=done.seconds,
        is_settled=not done.indexed,
        troubles=tuple(f"{each.key}: {each.reason}" for each in bad),
    )


async def cut(bench: Bench, chunk_tokens: int | None, door: Door, *, quiet: bool) -> Bench:
    """Makes the index serve that is cut like this, and embedded as new collections are; builds it
    where there is none.

    Raises:
        RagError: it could not be completed.
    """
    body = {} if chunk_tokens is None else {"chunk_tokens": chunk_tokens}
    try:
        begun = await door.call("POST", f"{bench.path}/reindex", json=body)
    except Refused as error:
        if error.status != CONFLICT:
            raise
        return bench
    if not quiet:
        what = f"in chunks of {chunk_tokens} tokens" if chunk_tokens else "as is usual now"
        show.aside.print(f"cutting and embedding {what} ...")
    job = await _ended(begun["job_id"], door)
    if job["state"] != "succeeded":
        why = (job["last_error"] or {}).get("message", job["state"])
        raise RagError(f"the documents could not be cut and embedded anew: {why}")
    await door.call("PUT", f"{bench.path}/indexes/current", json={"index": begun["index"]})
    return replace(bench, is_settled=False)


async def spent_at(door: Door) -> Decimal:
    """USD, by all that a library ever asked of providers."""
    usage = await door.call("GET", "/v1/usage")
    return Decimal(usage["total"]["usd"])


async def _ended(id: str, door: Door) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = await door.call("GET", f"/v1/jobs/{id}")
        if job["finished_at"] is not None:
            return job
        if reason := pause_of(job):
            show.aside.print(f"paused: {reason}", style="yellow")
        await asyncio.sleep(WATCH)
