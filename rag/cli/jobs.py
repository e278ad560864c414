"""`rag jobs`: what was handed in, what became of it, and what to do about it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import click
import msgspec

from rag.cli import showjobs
from rag.cli.door import Door, run
from rag.cli.following import newest, watch

JOB = click.argument("job", default="", metavar="[JOB]")
KEYS = click.argument("keys", nargs=-1, metavar="[KEY...]")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")

EXIT_INCOMPLETE = 1
"""The job ended, and some of its items are not in the collection."""


@click.group("jobs", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """What was handed in and what became of it.

    Without a command it lists the newest jobs. Where no JOB is named, the newest is meant.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_jobs)


@command.command("list")
@click.option("-n", "number", default=20, show_default=True, type=click.IntRange(1, 100))
@AS_JSON
def list_jobs(number: int = 20, as_json: bool = False) -> None:
    """The newest jobs, the newest first."""

    async def work(door: Door) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await door.call("GET", f"/v1/jobs?limit={number}"))["data"]
        return listed

    found = run(work)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        showjobs.listing(found)


@command.command("show")
@JOB
@AS_JSON
def show_job(job: str, as_json: bool) -> None:
    """How far a job is, what failed and why, and what to do."""

    async def work(door: Door) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        found = await _found(job, door)
        return found, await _failures(found, door)

    found, failures = run(work)
    if as_json:
        click.echo(msgspec.json.encode({**found, "failures": failures}).decode())
    else:
        showjobs.account(found, failures)


@command.command("watch")
@JOB
def watch_job(job: str) -> None:
    """Follow a job to its end.

    Exit code 0: all of it is in the collection; 1: some is not, and why is said. Interrupting
    this command does not interrupt the job.
    """

    async def work(door: Door) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        followed = (await _found(job, door))["id"]
        with showjobs.progress() as told:
            ended = await watch(followed, door, told)
        return ended, await _failures(ended, door)

    ended, failures = run(work)
    showjobs.account(ended, failures)
    if ended["state"] != "succeeded":
        raise SystemExit(EXIT_INCOMPLETE)


@command.command("cancel")
@JOB
@KEYS
def cancel_job(job: str, keys: tuple[str, ...]) -> None:
    """Cancel what is not done, or the items of these keys; what is published stays.

    An index that the job builds goes with it, unless it is complete or has served.
    """
    showjobs.line(run(partial(_acted, job, keys, "cancel")))


@command.command("retry")
@JOB
@KEYS
def retry_job(job: str, keys: tuple[str, ...]) -> None:
    """Try again what failed, or the items of these keys, also if refused or cancelled.

    The work is the service's: `rag jobs watch` follows it. Where no service runs, the command does
    it itself, and ends when it is done.
    """

    async def work(door: Door) -> dict[str, Any]:
        retried = await _acted(job, keys, "retry", door)
        showjobs.retried(retried)
        if door.address is None and retried["queued"]:
            with showjobs.progress() as told:
                return await watch(retried["job"]["id"], door, told)
        return dict(retried["job"])

    showjobs.line(run(work))


@command.command("delete")
@click.argument("job")
def delete_job(job: str) -> None:
    """Forget a finished job, with the bytes of what never became a document.

    What it published stays. What failed in it can then be tried again no more.
    """
    work: Callable[[Door], Awaitable[Any]] = partial(_deleted, job)
    run(work)


async def _deleted(job: str, door: Door) -> None:
    await door.call("DELETE", f"/v1/jobs/{job}")


async def _acted(job: str, keys: tuple[str, ...], verb: str, door: Door) -> dict[str, Any]:
    id = (await _found(job, door))["id"]
    body = {"keys": list(keys)} if keys else {}
    answered: dict[str, Any] = await door.call("POST", f"/v1/jobs/{id}/{verb}", json=body)
    return answered


async def _found(job: str, door: Door) -> dict[str, Any]:
    found: dict[str, Any] = await door.call("GET", f"/v1/jobs/{job}") if job else await newest(door)
    return found


async def _failures(job: dict[str, Any], door: Door) -> list[dict[str, Any]]:
    if not job["items"]["failed"]:
        return []
    path = f"/v1/jobs/{job['id']}/items"
    return [
        item for state in ("failed", "refused") async for item in door.listing(path, state=state)
    ]
