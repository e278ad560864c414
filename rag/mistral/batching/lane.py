"""Requests that can wait, sent together at half the price."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import msgspec

from rag.errors import ProviderError, ProviderRefused
from rag.mistral.batch import (
    MOST_INLINE,
    MOST_REQUESTS,
    Outcome,
    cancel_job,
    create_job,
    is_over,
    job,
    job_with_outputs,
    lines_of,
    newest_jobs,
    outcomes,
    wait_before_look,
)
from rag.mistral.batching.errands import ending_of
from rag.mistral.client import MistralClient
from rag.mistral.failures import is_free
from rag.mistral.files import LARGEST_FILE, delete_file, file_content, upload
from rag.mistral.wire.batch import BatchJob, BatchRequest, CreateJob
from rag.spending import Awaited, Ending, Errand

log = logging.getLogger(__name__)

_LARGEST_INLINE = 4 * 1024 * 1024
"""Bytes of a job's requests; more go in a file, which is sent again where sending fails."""

_MARK = "rag_batch"
"""Key of a job's metadata."""

_LIFE_OF_INPUT = 7 * 24
"""Hours, should nobody come to delete the file; a job may take one day."""


class MistralBatchLane:
    """A `BatchLane`."""

    most = MOST_REQUESTS

    def __init__(self, client: MistralClient) -> None:
        self._client = client

    async def send(
        self, mark: str, errands: Mapping[str, Errand], sending: Callable[[], Awaitable[None]]
    ) -> str | None:
        first = next(iter(errands.values()))
        requests = tuple(
            BatchRequest(name, msgspec.Raw(errand.body)) for name, errand in errands.items()
        )
        size = sum(len(errand.body) for errand in errands.values())
        fits = len(requests) <= MOST_INLINE and size <= _LARGEST_INLINE
        order = CreateJob(
            first.endpoint,  # type: ignore[arg-type]  # one of Endpoint
            first.intent.model,
            input_files=None if fits else (await self._uploaded(mark, requests),),
            requests=requests if fits else None,
            metadata={_MARK: mark},
        )
        await sending()
        try:
            return (await create_job(self._client, order)).id
        except ProviderError as error:
            if _is_surely_not_created(error):
                raise
            log.warning("a batch may have been created", extra={"action": "batch_unheard_of"})
            return None

    async def find(self, mark: str, model: str) -> str | None:
        marked = (
            each.id
            for each in await newest_jobs(self._client, model)
            if (each.metadata or {}).get(_MARK) == mark
        )
        return next(marked, None)

    async def look(self, id: str) -> str | None:
        found = await job(self._client, id)
        return found.status.lower() if is_over(found) else None

    def wait(self, looks: int) -> float:
        return wait_before_look(looks)

    async def cancel(self, id: str) -> None:
        await cancel_job(self._client, id)

    async def endings(
        self, id: str, awaited: Sequence[Awaited]
    ) -> AsyncIterator[tuple[str, Ending]]:
        ended = await job(self._client, id)
        found = await self._outcomes(ended)
        is_rest_undone = ended.status != "SUCCESS" and len(found) >= ended.completed_requests
        for each in awaited:
            outcome = found.get(each.name)
            if outcome is None:
                yield each.name, Ending(is_free=is_rest_undone)
            else:
                yield each.name, await asyncio.to_thread(ending_of, each, outcome)

    async def tidy(self, id: str) -> None:
        ended = await job(self._client, id)
        for file in (*(ended.input_files or ()), ended.output_file, ended.error_file):
            if file is not None:
                await delete_file(self._client, file)

    async def _uploaded(self, mark: str, requests: Sequence[BatchRequest]) -> str:
        lines = await asyncio.to_thread(lines_of, requests)
        card = await upload(
            self._client,
            lines,
            f"{mark}.jsonl",
            purpose="batch",
            media_type="application/jsonl",
            hours=_LIFE_OF_INPUT,
        )
        return card.id

    async def _outcomes(self, ended: BatchJob) -> dict[str, Outcome]:
        files = [file for file in (ended.output_file, ended.error_file) if file is not None]
        if files:
            contents = [
                await file_content(self._client, file, largest=LARGEST_FILE) for file in files
            ]
            return await asyncio.to_thread(_read, contents)
        whole = await job_with_outputs(self._client, ended.id, largest=LARGEST_FILE)
        return outcomes(map(bytes, whole.outputs or ()))


def _read(contents: Sequence[bytes]) -> dict[str, Outcome]:
    return outcomes(line for content in contents for line in content.split(b"\n"))


def _is_surely_not_created(error: ProviderError) -> bool:
    """Refused, or answered with an error: what the client met stands behind what it raised."""
    met = error.__context__
    return isinstance(error, ProviderRefused) or (met is not None and is_free(met))
