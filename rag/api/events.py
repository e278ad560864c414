"""A job as a stream of events: each item as it changes, and the job with its progress.

What happened is not kept as a log. Each item knows by which of its job's changes it came to be as
it is, so whoever comes back with the id of the last event he saw gets all that changed since, in
order, each item once and as it is now: after a cut connection, a restart, or at another server.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated, TypeAlias

import msgspec
from litestar.params import HeaderParameter
from litestar.response import ServerSentEventMessage

from rag.domain import IngestItem, IngestJob, JobId
from rag.errors import NotFound, RagError
from rag.storage.progress import BEFORE_ALL, News, Place
from rag.wiring import Services

LastEvent: TypeAlias = Annotated[
    str | None, HeaderParameter(name="Last-Event-ID", description="The last that arrived.")
]

LOOK = 0.5  # seconds between looks at whether anything changed
SILENCE = 15.0  # seconds after which the job is told although nothing changed
MOST = 500  # items asked for at a time

_ID = re.compile(r"(-?\d{1,18})\.(\d{1,18})")


def place_of(id: str | None) -> Place:
    """Where one is who saw the event of this id; at the beginning where it is none of ours."""
    found = _ID.fullmatch(id or "")
    return (int(found[1]), int(found[2])) if found else BEFORE_ALL


async def events_of(
    job: JobId, place: Place, services: Services
) -> AsyncIterator[ServerSentEventMessage]:
    """Ends when the job has, or the service is about to."""
    seen, told = -1, monotonic() - SILENCE
    while not services.is_stopping:
        try:
            changes = await asyncio.to_thread(services.library.jobs.changes, job)
            if changes == seen and monotonic() - told < SILENCE:
                await asyncio.sleep(LOOK)
                continue
            news = await asyncio.to_thread(news_of, job, place, services)
        except RagError as error:  # it was deleted, or the database is gone
            yield ServerSentEventMessage(event="error", data=_problem(error))
            return
        for place, item in news.items:
            yield _event("item", item, place)
        yield _event("job", news.job, place)
        if news.job.finished_at is not None and not news.has_more:
            return
        seen, told = (-1 if news.has_more else changes), monotonic()


def news_of(job: JobId, place: Place, services: Services) -> News:
    """
    Raises:
        NotFound: no such job.
    """
    news = services.library.jobs.news(job, place, limit=MOST)
    return msgspec.structs.replace(news, job=services.told(news.job))


def _event(name: str, told: IngestItem | IngestJob, place: Place) -> ServerSentEventMessage:
    data = msgspec.json.encode(told).decode()
    return ServerSentEventMessage(event=name, data=data, id=f"{place[0]}.{place[1]}")


def _problem(error: RagError) -> str:
    words = str(error) if isinstance(error, NotFound) else "ask again with the last event's id"
    return msgspec.json.encode({"code": error.code, "detail": words}).decode()
