"""Following a job over the API, though the service is started again meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from rag.cli.door import Door, Refused
from rag.errors import NotFound, RagError

LOOK = 1.0  # seconds between looks at the job
PATIENCE = 120.0  # seconds that a service may take to come back

Told: TypeAlias = Callable[[dict[str, Any], str | None], None]
"""Hears of the job as it is, and why nothing was heard of it; called with every look."""


async def newest(door: Door) -> dict[str, Any]:
    """
    Raises:
        NotFound: there are no jobs.
    """
    listed: list[dict[str, Any]] = (await door.call("GET", "/v1/jobs?limit=1"))["data"]
    if not listed:
        raise NotFound("nothing was handed in yet; `rag ingest PATH` does")
    return listed[0]


async def watch(job: str, door: Door, told: Told) -> dict[str, Any]:
    """The job when it has ended.

    Raises:
        Refused: there is no such job any more.
        RagError: the service does not answer for too long.
    """
    known: dict[str, Any] = await door.call("GET", f"/v1/jobs/{job}")
    now = asyncio.get_running_loop().time
    heard, trouble = now(), None
    while True:
        told(known, trouble)
        if known["finished_at"] is not None:
            return known
        await asyncio.sleep(LOOK)
        try:
            known = await door.call("GET", f"/v1/jobs/{job}")
            heard, trouble = now(), None
        except Refused:
            raise
        except RagError as error:
            if now() - heard > PATIENCE:
                raise
            trouble = str(error)
