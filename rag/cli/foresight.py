"""`rag ingest --dry-run`: what it would do and cost, before anything is kept or sent."""

import asyncio
from collections.abc import Sequence

import msgspec
from rich.table import Table

from rag.cli import show
from rag.cli.batched import check_batch_lane
from rag.cli.door import Door
from rag.cli.outcomes import Outcome, Told
from rag.cli.parcels import form_of, parcels
from rag.domain import Lane, Saved
from rag.estimation import NOTHING_TO_DO, Estimate, Range
from rag.sources.found import Found
from rag.sources.hashes import FORGETFUL


async def foresee(
    files: Sequence[Found], collection: str, lane: Lane, door: Door, *, told: Told
) -> Estimate:
    """The sum over all files.

    Raises:
        InvalidSettings: the batch lane is asked for, and there is none.
    """
    if lane == "batch" and (notice := await check_batch_lane(door)):
        show.aside.print(notice, style="yellow")
    unreadable = 0

    def hear(outcome: Outcome) -> None:
        nonlocal unreadable
        unreadable += 1
        told(outcome)

    total = NOTHING_TO_DO
    async for parcel in parcels(files, {}, hear, hashes=FORGETFUL):
        if not (form := await asyncio.to_thread(form_of, parcel, hear)):
            continue
        said = await door.call(
            "POST",
            f"/v1/collections/{collection}/documents",
            files=form,
            params={"dry_run": "true", "lane": lane},
        )
        total += msgspec.convert(said, Estimate)
        for field, (key, _, _) in form:
            if field == "file" and key:
                told(Outcome(key, "seen"))
    return msgspec.structs.replace(
        total, files=total.files + unreadable, refused=total.refused + unreadable
    )


def show_estimate(found: Estimate, lane: Lane) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("files", f"{found.files:,}")
    for name, count in (("unchanged", found.unchanged), ("cannot be read", found.refused)):
        if count:
            table.add_row(f"  {name}", f"{count:,}")
    table.add_row("pages", f"{found.pages:,}")
    table.add_row("  to be bought from OCR", f"{found.pages_to_ocr:,}")
    if found.unknown:
        table.add_row("files whose pages only OCR can count", f"{found.unknown:,}")
    table.add_row("tokens to embed", _between(found.tokens, "{:,.0f}"))
    table.add_row("OCR", _between(found.ocr_usd, "${:.4f}"))
    table.add_row("embedding", _between(found.embedding_usd, "${:.4f}"))
    if found.self_check.tokens:
        table.add_row(
            "self-check of the collection, at most",
            f"{found.self_check.tokens:,} tokens: ${found.self_check.usd:.4f}",
        )
    price = "in all, in batches" if lane == "batch" else "in all"
    table.add_row(price, _between(found.usd, "${:.4f}"), style="bold")
    if found.saved != Saved():
        table.add_row(*show.saved(found.saved), style="green")
    show.results.print(table)
    for key, why in found.problems[: show.REASONS_SHOWN]:
        show.aside.print(f"  {key}: {why.message}", style="yellow")
    show.aside.print("Nothing was kept or sent.", style="green")


def _between(range: Range, form: str) -> str:
    least, most = form.format(range.least), form.format(range.most)
    return least if least == most else f"{least} to {most}"
