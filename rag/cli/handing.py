"""Handing files in, as one job, and hearing of it: what both lanes have in common."""

import asyncio
from typing import Any

import msgspec

from rag.cli.door import Door, Refused
from rag.cli.outcomes import Outcome, Told, outcome_of
from rag.cli.parcels import Parcel, form_of
from rag.domain import FINAL_ITEM_STATES, Lane, Saved
from rag.errors import KeyRefused, RagError

WATCH = 1.0  # seconds between looks at the job
MOST_KEYS = 1_000  # that the service takes in one request


class Halted(RagError):
    """Nothing more can be done before the operator acts; what is queued stays queued."""

    code = "halted"


class Handing:
    """One job, fed by many uploads."""

    def __init__(
        self, collection: str, door: Door, told: Told, lane: Lane, job: str | None = None
    ) -> None:
        """
        Args:
            told: hears of each file as it ends.
            job: that goes on; a new one where None.
        """
        self.job = job
        self.outcomes: list[Outcome] = []
        self.waiting: set[str] = set()
        """Keys that were handed in and have not ended."""
        self._path = f"/v1/collections/{collection}/documents"
        self._door = door
        self._told = told
        self._lane = lane
        self._first = asyncio.Lock()
        """Held by the first upload, whose job all others join."""
        self._handed: set[str] = set()

    def hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._told(outcome)

    def hear_of(self, items: list[dict[str, Any]]) -> None:
        """Of those that have ended, and are waited for."""
        for item in items:
            if item["key"] in self.waiting and item["state"] in FINAL_ITEM_STATES:
                self.waiting.discard(item["key"])
                self.hear(outcome_of(item))

    async def hand_in(self, parcel: Parcel) -> list[dict[str, Any]]:
        """What the service says of it; of each file by itself, where it refuses the parcel as a
        whole: one bad file must not take its neighbors along."""
        try:
            accepted = await self._accepted(parcel)
        except Refused as error:
            if len(parcel) == 1:
                self.hear(Outcome(parcel[0][0], "refused", "request_refused", str(error)))
                return []
            return [each for one in parcel for each in await self.hand_in([one])]
        keys = {key for key, _ in parcel}
        self.waiting |= keys
        self._handed |= keys
        return [accepted]

    async def saved(self) -> Saved:
        """By the whole job, and by files that were there and not handed in."""
        job = await self._door.call("GET", f"/v1/jobs/{self.job}") if self.job else {}
        there = [
            outcome.key
            for outcome in self.outcomes
            if outcome.state == "unchanged" and outcome.key not in self._handed
        ]
        total = msgspec.convert(job.get("saved", {}), Saved)
        for start in range(0, len(there), MOST_KEYS):
            some = {"keys": there[start : start + MOST_KEYS]}
            said = await self._door.call("POST", f"{self._path}/worth", json=some)
            total += msgspec.convert(said, Saved)
        return total

    async def _accepted(self, parcel: Parcel) -> Any:
        if self.job is not None:
            return await self._post(parcel)
        async with self._first:
            accepted = await self._post(parcel)
            self.job = accepted["job_id"]
            return accepted

    async def _post(self, parcel: Parcel) -> Any:
        asked = {"lane": self._lane} | ({"job": self.job} if self.job else {})
        return await self._door.call("POST", self._path, files=form_of(parcel), params=asked)


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
