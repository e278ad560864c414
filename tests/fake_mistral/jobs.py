"""The life of a batch job, which it lives by being looked at."""

import random
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from .contract import BatchRequest, CreateBatch
from .paid import asked_of, billed
from .provider import Provider
from .refusals import Refusal, invalid, refused

FINAL = ("SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED")


class Job(Struct):
    id: str
    endpoint: str
    model: str | None
    agent_id: str | None
    metadata: dict[str, str] | None
    input_files: list[str]
    requests: list[BatchRequest]
    created_at: int
    status: str = "QUEUED"
    started_at: int | None = None
    completed_at: int | None = None
    succeeded: int = 0
    failed: int = 0
    polls: int = 0
    """Since the status last changed."""
    outputs: list[dict[str, Any]] = []
    output_file: str | None = None
    error_file: str | None = None
    errors: dict[str, int] = {}

    def card(self, *, inline: bool = False) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "batch",
            "input_files": self.input_files,
            "metadata": self.metadata,
            "endpoint": self.endpoint,
            "model": self.model,
            "agent_id": self.agent_id,
            "output_file": self.output_file,
            "error_file": self.error_file,
            "errors": [{"message": text, "count": n} for text, n in self.errors.items()],
            "outputs": self.outputs if inline and self.status in FINAL else None,
            "status": self.status,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "total_requests": len(self.requests),
            "completed_requests": self.succeeded + self.failed,
            "succeeded_requests": self.succeeded,
            "failed_requests": self.failed,
        }


def created(provider: Provider, asked: CreateBatch) -> Job:
    if (asked.input_files is None) == (asked.requests is None):
        message = "Either input_files or requests"
        raise invalid("value_error", ("body", "input_files"), message, asked.input_files)
    if asked.model is None and asked.agent_id is None:
        raise invalid("missing", ("body", "model"), "Field required", None)
    requests = asked.requests or []
    for file_id in asked.input_files or []:
        requests += _lines(provider.files.get(file_id).content)
    if not requests:
        raise refused(400, "invalid_request_error", "There is nothing to do")
    return Job(
        str(uuid.uuid4()),
        asked.endpoint,
        asked.model,
        asked.agent_id,
        asked.metadata,
        asked.input_files or [],
        requests,
        int(provider.now()),
    )


def _lines(content: bytes) -> Iterator[BatchRequest]:
    for number, line in enumerate(content.splitlines()):
        try:
            yield msgspec.json.decode(line, type=BatchRequest)
        except msgspec.DecodeError as error:
            message = f"Line {number} is not a request"
            raise refused(400, "invalid_request_error", message) from error


def job_of(provider: Provider, job_id: str) -> Job:
    job: Job | None = provider.jobs.get(job_id)
    if job is None:
        raise refused(404, "invalid_batch_job", f"No job matches the given query: {job_id}")
    return job


def enter(job: Job, status: str) -> None:
    job.status = status
    job.polls = 0


def move_on(provider: Provider, job: Job) -> None:
    """A job lives by being looked at: so many times in each state, and then the next."""
    job.polls += 1
    if job.polls <= provider.batch_polls:
        return
    now = int(provider.now())
    if job.status == "QUEUED":
        enter(job, "RUNNING")
        job.started_at = now
    elif job.status == "RUNNING":
        work(provider, job, part=1.0 if provider.batch_ends == "SUCCESS" else 0.5)
        enter(job, provider.batch_ends)
    elif job.status == "CANCELLATION_REQUESTED":
        enter(job, "CANCELLED")
    if job.status in FINAL and job.completed_at is None:
        job.completed_at = now
        _write_files(provider, job)


def work(provider: Provider, job: Job, *, part: float) -> None:
    """So much of the job; what is done is billed, whatever becomes of the rest."""
    for number, request in enumerate(job.requests[: round(len(job.requests) * part)]):
        body = {"model": job.model, **request.body} if job.model else request.body
        refusal = provider.batch_refusals.get(request.custom_id)
        status, reply = refusal or _answered(provider, job.endpoint, body)
        is_success = status == 200
        job.succeeded += is_success
        job.failed += not is_success
        if not is_success:
            job.errors["Request failed"] = job.errors.get("Request failed", 0) + 1
        job.outputs.append(
            {
                "id": f"batch-{job.id[:8]}-{number}-{uuid.uuid4()}",
                "custom_id": request.custom_id,
                "response": {"status_code": status, "body": reply},
                "error": None if is_success else {"message": "Request failed"},
            }
        )
    random.Random(job.id).shuffle(job.outputs)  # the order is not documented


def _write_files(provider: Provider, job: Job) -> None:
    succeeded = [line for line in job.outputs if line["error"] is None]
    failed = [line for line in job.outputs if line["error"] is not None]
    job.output_file = _written(provider, succeeded, "result")
    job.error_file = _written(provider, failed, "error")


def _written(provider: Provider, lines: list[dict[str, Any]], what: str) -> str | None:
    if not lines:
        return None
    content = msgspec.json.Encoder().encode_lines(lines)
    return provider.files.put(
        content,
        f"batch_{what}s.jsonl",
        "batch",
        "application/jsonl",
        sample_type=f"batch_{what}",
        source="mistral",
    ).id


def _answered(provider: Provider, endpoint: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Status and body, as the request would be answered by itself."""
    try:
        asked = asked_of(endpoint, msgspec.json.encode(body))
        return 200, billed(provider, endpoint, asked)
    except Refusal as refusal:
        return refusal.status, refusal.body
