"""How jobs look in a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.cli.following import Told
from rag.cli.outcomes import outcome_of

STYLES = {"succeeded": "green", "failed": "yellow", "cancelled": "dim", "running": "bold"}

DONE = ("done", "failed")
"""Of a job's items, those that ended; cancelled ones are counted by their state."""


def listing(jobs: Sequence[dict[str, Any]], *, on: Console = show.results) -> None:
    if not jobs:
        on.print("Nothing was handed in yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, width in (("job", 28), ("state", 9), ("done", 6), ("not read", 8), ("handed in", 11)):
        table.add_column(name, no_wrap=True, min_width=width)  # ids are to be copied whole
    table.add_column("collection", no_wrap=True)
    for job in jobs:
        items = job["items"]
        table.add_row(
            job["id"],
            Text(_state_and_time(job), style=STYLES.get(job["state"], "")),
            f"{items['done']:,} of {items['total']:,}",
            f"{items['failed']:,}" if items["failed"] else "",
            job["created_at"][5:16].replace("T", " "),
            job["collection"],
        )
    on.print(table)
    for reason in {job["paused"]["message"] for job in jobs if job["paused"]}:
        on.print(Text(f"paused: {reason}", style="yellow"))


def account(
    job: dict[str, Any], failures: Sequence[dict[str, Any]], *, on: Console = show.results
) -> None:
    """A job in a few lines, what is not in the collection, and what to do about it."""
    line(job, on=on)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, count in job["progress"].items():
        if count:
            table.add_row(name.replace("_", " "), f"{count:,}")
    if Decimal(job["spent_usd"]):
        table.add_row("spent", f"${Decimal(job['spent_usd']):.4f}")
    if Decimal(job["saved"]["usd"]):
        table.add_row("not paid again", f"${Decimal(job['saved']['usd']):.4f}")
    if left := duration(job["seconds_left"]):
        table.add_row("left, about", left)
    if told := job.get("webhook"):
        table.add_row("webhook", told["state"].replace("_", " "))
    on.print(table)
    if told and told["said"]:
        on.print(Text(f"webhook: {told['said']}", style="yellow"))
    show.not_read([outcome_of(item) for item in failures], on)
    for advice in advices(job, failures):
        on.print(advice, style="dim")


def advices(job: dict[str, Any], failures: Sequence[dict[str, Any]]) -> list[str]:
    """What a person can do now."""
    failed = sum(item["state"] == "failed" for item in failures)
    refused = len(failures) - failed
    said = []
    if failed:
        said.append(f"`rag jobs retry {job['id']}` tries the {failed:,} failed again.")
    if refused:
        said.append(
            f"{refused:,} refused: no retry changes that, but other bytes, settings or a newer"
            f" version may; `rag jobs retry {job['id']} KEY` then reads one again."
        )
    if job["finished_at"] is None:
        said.append(
            f"`rag jobs watch {job['id']}` follows it; `rag jobs cancel {job['id']}` ends it."
        )
    return said


def line(job: dict[str, Any], *, on: Console = show.results) -> None:
    items = job["items"]
    head = Text(f"{job['id']} ", style="bold")
    head.append(_state(job), style=STYLES.get(job["state"], ""))
    head.append(f", {items['done']:,} of {items['total']:,} done", style="default")
    if items["failed"]:
        head.append(f", {items['failed']:,} not read", style="yellow")
    head.append(f", into {job['collection']}", style="default")
    on.print(head)
    if job["paused"]:
        on.print(Text(f"paused: {job['paused']['message']}", style="yellow"))


def retried(answer: dict[str, Any], *, on: Console = show.aside) -> None:
    on.print(f"{answer['queued']:,} items wait again.")
    if answer["obsolete"]:
        on.print(
            f"{answer['obsolete']:,} left alone: newer bytes came under their keys, or their"
            " documents were deleted."
        )
    if answer["gone"]:
        on.print(f"{answer['gone']:,} cannot be: their bytes are gone; hand them in again.")


@contextmanager
def progress(*, on: Console = show.aside) -> Iterator[Told]:
    """A bar with what is done, not read and left; each new failure and each pause in a line."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    shown: dict[str, str | None] = {"paused": None, "error": None}
    with Progress(*columns, console=on) as bar:
        task = bar.add_task("", total=None, counts="")

        def news(name: str, words: str | None, ended: str) -> None:
            if words != shown[name]:
                shown[name] = words
                if words or ended:
                    bar.console.print(Text(words or ended, style="yellow"))

        def told(job: dict[str, Any], trouble: str | None) -> None:
            waits = trouble or (job["paused"] or {}).get("message")
            news("paused", f"paused: {waits}" if waits else None, "going on")
            error = job["last_error"]
            news("error", f"not read ({error['stage']}): {error['message']}" if error else None, "")
            ended = sum(job["items"][name] for name in DONE) + job["progress"].get("cancelled", 0)
            bar.update(
                task,
                description=job["state"],
                total=job["items"]["total"],
                completed=ended,
                counts=_counts(job),
            )

        yield told


def duration(seconds: float | None) -> str:
    """
    >>> [duration(each) for each in (None, 4.2, 75, 5_000)]
    ['', '4 s', '1 min', '1 h 23 min']
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds) // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _counts(job: dict[str, Any]) -> str:
    said = [f"{job['progress'][name]:,} {name}" for name in ("pages", "chunks")]
    if job["items"]["failed"]:
        said.append(f"{job['items']['failed']:,} not read")
    if Decimal(job["spent_usd"]):
        said.append(f"${Decimal(job['spent_usd']):.4f}")
    if left := duration(job["seconds_left"]):
        said.append(f"{left} left")
    return ", ".join(said)


def _state_and_time(job: dict[str, Any]) -> str:
    left = duration(job["seconds_left"])
    return f"{_state(job)}, {left} left" if left else _state(job)


def _state(job: dict[str, Any]) -> str:
    return "paused" if job["paused"] else str(job["state"])
