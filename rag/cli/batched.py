"""Many files -> a collection, in the batch lane: what `rag ingest --batch` does.

The files are handed in as one job, and the command waits for them, for hours perhaps. Interrupted
and run again, it finds that job, and hands in only what does not wait there.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from rag.cli.bulk import (
    WATCH,
    Outcome,
    Paused,
    Summary,
    Told,
    form_of,
    known_versions,
    outcome_of,
    parcels,
    pause_of,
    summary_of,
)
from rag.cli.door import Door, Refused
from rag.domain import FINAL_ITEM_STATES
from rag.errors import InvalidSettings
from rag.sources.folder import Found


async def ingest_in_batches(
    files: Sequence[Found],
    collection: str,
    door: Door,
    *,
    told: Told,
    paused: Paused = lambda _: None,
) -> tuple[Summary, list[Outcome]]:
    """As `ingest_files`.

    Raises:
        InvalidSettings: no provider here takes work in batches.
        Halted: the provider refuses the key.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    if not (await door.call("GET", "/v1/models"))["batch_lane"]:
        raise InvalidSettings(
            "--batch needs a provider that reads or embeds in batches: set MISTRAL_API_KEY, or"
            " leave --batch out"
        )
    known = await known_versions(collection, door)
    run = _Run(collection, door, told, paused)
    run.job = await _unfinished(collection, door)
    for parcel in parcels(files, known, run.hear):
        await run.send(parcel)
    await run.wait()
    return summary_of(collection, run.outcomes, perf_counter() - began), run.outcomes


async def _unfinished(collection: str, door: Door) -> str | None:
    """The newest job of the collection that goes on in the batch lane."""
    async for job in door.listing("/v1/jobs"):
        is_ours = job["collection"] == collection and job["lane"] == "batch"
        if is_ours and job.get("finished_at") is None:
            return str(job["id"])
    return None


class _Run:
    """One job, and the keys that are waited for."""

    def __init__(self, collection: str, door: Door, told: Told, paused: Paused) -> None:
        self.job: str | None = None
        self.outcomes: list[Outcome] = []
        self._path = f"/v1/collections/{collection}/documents"
        self._door = door
        self._told = told
        self._paused = paused
        self._shown: str | None = None
        self._open: set[str] = set()

    def hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._told(outcome)

    async def send(self, parcel: list[tuple[str, bytes]]) -> None:
        """A parcel that is refused as a whole goes file by file: one bad file must not take its
        neighbors along."""
        asked = {"lane": "batch"} | ({"job": self.job} if self.job else {})
        try:
            accepted = await self._door.call(
                "POST", self._path, files=form_of(parcel), params=asked
            )
        except Refused as error:
            if len(parcel) == 1:
                self.hear(Outcome(parcel[0][0], "refused", "request_refused", str(error)))
                return
            for one in parcel:
                await self.send([one])
            return
        self.job = accepted["job_id"]
        self._open |= {key for key, _ in parcel}

    async def wait(self) -> None:
        """Until each key has ended."""
        done = None
        while self._open:
            job = await self._door.call("GET", f"/v1/jobs/{self.job}")
            self._tell_of_pause(pause_of(job))
            now = (job["items"]["done"], job["items"]["failed"], job.get("finished_at"))
            if now != done:
                done = now
                await self._hear_of_ended()
            if self._open:
                await asyncio.sleep(WATCH)

    async def _hear_of_ended(self) -> None:
        """The last item of a key is the one that counts."""
        last: dict[str, dict[str, Any]] = {}
        async for item in self._door.listing(f"/v1/jobs/{self.job}/items"):
            last[item["key"]] = item
        for key in self._open & last.keys():
            if last[key]["state"] in FINAL_ITEM_STATES:
                self._open.discard(key)
                self.hear(outcome_of(last[key]))

    def _tell_of_pause(self, reason: str | None) -> None:
        if reason != self._shown:
            self._shown = reason
            self._paused(reason)
