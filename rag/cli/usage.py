"""`rag usage`: the ledger, summed."""

from decimal import Decimal
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from rag.cli import show
from rag.cli.door import Door, run

WIDEST = 1_000  # characters of a line

GROUPINGS = ("day", "operation", "model", "lane", "collection", "job", "key")


@click.command("usage")
@click.option(
    "--by",
    type=click.Choice(GROUPINGS),
    multiple=True,
    help="Summed apart for each; may be given several times.  [default: operation, model]",
)
@click.option("--since", metavar="DAY", help="From this day on, UTC: 2026-01-31.")
@click.option("--until", metavar="DAY", help="Before this day.")
@click.option("--job", help="Of this job only.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    by: tuple[str, ...], since: str | None, until: str | None, job: str | None, as_json: bool
) -> None:
    """What paid calls cost, and what the budgets leave.

    A call whose reply was lost may have been billed all the same: such calls are counted apart,
    with the most they may have cost.
    """
    grouped = by or ("operation", "model")
    given = {"since": since, "until": until, "job": job}
    asked = {name: value for name, value in given.items() if value is not None}

    async def work(door: Door) -> tuple[Any, dict[str, str]]:
        report = await door.call("GET", "/v1/usage", params={**asked, "by": list(grouped)})
        return report, await _names(door) if "collection" in grouped and not as_json else {}

    report, names = run(work)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        _print(report, grouped, names)


async def _names(door: Door) -> dict[str, str]:
    """Of collections, by id; one that was deleted keeps its id."""
    return {each["id"]: each["name"] async for each in door.listing("/v1/collections")}


def _print(report: dict[str, Any], by: tuple[str, ...], names: dict[str, str]) -> None:
    if not report["data"]:
        show.results.print("Nothing was spent.")
    else:
        _print_whole(_table(report, by, names))
        show.aside.print(f"prices of {report['prices_of']}", style="dim")
    for name, budget in report["budgets"].items():
        show.results.print(
            f"budget of the {name}: {_usd(budget['left'])} left of {_usd(budget['limit'])}"
        )


def _print_whole(table: Table) -> None:
    """An id cut short is of no use: rather a line that is too long."""
    widest = Console(width=WIDEST)
    width = Measurement.get(widest, widest.options, table).maximum
    Console(width=max(width, show.results.width), highlight=False).print(table)


def _table(report: dict[str, Any], by: tuple[str, ...], names: dict[str, str]) -> Table:
    """Lost calls have columns only where there are some."""
    is_lost = bool(report["total"]["lost_calls"])
    rows = [_cells(row, is_lost) for row in (*report["data"], report["total"])]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in by:
        table.add_column(name, no_wrap=True)
    for name in rows[0]:
        table.add_column(name, justify="right", no_wrap=True)
    for row, cells in zip(report["data"], rows, strict=False):
        table.add_row(*(_group(row, name, names) for name in by), *cells.values())
    table.add_row("all", *[""] * (len(by) - 1), *rows[-1].values(), style="bold")
    return table


def _cells(row: dict[str, Any], is_lost: bool) -> dict[str, str]:
    units = row["units"]
    cells = {
        "calls": f"{row['calls']:,}",
        "pages": f"{row['pages']:,}",
        "tokens in": f"{units['input']:,}",
        "cached": f"{units['cached']:,}",
        "out": f"{units['output']:,}",
        "usd": _usd(row["usd"]),
    }
    lost = {"lost": f"{row['lost_calls']:,}", "at most": _usd(row["lost_usd"])}
    return cells | (lost if is_lost else {})


def _group(row: dict[str, Any], name: str, names: dict[str, str]) -> str:
    value = str(row["group"].get(name) or "-")
    return names.get(value, value) if name == "collection" else value


def _usd(amount: str) -> str:
    return f"${Decimal(amount):.4f}"
