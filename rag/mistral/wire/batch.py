"""`/v1/batch/jobs`, and the lines of the files that go in and come out."""

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

Endpoint: TypeAlias = Literal["/v1/ocr", "/v1/embeddings", "/v1/chat/completions"]

Status: TypeAlias = Literal[
    "QUEUED",
    "RUNNING",
    "SUCCESS",
    "FAILED",
    "TIMEOUT_EXCEEDED",
    "CANCELLATION_REQUESTED",
    "CANCELLED",
]
"""As published; a job's own status is an open string all the same."""


class BatchRequest(Struct, frozen=True):
    """One line in. The contract lets `custom_id` be null; ours never is, for without it a result
    belongs to nothing."""

    custom_id: str
    body: Struct | msgspec.Raw
    """As it would be sent by itself."""


class CreateJob(Struct, frozen=True, omit_defaults=True):
    endpoint: Endpoint
    model: str
    input_files: tuple[str, ...] | None = None
    """Either these or `requests`."""
    requests: tuple[BatchRequest, ...] | None = None
    """At most 10,000."""
    metadata: dict[str, str] = {}
    timeout_hours: int = 24


class JobError(Struct, frozen=True):
    message: str = ""
    count: int = 1


class BatchJob(Struct, frozen=True):
    id: str
    status: str
    model: str | None = None
    endpoint: str = ""
    created_at: int = 0
    """Seconds since 1970."""
    total_requests: int = 0
    completed_requests: int = 0
    succeeded_requests: int = 0
    failed_requests: int = 0
    input_files: tuple[str, ...] | None = None
    output_file: str | None = None
    error_file: str | None = None
    errors: tuple[JobError, ...] = ()
    outputs: tuple[msgspec.Raw, ...] | None = None
    """Lines out, where they were asked for with the job."""
    metadata: dict[str, Any] | None = None


class JobList(Struct, frozen=True):
    data: tuple[BatchJob, ...] = ()


class LineReply(Struct, frozen=True):
    status_code: int = 0
    body: msgspec.Raw = msgspec.Raw(b"null")


class Line(Struct, frozen=True):
    """One line out. Its shape is known from samples only, and that of an error not even so."""

    custom_id: str | None = None
    response: LineReply | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")
