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
from rag.sources.folder import Found

BATCH_FILES = 16
BATCH_BYTES = 16 * 1024 * 1024
BATCHES_UNDER_WAY = 4
POLL = 0.1  # seconds between looks at a batch's job


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


async def ingest_files(
    files: Sequence[Found], collection: str, door: Door, *, told: Told
) -> tuple[Summary, list[Outcome]]:
    """Brings the files into the collection, made if missing; `told` hears of each as it ends."""
    began = perf_counter()
    outcomes: list[Outcome] = []

    def hear(outcome: Outcome) -> None:
        outcomes.append(outcome)
        told(outcome)

    await ensure_collection(collection, door)
    known = {
        entry["key"]: entry["version"]
        async for entry in door.listing(f"/v1/collections/{collection}/documents")
    }
    lanes = asyncio.Semaphore(BATCHES_UNDER_WAY)
    async with asyncio.TaskGroup() as group:
        for batch in _batches(files, known, hear):
            await lanes.acquire()
            task = group.create_task(_ingest_batch(batch, collection, door, hear))
            task.add_done_callback(lambda _: lanes.release())
    return _summary(collection, outcomes, perf_counter() - began), outcomes


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


def _batches(
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


async def _ingest_batch(
    batch: list[tuple[str, bytes]], collection: str, door: Door, hear: Told
) -> None:
    """Sends a batch and waits until each of its files has ended."""
    parts = [("file", (key, content, _media_type(key))) for key, content in batch]
    try:
        accepted = await door.call("POST", f"/v1/collections/{collection}/documents", files=parts)
    except Refused as error:
        await _ingest_singly(batch, collection, door, hear, error)
        return
    job = accepted["job_id"]
    open_keys = {key for key, _ in batch}
    while open_keys:
        async for item in door.listing(f"/v1/jobs/{job}/items"):
            if item["key"] in open_keys and item["state"] in FINAL_ITEM_STATES:
                open_keys.discard(item["key"])
                hear(_outcome(item))
        if open_keys:
            await asyncio.sleep(POLL)


async def _ingest_singly(
    batch: list[tuple[str, bytes]], collection: str, door: Door, hear: Told, error: Refused
) -> None:
    """A batch that was refused as a whole: one bad file must not take its neighbors with it."""
    if len(batch) == 1:
        hear(Outcome(batch[0][0], "refused", "request_refused", str(error)))
        return
    for one in batch:
        await _ingest_batch([one], collection, door, hear)


def _media_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


def _outcome(item: dict[str, Any]) -> Outcome:
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


def _summary(collection: str, outcomes: Sequence[Outcome], seconds: float) -> Summary:
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
