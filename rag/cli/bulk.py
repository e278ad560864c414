"""Many files -> a collection, through the API: what `rag ingest` and the bulk script do.

Files whose bytes are already there are not sent. The rest goes in batches, a few under way at a
time, so that memory stays flat and reading never waits for sending.
"""

import asyncio
import hashlib
import json
import mimetypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from msgspec import Struct

from rag.cli.door import Door, Refused
from rag.domain import FINAL_ITEM_STATES
from rag.errors import KeyRefused, RagError
from rag.sources.folder import Found

BATCH_FILES = 16
BATCH_BYTES = 16 * 1024 * 1024
BATCHES_UNDER_WAY = 4
POLL = 0.1  # seconds between looks at a batch's items
WATCH = 1.0  # seconds between looks at the job: is it paused?


class Outcome(Struct, frozen=True):
    """How one file ended: a line of the report."""

    key: str
    state: str
    """indexed | unchanged | refused | failed"""
    code: str | None = None
    reason: str | None = None
    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0


class Summary(Struct, frozen=True):
    """What a run did."""

    collection: str
    files: int
    indexed: int
    unchanged: int
    refused: int
    failed: int
    pages: int
    pages_ocred: int
    chunks: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every file is in the collection now."""
        return not (self.refused or self.failed)


Told = Callable[[Outcome], None]
Paused = Callable[[str | None], None]


class Halted(RagError):
    """Nothing more can be done before the operator acts; what is queued stays queued."""

    code = "halted"


async def ingest_files(
    files: Sequence[Found],
    collection: str,
    door: Door,
    *,
    told: Told,
    paused: Paused = lambda _: None,
) -> tuple[Summary, list[Outcome]]:
    """Brings the files into the collection, made if missing, as one job.

    Args:
        told: hears of each file as it ends.
        paused: hears why nothing goes on, when it begins, and None when it ends.

    Raises:
        Halted: the provider refuses the key.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    known = await known_versions(collection, door)
    run = _Run(collection, door, told)
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(run.watch(paused))
            await run.send_all(parcels(files, known, run.hear))
            watch.cancel()
    except* RagError as failed:
        raise _first(failed) from None
    return summary_of(collection, run.outcomes, perf_counter() - began), run.outcomes


def _first(failed: ExceptionGroup[RagError]) -> RagError:
    """Why the run could not go on; the others are consequences."""
    cause = failed.exceptions[0]
    return _first(cause) if isinstance(cause, ExceptionGroup) else cause


class _Run:
    """One job, fed by many uploads."""

    def __init__(self, collection: str, door: Door, told: Told) -> None:
        self._path = f"/v1/collections/{collection}/documents"
        self._door = door
        self._told = told
        self._job: str | None = None
        self._first = asyncio.Lock()
        """Held by the first upload, whose job all others join."""
        self.outcomes: list[Outcome] = []

    def hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._told(outcome)

    async def send_all(self, batches: Iterable[list[tuple[str, bytes]]]) -> None:
        lanes = asyncio.Semaphore(BATCHES_UNDER_WAY)
        async with asyncio.TaskGroup() as group:
            for batch in batches:
                await lanes.acquire()
                task = group.create_task(self._send(batch))
                task.add_done_callback(lambda _: lanes.release())

    async def watch(self, paused: Paused) -> None:
        """Tells of pauses, until cancelled."""
        shown = None
        while True:
            await asyncio.sleep(WATCH)
            if self._job is None:
                continue
            reason = pause_of(await self._door.call("GET", f"/v1/jobs/{self._job}"))
            if reason != shown:
                shown = reason
                paused(reason)

    async def _send(self, batch: list[tuple[str, bytes]]) -> None:
        """Sends a batch and waits until each of its files has ended."""
        try:
            accepted = await self._accepted(batch)
        except Refused as error:
            await self._send_singly(batch, error)
            return
        open_keys = {key for key, _ in batch}
        while open_keys:
            listed = await self._door.call(
                "GET", f"{accepted['items']}&limit={len(accepted['documents'])}"
            )
            for item in listed["data"]:
                if item["key"] in open_keys and item["state"] in FINAL_ITEM_STATES:
                    open_keys.discard(item["key"])
                    self.hear(outcome_of(item))
            if open_keys:
                await asyncio.sleep(POLL)

    async def _send_singly(self, batch: list[tuple[str, bytes]], error: Refused) -> None:
        """A batch that was refused as a whole: one bad file must not take its neighbors along."""
        if len(batch) == 1:
            self.hear(Outcome(batch[0][0], "refused", "request_refused", str(error)))
            return
        for one in batch:
            await self._send([one])

    async def _accepted(self, batch: list[tuple[str, bytes]]) -> Any:
        parts = form_of(batch)
        if self._job is not None:
            return await self._door.call("POST", self._path, files=parts, params={"job": self._job})
        async with self._first:
            joined: dict[str, str] = {"job": self._job} if self._job else {}
            accepted = await self._door.call("POST", self._path, files=parts, params=joined)
            self._job = accepted["job_id"]
            return accepted


