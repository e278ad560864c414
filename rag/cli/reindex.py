"""`rag reindex`: another index of a collection, while the former one answers."""

import asyncio
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct
from rich.table import Table

from rag.cli import show
from rag.cli.door import Door, run
from rag.cli.handing import WATCH, pause_of
from rag.cli.indexes import show_indexes
from rag.cli.outcomes import Outcome
from rag.cli.progress import progress_of
from rag.comparing import Compared, Comparison, Judgment, Probe, together
from rag.domain import FINAL_ITEM_STATES, IndexId, Saved
from rag.errors import InvalidRequest
from rag.estimation import Range
from rag.reindexing import Forecast

EXIT_INCOMPLETE = 1
"""The index lacks documents, and does not serve."""

QUESTIONS = 50  # compared in one request


class Wish(Struct, frozen=True):
    """What the command line says."""

    collection: str
    model: str | None
    chunk_tokens: int | None
    dry_run: bool
    switch: bool
    compare: Path | None
    k: int
    as_json: bool
    quiet: bool

    @property
    def body(self) -> dict[str, Any]:
        named = {"embedding_model": self.model, "chunk_tokens": self.chunk_tokens}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def path(self) -> str:
        return f"/v1/collections/{self.collection}"


@click.command("reindex")
@click.option("-C", "--collection", default="default", show_default=True)
@click.option("--model", help="One that the service can load; that of new collections if unsaid.")
@click.option("--chunk-tokens", type=click.IntRange(32, 400), help="No chunk has more.")
@click.option("--dry-run", is_flag=True, help="Only tell documents, tokens and prices.")
@click.option("--wait", is_flag=True, help="The default: returns when the index is complete.")
@click.option("--switch", is_flag=True, help="Make it serve once it is complete.")
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON lines {"id", "text", "relevant": {KEY: GAIN}}: asked of both before a switch.',
)
@click.option("-k", "k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="What came of it as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(wait: bool, **said: Any) -> None:
    """Cut and embed a collection anew, from the text that is stored: nothing is read again.

    The former index answers all the while, and is kept up afterwards: `rag indexes` lists both,
    switches, goes back and drops. It may be interrupted, and run again: nothing is paid twice.

    Exit code 0: the index is complete; 1: it lacks documents, and why is said; 2: nothing could be
    done.
    """
    sys.exit(run(partial(_reindex, Wish(**said))))


async def _reindex(wish: Wish, door: Door) -> int:
    if wish.dry_run:
        return await _foresee(wish, door)
    probes = _probes(wish.compare) if wish.compare else []
    begun = await door.call("POST", f"{wish.path}/reindex", json=wish.body)
    job = await _watch(begun["job_id"], wish, door)
    if job["state"] != "succeeded":
        why = (job["last_error"] or {}).get("message", f"its job was {job['state']}")
        show.aside.print(f"The index is not complete: {why}", style="yellow")
        return EXIT_INCOMPLETE
    if probes:
        await _compare(probes, IndexId(begun["index"]), wish, door)
    if wish.switch:
        await door.call("PUT", f"{wish.path}/indexes/current", json={"index": begun["index"]})
    found = (await door.call("GET", f"{wish.path}/indexes"))["data"]
    if wish.as_json and not probes:
        click.echo(msgspec.json.encode(found).decode())
    elif not wish.as_json:
        show_indexes(found)
    if not wish.switch:
        go = f"rag indexes {wish.collection} --switch {begun['index']}"
        show.aside.print(f"It does not serve yet: `{go}`.")
    return 0


async def _watch(id: str, wish: Wish, door: Door) -> dict[str, Any]:
    """The job when it has ended."""
    job = await door.call("GET", f"/v1/jobs/{id}")
    before: dict[str, int] = {}
    total = job["items"]["total"]
    with progress_of(total, quiet=wish.quiet, doing="embedding anew") as progress:
        while True:
            for outcome in _ended(before, job["progress"]):
                progress.told(outcome)
            if job["finished_at"] is not None:
                return dict(job)
            progress.paused(pause_of(job))
            await asyncio.sleep(WATCH)
            before, job = job["progress"], await door.call("GET", f"/v1/jobs/{id}")


def _ended(before: dict[str, int], now: dict[str, int]) -> Iterator[Outcome]:
    """As many outcomes as items ended since; the first bears the chunks of all."""
    chunks = now["chunks"] - before.get("chunks", 0)
    for state in FINAL_ITEM_STATES:
        for _ in range(now.get(state, 0) - before.get(state, 0)):
            yield Outcome("", state, chunks=chunks)
            chunks = 0


# --- beforehand ---


async def _foresee(wish: Wish, door: Door) -> int:
    said = await door.call(
        "POST", f"{wish.path}/reindex", json=wish.body, params={"dry_run": "true"}
    )
    found = msgspec.convert(said, Forecast)
    if wish.as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        show_forecast(found)
    return 0


def show_forecast(found: Forecast) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("documents", f"{found.documents:,}")
    table.add_row("chunks", f"{found.chunks:,}")
    table.add_row("tokens to embed", _between(found.tokens, "{:,.0f}"))
    table.add_row("embedding", _between(found.usd, "${:.4f}"), style="bold")
    if found.self_check.usd:
        table.add_row("a self-check on top, at most", f"${found.self_check.usd:.4f}")
    if found.saved != Saved():
        table.add_row(*show.saved(found.saved), style="green")
    show.results.print(table)
    show.aside.print(
        "Nothing was kept or sent. While both indexes are kept, everything that is ingested is"
        " embedded for both.",
        style="green",
    )


def _between(range: Range, form: str) -> str:
    least, most = form.format(range.least), form.format(range.most)
    return least if least == most else f"{least} to {most}"


# --- comparing ---


def _probes(file: Path) -> list[Probe]:
    """
    Raises:
        InvalidRequest: a line is not a question.
    """
    probes = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                probes.append(msgspec.json.decode(line, type=Probe))
            except msgspec.DecodeError as error:
                raise InvalidRequest(f"{file}, line {number}: {error}") from error
    return probes


async def _compare(probes: list[Probe], index: IndexId, wish: Wish, door: Door) -> None:
    compared: list[Compared] = []
    current = IndexId("")
    for start in range(0, len(probes), QUESTIONS):
        some = [msgspec.to_builtins(probe) for probe in probes[start : start + QUESTIONS]]
        body = {"index": index, "queries": some, "k": wish.k}
        said = await door.call("POST", f"{wish.path}/indexes/compare", json=body)
        part = msgspec.convert(said, Comparison)
        current = part.current
        compared += part.queries
    found = together(compared, current, index, wish.k)
    if wish.as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        show_comparison(found)


def show_comparison(found: Comparison) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("", found.current, found.other):
        table.add_column(name, justify="right" if name else "left")
    for name, of in (("recall", _recall), ("nDCG@10", _ndcg)):
        if found.current_judged and found.other_judged:
            title = f"recall@{found.k}" if name == "recall" else name
            table.add_row(title, of(found.current_judged), of(found.other_judged))
    if found.judged:
        show.results.print(table)
        show.results.print(f"over {found.judged} questions with relevant documents")
    apart = "" if found.rank_difference is None else f", {found.rank_difference:.1f} ranks apart"
    show.results.print(
        f"{found.overlap:.0%} of the first {found.k} hits of {len(found.queries)} questions are"
        f" both indexes'{apart}"
    )


def _recall(judged: Judgment) -> str:
    return f"{judged.recall:.3f}"


def _ndcg(judged: Judgment) -> str:
    return f"{judged.ndcg_10:.3f}"
