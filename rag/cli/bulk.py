"""Many files -> a collection, through the API: what `rag ingest` and the bulk script do.

Files whose bytes are already there are not sent. The rest goes in parcels, a few under way at a
time, so that memory stays flat and reading never waits for sending.
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter

from rag.cli.door import Door
from rag.cli.handing import WATCH, Handing, known_versions, pause_of
from rag.cli.outcomes import Outcome, Paused, Summary, Told, summary_of
from rag.cli.parcels import Parcel, parcels
from rag.errors import RagError
from rag.sources.folder import Found

UNDER_WAY = 4  # parcels
POLL = 0.1  # seconds between looks at a parcel's items


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

    Raises:
        Halted: the provider refuses the key.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    known = await known_versions(collection, door)
    handing = Handing(collection, door, told, "direct")
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(handing, door, paused))
            await _send_all(parcels(files, known, handing.hear), handing, door)
            watch.cancel()
    except* RagError as failed:
        raise _first(failed) from None
    saved = await handing.saved()
    return summary_of(collection, handing.outcomes, saved, perf_counter() - began), handing.outcomes


async def _send_all(parcels: Iterable[Parcel], handing: Handing, door: Door) -> None:
    lanes = asyncio.Semaphore(UNDER_WAY)
    async with asyncio.TaskGroup() as group:
        for parcel in parcels:
            await lanes.acquire()
            task = group.create_task(_send(parcel, handing, door))
            task.add_done_callback(lambda _: lanes.release())


async def _send(parcel: Parcel, handing: Handing, door: Door) -> None:
    """Sends a parcel and waits until each of its files has ended."""
    for accepted in await handing.hand_in(parcel):
        keys = {named["key"] for named in accepted["documents"]}
        while keys & handing.waiting:
            listed = await door.call("GET", f"{accepted['items']}&limit={len(keys)}")
            handing.hear_of(listed["data"])
            if keys & handing.waiting:
                await asyncio.sleep(POLL)


async def _watch(handing: Handing, door: Door, paused: Paused) -> None:
    """Tells of pauses, until cancelled."""
    shown = None
    while True:
        await asyncio.sleep(WATCH)
        if handing.job is None:
            continue
        reason = pause_of(await door.call("GET", f"/v1/jobs/{handing.job}"))
        if reason != shown:
            shown = reason
            paused(reason)


def _first(failed: ExceptionGroup[RagError]) -> RagError:
    """Why the run could not go on; the others are consequences."""
    cause = failed.exceptions[0]
    return _first(cause) if isinstance(cause, ExceptionGroup) else cause