async def known_versions(collection: str, door: Door) -> dict[str, str]:
    """The bytes, as SHA-256, that the collection has under each key; it is made if missing."""
    await ensure_collection(collection, door)
    return {
        entry["key"]: entry["version"]
        async for entry in door.listing(f"/v1/collections/{collection}/documents")
    }


def pause_of(job: dict[str, Any]) -> str | None:
    """Why nothing of it is begun at the moment.

    Raises:
        Halted: nothing will be before the operator acts.
    """
    reason = job.get("paused") or {}
    if reason.get("code") == KeyRefused.code:
        raise Halted(
            f"{reason['message']}. What was handed in stays queued, and goes on when the"
            " service or this command is started again with a key that works"
        )
    return reason.get("message")


async def ensure_collection(name: str, door: Door) -> None:
    try:
        await door.call("GET", f"/v1/collections/{name}")
    except Refused as error:
        if error.status != 404:
            raise
        await door.call("POST", "/v1/collections", json={"name": name})


def write_report(path: Path, outcomes: Iterable[Outcome]) -> None:
    """One JSON line per file, sorted by key."""
    lines = [
        json.dumps({name: getattr(outcome, name) for name in outcome.__struct_fields__})
        for outcome in sorted(outcomes, key=lambda outcome: outcome.key)
    ]
    path.write_text("".join(line + "\n" for line in lines))


def parcels(
    files: Sequence[Found], known: dict[str, str], hear: Told
) -> Iterator[list[tuple[str, bytes]]]:
    """Keys and bytes of the files that must be sent; tells of those that need not or cannot."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for found in files:
        try:
            content = found.path.read_bytes()
        except OSError as error:
            hear(Outcome(found.key, "failed", "unreadable_file", str(error.strerror or error)))
            continue
        if known.get(found.key) == "sha256:" + hashlib.sha256(content).hexdigest():
            hear(Outcome(found.key, "unchanged"))
            continue
        if batch and (len(batch) == BATCH_FILES or size + len(content) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((found.key, content))
        size += len(content)
    if batch:
        yield batch


def form_of(parcel: Iterable[tuple[str, bytes]]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The files as a form has them."""
    return [("file", (key, content, _media_type(key))) for key, content in parcel]


def _media_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def outcome_of(item: dict[str, Any]) -> Outcome:
    error = item.get("error") or {}
    return Outcome(
        item["key"],
        "failed" if item["state"] == "cancelled" else item["state"],
        error.get("code"),
        error.get("message"),
        item["pages"],
        item["pages_ocred"],
        item["chunks"],
        round(item["seconds"], 3),
    )


def summary_of(collection: str, outcomes: Sequence[Outcome], seconds: float) -> Summary:
    def count(state: str) -> int:
        return sum(outcome.state == state for outcome in outcomes)

    return Summary(
        collection,
        files=len(outcomes),
        indexed=count("indexed"),
        unchanged=count("unchanged"),
        refused=count("refused"),
        failed=count("failed"),
        pages=sum(outcome.pages for outcome in outcomes),
        pages_ocred=sum(outcome.pages_ocred for outcome in outcomes),
        chunks=sum(outcome.chunks for outcome in outcomes),
        seconds=round(seconds, 2),
    )
