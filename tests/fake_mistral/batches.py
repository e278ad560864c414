"""`/v1/batch/jobs`: many requests at half the price, in the provider's own time."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from .contract import CreateBatch
from .jobs import FINAL, created, enter, job_of, move_on, work
from .provider import Provider
from .refusals import refused, validation_error


@post("/v1/batch/jobs", status_code=200)
async def create(
    request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, Any]:
    sent = await request.body()
    try:
        asked = msgspec.json.decode(sent, type=CreateBatch)
    except msgspec.ValidationError as error:
        raise validation_error(error, sent.decode()) from error
    job = created(provider, asked)
    provider.jobs[job.id] = job
    return job.card()


@get("/v1/batch/jobs")
async def listed(
    request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, Any]:
    asked = request.query_params
    statuses = asked.getall("status", [])
    jobs = [
        job
        for job in provider.jobs.values()
        if asked.get("model") in (None, job.model) and (not statuses or job.status in statuses)
    ]
    if asked.get("order_by", "-created") == "-created":
        jobs.reverse()
    page, size = int(asked.get("page", 0)), int(asked.get("page_size", 100))
    cards = [job.card() for job in jobs[page * size : (page + 1) * size]]
    return {"object": "list", "data": cards, "total": len(jobs)}


@get("/v1/batch/jobs/{job_id:str}")
async def one(
    job_id: FromPath[str], request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, Any]:
    job = job_of(provider, job_id)
    move_on(provider, job)
    return job.card(inline=request.query_params.get("inline", "").lower() == "true")


@post("/v1/batch/jobs/{job_id:str}/cancel", status_code=200)
async def cancel(job_id: FromPath[str], provider: NamedDependency[Provider]) -> dict[str, Any]:
    job = job_of(provider, job_id)
    if job.status in FINAL:
        raise refused(400, "invalid_request_error", f"The job is {job.status} already")
    was_running = job.status == "RUNNING"
    enter(job, "CANCELLATION_REQUESTED")
    if was_running:
        work(provider, job, part=0.5)
    return job.card()


@delete("/v1/batch/jobs/{job_id:str}", status_code=200)
async def remove(job_id: FromPath[str], provider: NamedDependency[Provider]) -> dict[str, Any]:
    del provider.jobs[job_of(provider, job_id).id]
    return {"id": job_id, "object": "batch", "deleted": True}


HANDLERS = [create, listed, one, cancel, remove]
