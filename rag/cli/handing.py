"""Handing files in, as one job, and hearing of it: what both lanes have in common."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from rag.cli.door import PAGE, Door, Refused
from rag.cli.outcomes import Outcome, Summary, Told, outcome_of, summary_of
from rag.cli.parcels import Known, Parcel, Wanting, form_of, media_type_of
from rag.domain import FINAL_ITEM_STATES, WITHIN, Failure, Lane, Saved
from rag.errors import KeyRefused, RagError
from rag.sources.found import Address

WATCH = 1.0  # seconds between looks at the job
MOST_KEYS = 1_000  # that the service takes in one request
BUSY = (429, 503)
"""Statuses of a service that takes it later."""
PATIENCE = 300  # times that a busy service is asked again, a second or more apart
FULL = 507
"""Status of a service whose disk takes no more: no other file would fare better."""


DOING = {
    "queued": "reading",
    "read": "cutting up",
    "chunked": "embedding",
    "embedded": "publishing",
}
"""To an item that was begun, by the last step that it has behind it."""


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
        self.under_way: dict[str, str] = {}
        """What is done to which of them, as far as was heard."""
        self._collection = collection
        self._path = f"/v1/collections/{collection}/documents"
        self._door = door
        self._told = told
        self._lane = lane
        self._first = asyncio.Lock()
        """Held by the first upload, whose job all others join."""
        self._handed: set[str] = set()
        self._others: set[str] = set()
        """Keys of what the service queued itself, and has ended."""

    def hear(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._told(outcome)

    def hear_of(self, items: list[dict[str, Any]]) -> None:
        """Of those that have ended, and are waited for."""
        for item in items:
            key, state = item["key"], item["state"]
            if key in self.waiting and state in FINAL_ITEM_STATES:
                self.waiting.discard(key)
                self.under_way.pop(key, None)
                self.hear(outcome_of(item))
            elif key in self.waiting and item["attempts"] and state in DOING:
                self.under_way[key] = DOING[state]

    async def hear_of_members(self) -> None:
        """Of the files of archives that were handed in, which the service queues itself, until
        all of them have ended."""
        job = await self._door.call("GET", f"/v1/jobs/{self.job}") if self.job else None
        if job is None or job["items"]["total"] == len(self._handed):
            return
        await self._hear_until_ended(self._is_member)

    async def hear_of_site(self, key: str) -> dict[str, Any]:
        """Of the pages of a site that was handed in under a key, until all have ended; the item
        of the site itself."""
        await self._hear_until_ended(lambda _: True)
        [site] = (item for item in (await self._items(None))["data"] if item["key"] == key)
        return dict(site)

    async def _hear_until_ended(self, is_mine: Callable[[str], bool]) -> None:
        """Of items that the service queues itself."""
        after: str | None = None
        """Whatever is before has ended."""
        while True:
            place, is_open = after, False
            while True:
                page = await self._items(place)
                mine = [item for item in page["data"] if is_mine(item["key"])]
                self._hear_of_others(mine)
                is_open = is_open or any(item["state"] not in FINAL_ITEM_STATES for item in mine)
                if not page["has_more"]:
                    break
                place = page["next"]
                after = after if is_open else place
            if not is_open:
                return
            await asyncio.sleep(WATCH)

    def _hear_of_others(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            is_news = item["key"] not in self._others and item["state"] in FINAL_ITEM_STATES
            if is_news and item["state"] != "visited" and item["key"] not in self._handed:
                self._others.add(item["key"])
                self.hear(outcome_of(item))

    def _is_member(self, key: str) -> bool:
        archive = key.partition(WITHIN)[0]
        return archive != key and archive in self._handed

    async def _items(self, after: str | None) -> Any:
        asked = {"limit": str(PAGE)} | ({"after": after} if after else {})
        return await self._door.call("GET", f"/v1/jobs/{self.job}/items", params=asked)

    async def hand_in(self, parcel: Parcel) -> list[dict[str, Any]]:
        """What the service says of it; of each file by itself, where it refuses the parcel as a
        whole: one bad file must not take its neighbors along."""
        form = await asyncio.to_thread(form_of, parcel, self.hear)
        if not form:
            return []
        try:
            accepted = await self._accepted({"files": form})
        except Refused as error:
            if len(parcel) > 1:
                return [each for one in parcel for each in await self.hand_in((one,))]
            self._hear_refusal(parcel[0].found.key, error)
            return []
        return [self._await(accepted)]

    async def hand_in_address(self, address: Address) -> list[dict[str, Any]]:
        """As `hand_in`; the service fetches it."""
        body = {"url": address.url, "key": address.key, "attributes": dict(address.attributes)}
        if address.title:
            body["title"] = address.title
        try:
            return [self._await(await self._accepted({"json": body}))]
        except Refused as error:
            self._hear_refusal(address.key, error)
            return []

    async def hand_in_site(self, url: str, bounds: Mapping[str, float]) -> str:
        """Its key; the service visits it.

        Raises:
            Refused: that is no address.
        """
        accepted = self._await(await self._accepted({"json": {"url": url, "crawl": bounds}}))
        [named] = accepted["documents"]
        return str(named["key"])

    async def refused_before(self, wanting: Sequence[Wanting]) -> Sequence[Failure | None]:
        """Why the service refused the same bytes, and would again."""
        offered = [
            {"version": each.version, "media_type": media_type_of(each.found)} for each in wanting
        ]
        said = await self._door.call("POST", f"{self._path}/refused", json={"documents": offered})
        return msgspec.convert(said["data"], list[Failure | None])

    async def summary(self, seconds: float) -> Summary:
        saved = await self.saved()
        return summary_of(self._collection, self.outcomes, saved, seconds, len(self._handed))

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

    def _await(self, accepted: dict[str, Any]) -> dict[str, Any]:
        keys = {named["key"] for named in accepted["documents"]}
        self.waiting |= keys
        self._handed |= keys
        return accepted

    def _hear_refusal(self, key: str, error: Refused) -> None:
        """
        Raises:
            Refused: there is no room for any file.
        """
        if error.status == FULL:
            raise error
        state = "failed" if error.status >= 500 else "refused"
        self.hear(Outcome(key, state, "request_refused", str(error)))

    async def _accepted(self, body: Mapping[str, Any]) -> Any:
        if self.job is not None:
            return await self._post(body)
        async with self._first:
            accepted = await self._post(body)
            self.job = accepted["job_id"]
            return accepted

    async def _post(self, body: Mapping[str, Any]) -> Any:
        asked = {"lane": self._lane} | ({"job": self.job} if self.job else {})
        for _ in range(PATIENCE):
            try:
                return await self._door.call("POST", self._path, **body, params=asked)
            except Refused as error:
                if error.status not in BUSY:
                    raise
                await asyncio.sleep(error.retry_after or 1.0)
        raise Halted("the service has been too busy for minutes; try again later")


async def known_documents(collection: str, door: Door) -> dict[str, Known]:
    """What the collection has, by keys; it is made if missing."""
    await ensure_collection(collection, door)
    return {
        entry["key"]: msgspec.convert(entry, Known)
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
