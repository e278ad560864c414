"""Many files -> a collection, in the batch lane: what `rag ingest --batch` does.

The files are handed in as one job, and the command waits for them, for hours perhaps. Interrupted
and run again, it finds that job, and hands in only what does not wait there.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from time import perf_counter
from typing import Any

from rag.cli import show
from rag.cli.door import Door
from rag.cli.handing import WATCH, Handing, known_documents, pause_of
from rag.cli.outcomes import Outcome, Paused, Spending, Summary, Told, UnderWay
from rag.cli.parcels import parcels
from rag.errors import InvalidSettings
from rag.sources.found import Address, Found, Sought
from rag.sources.hashes import FORGETFUL, Hashes


async def ingest_in_batches(
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
    """As `ingest_files`; nobody waits to see what is under way for hours.

    Raises:
        InvalidSettings: no provider here takes work in batches.
        Halted: the provider refuses the key.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    if notice := await check_batch_lane(door):
        show.aside.print(notice, style="yellow")
    known = await known_documents(collection, door)
    handing = Handing(collection, door, told, "batch", await _unfinished(collection, door))
    found = [each for each in files if isinstance(each, Found)]
    wanting = parcels(
        found, known, handing.hear, hashes=hashes, refused_before=handing.refused_before
    )
    async for parcel in wanting:
        await handing.hand_in(parcel)
    for each in files:
        if isinstance(each, Address):
            await handing.hand_in_address(each)
    await _wait(handing, door, paused, spent)
    return await handing.summary(perf_counter() - began), handing.outcomes


async def check_batch_lane(door: Door) -> str | None:
    """What the operator should know of it.

    Raises:
        InvalidSettings: no provider here takes work in batches.
    """
    models = await door.call("GET", "/v1/models")
    if not models["batch_lane"]:
        raise InvalidSettings(
            "--batch needs a provider that reads or embeds in batches: set MISTRAL_API_KEY, or"
            " leave --batch out"
        )
    if left_out := models["left_out_of_batches"]:
        named = " and ".join("embeddings" if role == "embedding" else "OCR" for role in left_out)
        return f"Not all of it: {named} have another account, and go at once, at full price."
    return None


async def _unfinished(collection: str, door: Door) -> str | None:
    """The newest job of the collection that goes on in the batch lane."""
    async for job in door.listing("/v1/jobs"):
        is_ours = job["collection"] == collection and job["lane"] == "batch"
        if is_ours and job.get("finished_at") is None:
            return str(job["id"])
    return None


async def _wait(handing: Handing, door: Door, paused: Paused, spent: Spending) -> None:
    """Until each key has ended."""
    done, shown = None, None
    while handing.waiting:
        job = await door.call("GET", f"/v1/jobs/{handing.job}")
        reason = pause_of(job)
        if reason != shown:
            shown = reason
            paused(reason)
        now = (job["items"]["done"], job["items"]["failed"], job.get("finished_at"))
        if now != done:
            done = now
            handing.hear_of(await _last_items(handing, door))
            usage = await door.call("GET", "/v1/usage", params={"job": handing.job})
            spent(Decimal(usage["total"]["usd"]))
        if handing.waiting:
            await asyncio.sleep(WATCH)
    await handing.hear_of_members()


async def _last_items(handing: Handing, door: Door) -> list[dict[str, Any]]:
    """The last item of a key is the one that counts."""
    last: dict[str, dict[str, Any]] = {}
    async for item in door.listing(f"/v1/jobs/{handing.job}/items"):
        last[item["key"]] = item
    return list(last.values())
