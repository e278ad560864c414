"""Many files -> a collection, through the API: what `rag ingest` and the bulk script do.

Files whose bytes are already there are not sent. The rest goes in parcels, a few under way at a
time, so that memory stays flat and reading never waits for sending.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Any, TypeAlias

from rag.cli.door import Door
from rag.cli.handing import WATCH, Handing, known_documents, pause_of
from rag.cli.outcomes import Outcome, Paused, Spending, Summary, Told, UnderWay
from rag.cli.parcels import Known, parcels
from rag.errors import RagError
from rag.sources.found import Address, Found, Sought
from rag.sources.hashes import FORGETFUL, Hashes

UNDER_WAY = 4  # parcels
POLL = 0.1  # seconds between the first looks at a parcel's items
SLOWER, SLOWEST = 1.5, 1.0  # times, and seconds: where scans take long, looks are work for nothing
HandIn: TypeAlias = Callable[[], Coroutine[None, None, list[dict[str, Any]]]]


async def ingest_files(
    files: Sequence[Sought],
    collection: str,
    door: Door,
    *,
    told: Told,
    paused: Paused = lambda _: None,
    spent: Spending = lambda _: None,
    under_way: UnderWay = lambda _: None,
    hashes: Hashes = FORGETFUL,
) -> tuple[Summary, list[Outcome]]:
    """Brings the files into the collection, made if missing, as one job.

    Args:
        told: hears of each file as it ends.

    Raises:
        Halted: the provider refuses the key.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    known = await known_documents(collection, door)
    handing = Handing(collection, door, told, "direct")
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch(handing, door, paused, spent, under_way))
            await _send_all(files, known, hashes, handing, door)
            await handing.hear_of_members()
            watch.cancel()
    except* RagError as failed:
        raise first_of(failed) from None
    return await handing.summary(perf_counter() - began), handing.outcomes


async def _send_all(
    files: Sequence[Sought],
    known: Mapping[str, Known],
    hashes: Hashes,
    handing: Handing,
    door: Door,
) -> None:
    lanes = asyncio.Semaphore(UNDER_WAY)
    async with asyncio.TaskGroup() as group:

        async def begin(hand_in: HandIn) -> None:
            await lanes.acquire()
            task = group.create_task(follow(hand_in(), handing, door))
            task.add_done_callback(lambda _: lanes.release())

        found = [each for each in files if isinstance(each, Found)]
        wanting = parcels(
            found, known, handing.hear, hashes=hashes, refused_before=handing.refused_before
        )
        async for parcel in wanting:
            await begin(partial(handing.hand_in, parcel))
        for each in files:
            if isinstance(each, Address):
                await begin(partial(handing.hand_in_address, each))


async def follow(
    handed_in: Coroutine[None, None, list[dict[str, Any]]], handing: Handing, door: Door
) -> None:
    """Waits until each of the files has ended."""
    for accepted in await handed_in:
        keys = {named["key"] for named in accepted["documents"]}
        pause = POLL
        while keys & handing.waiting:
            listed = await door.call("GET", f"{accepted['items']}&limit={len(keys)}")
            handing.hear_of(listed["data"])
            if keys & handing.waiting:
                await asyncio.sleep(pause)
                pause = min(pause * SLOWER, SLOWEST)


async def _watch(
    handing: Handing, door: Door, paused: Paused, spent: Spending, under_way: UnderWay
) -> None:
    """Tells of pauses, of money and of what is under way, until cancelled."""
    shown = None
    while True:
        await asyncio.sleep(WATCH)
        if handing.job is None:
            continue
        reason = pause_of(await door.call("GET", f"/v1/jobs/{handing.job}"))
        if reason != shown:
            shown = reason
            paused(reason)
        usage = await door.call("GET", "/v1/usage", params={"job": handing.job})
        under_way([(doing, key) for key, doing in handing.under_way.items()])
        spent(Decimal(usage["total"]["usd"]))


def first_of(failed: ExceptionGroup[RagError]) -> RagError:
    """Why the run could not go on; the others are consequences."""
    cause = failed.exceptions[0]
    return first_of(cause) if isinstance(cause, ExceptionGroup) else cause
