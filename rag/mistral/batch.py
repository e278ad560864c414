"""Batch jobs: many requests in one, at half the price, done in the provider's own time. What is
sent this way, and when, is not decided here."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote

import msgspec
from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, Patience
from rag.mistral.wire.batch import BatchJob, BatchRequest, CreateJob, JobList, Line
from rag.mistral.wire.decoding import PROVIDER, Reply, decode

MOST_INLINE = 10_000
"""Requests that a job may carry itself; more go in a file."""

MOST_REQUESTS = 100_000
"""Of one job. The provider's pages disagree: a million for the workspace, or so many a job."""

UNDER_WAY = frozenset({"QUEUED", "RUNNING", "CANCELLATION_REQUESTED"})
"""Every other status is an end, also one that is not documented."""

_FIRST_WAIT = 10.0
_LONGEST_WAIT = 60.0
"""Seconds between two looks at a job. The provider's own toolkit looks every ten; what takes
hours need not be looked at so often."""

_GROWTH = 1.25
"""Of the wait, with each look."""

_DEADLINE = 60.0
"""Seconds; a job with its requests inline may have some megabytes."""

_LARGEST_JOB = 1024 * 1024
"""Bytes, without its results."""

_WHAT = "batch jobs"
"""What the operator reads where other calls name a model."""

_ONCE = Patience("interactive", attempts=1, longest_wait=5.0)
"""A creation that was sent twice is paid for twice, and nothing tells the provider that the two
are one. So it is not repeated here: look among `newest_jobs` for it first."""


class Outcome(Struct, frozen=True):
    """What became of one request of a job."""

    status: int
    """As the request would have been answered by itself; 0 where the line does not say."""
    body: bytes
    """The reply, or the error's body: for who would have read it."""

    @property
    def is_success(self) -> bool:
        return self.status == 200


# --- calls --------------------------------------------------------------------------------------


async def create_job(client: MistralClient, order: CreateJob) -> BatchJob:
    """Sent once, whatever happens: mark it by `metadata`, and a job whose creation was not heard
    of can be found among `newest_jobs`.

    Raises:
        ProviderError: it was refused, or may or may not have been created.
    """
    call = Call("/v1/batch/jobs", _WHAT, order, _DEADLINE, _LARGEST_JOB)
    return await client.ask(call, lambda body: decode(body, BatchJob), patience=_ONCE)


async def newest_jobs(client: MistralClient, model: str) -> tuple[BatchJob, ...]:
    """At most a hundred, the newest first."""
    path = f"/v1/batch/jobs?model={quote(model, safe='')}&page_size=100&order_by=-created"
    call = Call(path, _WHAT, None, _DEADLINE, 100 * _LARGEST_JOB)
    return (await _ask(client, call, JobList)).data


async def job(client: MistralClient, job_id: str) -> BatchJob:
    return await _ask(client, _call(job_id), BatchJob)


async def job_with_outputs(client: MistralClient, job_id: str, *, largest: int) -> BatchJob:
    """With its results, once it has ended.

    Args:
        largest: bytes that are accepted.
    """
    path = f"/v1/batch/jobs/{quote(job_id, safe='')}?inline=true"
    return await _ask(client, Call(path, _WHAT, None, _DEADLINE, largest), BatchJob)


async def cancel_job(client: MistralClient, job_id: str) -> BatchJob:
    """Asked for; it ends when the provider says so. What was done until then is billed."""
    path = f"/v1/batch/jobs/{quote(job_id, safe='')}/cancel"
    call = Call(path, _WHAT, None, _DEADLINE, _LARGEST_JOB, "POST")
    return await _ask(client, call, BatchJob)


def _call(job_id: str) -> Call:
    return Call(f"/v1/batch/jobs/{quote(job_id, safe='')}", _WHAT, None, _DEADLINE, _LARGEST_JOB)


async def _ask(client: MistralClient, call: Call, shape: type[Reply]) -> Reply:
    return await client.ask(call, lambda body: decode(body, shape), patience=BULK)


# --- what goes in, and what comes out -------------------------------------------------------------


def lines_of(requests: Sequence[BatchRequest]) -> bytes:
    """A file for `CreateJob.input_files`, to be uploaded as `.jsonl` for the purpose `batch`."""
    return msgspec.json.Encoder().encode_lines(requests)


def outcomes(lines: Iterable[bytes]) -> dict[str, Outcome]:
    """By `custom_id`; their order says nothing. A request without a line has no outcome.

    Args:
        lines: of the output and the error file, or the `outputs` of a job.

    Raises:
        MalformedReply: a line cannot be read, belongs to no request, or is there twice.
    """
    found: dict[str, Outcome] = {}
    for text in lines:
        if not text.strip():
            continue
        line = decode(text, Line)
        if line.custom_id is None or line.custom_id in found:
            raise MalformedReply(PROVIDER, "sent a result that belongs to no request, or twice")
        found[line.custom_id] = _outcome(line)
    return found


def _outcome(line: Line) -> Outcome:
    if line.response is not None:
        return Outcome(line.response.status_code, bytes(line.response.body))
    return Outcome(0, bytes(line.error))


def wait_before_look(looks: int) -> float:
    """Seconds to wait after so many looks at a job: ten at first, a minute in the end.

    >>> [round(wait_before_look(n)) for n in (0, 1, 4, 9, 1_000)]
    [10, 12, 24, 60, 60]
    """
    return min(_LONGEST_WAIT, _FIRST_WAIT * _GROWTH ** min(looks, 50))


def is_over(job: BatchJob) -> bool:
    return job.status not in UNDER_WAY
