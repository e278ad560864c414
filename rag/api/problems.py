"""Errors -> status codes, in one table; every failure leaves as `application/problem+json`.

The shape is RFC 9457's, with our stable `code`, pointers to what is wrong, and the request's id.
"""

import logging
import math
import re
import secrets
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import Scope, Send
from msgspec import Struct

from rag.errors import (
    BackupRefused,
    BudgetExhausted,
    Conflict,
    DocumentTooLarge,
    FetchFailed,
    IndexRebuilding,
    InvalidDocument,
    InvalidRequest,
    InvalidSettings,
    LibraryInUse,
    MalformedReply,
    ModelUnavailable,
    NotFound,
    OutOfSpace,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RagError,
    RateLimited,
    ReaderUnavailable,
    SchemaTooNew,
    UnsupportedMediaType,
)

log = logging.getLogger(__name__)

HttpRequest: TypeAlias = Request[object, object, State]

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[RagError], int] = {
    NotFound: 404,
    Conflict: 409,
    InvalidRequest: 422,
    InvalidDocument: 422,
    UnsupportedMediaType: 415,
    DocumentTooLarge: 413,
    FetchFailed: 502,
    BudgetExhausted: 402,
    IndexRebuilding: 503,
    ModelUnavailable: 503,
    ReaderUnavailable: 503,
    ProviderError: 502,
    ProviderRefused: 502,
    MalformedReply: 502,
    ProviderUnavailable: 503,
    RateLimited: 503,  # the provider's limit, not ours: 429 would blame the caller
    LibraryInUse: 503,
    OutOfSpace: 507,
    SchemaTooNew: 500,
    InvalidSettings: 500,
    BackupRefused: 422,
    RagError: 500,
}
"""The nearest class of an error's ancestry decides."""

CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "request_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    503: "unavailable",
}
"""For failures that the framework reports by status alone."""


class Fault(Struct, frozen=True):
    """One thing that is wrong with a request."""

    pointer: str
    """Into the body as a JSON pointer (`/filter/key`; `*` where the key is not known), or
    `?name` for a query parameter and `{name}` for a part of the path."""
    message: str


class Problem(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why a request failed."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    request_id: str
    errors: tuple[Fault, ...] = ()
    retry_after: float | None = None
    """Seconds after which the same request may succeed."""


class Refused(Exception):
    """The edge turned a request away before any story was asked."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.errors = tuple(errors)
        self.retry_after = retry_after


def respond(request: HttpRequest, error: Exception) -> Response[bytes]:
    """The handler of every exception that leaves a route, and of those that found none."""
    problem = problem_of(error, request.scope["path"], request_id_of(request.scope))
    if problem.status == 500:
        log.error("request failed", extra={"action": "request_failed"}, exc_info=error)
    headers = dict(getattr(error, "headers", None) or {}) | retry_header(problem)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


async def send_problem(error: Exception, scope: Scope, send: Send) -> None:
    """The same answer where there is no framework around."""
    problem = problem_of(error, scope["path"], request_id_of(scope))
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def problem_of(error: Exception, path: str, request_id: str) -> Problem:
    """What the caller may know of an error: nothing, where the mistake is ours."""
    status, code, detail = _describe(error)
    return Problem(
        type=f"urn:rag:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        instance=path,
        request_id=request_id,
        errors=_faults(error),
        retry_after=getattr(error, "retry_after", None),
    )


def new_request_id() -> str:
    return f"req_{secrets.token_hex(12)}"


def request_id_of(scope: Scope) -> str:
    """As given by `Tracing`, which stands around everything else."""
    return str(scope["state"]["request_id"])


def retry_header(problem: Problem) -> dict[str, str]:
    if problem.retry_after is None:
        return {}
    return {"Retry-After": str(math.ceil(problem.retry_after))}


def _describe(error: Exception) -> tuple[int, str, str]:
    """Status, code, detail."""
    if isinstance(error, Refused):
        return error.status, error.code, str(error)
    if isinstance(error, RagError):
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return status, error.code, str(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        # the framework says 400 for values of the wrong type; everywhere else we say 422
        status = 422 if _parameter_faults(error) else error.status_code
        return status, CODES.get(status, "bad_request"), _detail(error)
    return 500, "internal", "an error of ours; the server's log has the details"


def _detail(error: HTTPException) -> str:
    faults = _parameter_faults(error)
    if faults:
        return "; ".join(f"{fault.pointer}: {fault.message}" for fault in faults)
    return {
        404: "there is nothing at this address; /schema lists what there is",
        405: "this address does not take this method; /schema lists what there is",
        413: "the body is larger than this address takes",
    }.get(error.status_code, error.detail)


def _faults(error: Exception) -> tuple[Fault, ...]:
    if isinstance(error, Refused):
        return error.errors
    return _parameter_faults(error) if isinstance(error, HTTPException) else ()


def _parameter_faults(error: HTTPException) -> tuple[Fault, ...]:
    """Parameters that did not fit, from the framework's own list."""
    if not isinstance(error.extra, list):
        return ()
    return tuple(_parameter_fault(each) for each in error.extra if isinstance(each, dict))


def _parameter_fault(told: dict[str, object]) -> Fault:
    name = str(told.get("key", ""))
    if name == "data":  # the framework's word for a body, and said only where there was none
        return Fault("", "a JSON body is missing")
    pointer = f"{{{name}}}" if told.get("source") == "path" else f"?{name}"
    return Fault(pointer, str(told.get("message", "")))


def fault_of(error: msgspec.ValidationError) -> Fault:
    """`Expected `int`, got `str` - at `$.filters[0].k`` -> a fault at /filters/0/k."""
    message, _, place = str(error).partition(" - at ")
    path = place.strip("`").removeprefix("key` in `").removeprefix("$")
    steps = re.findall(r"\.([^.\[\]]+)|\[([^\]]+)\]", path)
    names = [name or index for name, index in steps]
    if unknown := re.match(r"Object contains unknown field `(.+)`", message):
        names.append(unknown[1])
    pointer = "".join(f"/{'*' if name == '...' else name}" for name in names)
    return Fault(pointer, message)
