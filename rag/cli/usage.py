"""`rag usage`: the ledger, summed."""

from decimal import Decimal
from typing import Any

import click
import msgspec
from rich.table import Table

from rag.cli import show
from rag.cli.door import Door, run

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

    async def work(door: Door) -> Any:
        return await door.call("GET", "/v1/usage", params={**asked, "by": list(grouped)})

    report = run(work)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        _print(report, grouped)


def _print(report: dict[str, Any], by: tuple[str, ...]) -> None:
    if not report["data"]:
        show.results.print("Nothing was spent.")
    else:
        show.results.print(_table(report, by))
        show.aside.print(f"prices of {report['prices_of']}", style="dim")
    for name, budget in report["budgets"].items():
        show.results.print(
            f"budget of the {name}: {_usd(budget['left'])} left of {_usd(budget['limit'])}"
        )


def _table(report: dict[str, Any], by: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in by:
        table.add_column(name)
    for name in ("calls", "in", "out", "cached", "usd", "lost", "lost, at most"):
        table.add_column(name, justify="right")
    for row in [*report["data"], report["total"]]:
        units = row["units"]
        groups = [row["group"].get(name) or "-" for name in by] if row["group"] else []
        table.add_row(
            *(groups or ["all", *[""] * (len(by) - 1)]),
            f"{row['calls']:,}",
            f"{units['input']:,}",
            f"{units['output']:,}",
            f"{units['cached']:,}",
            _usd(row["usd"]),
            f"{row['lost_calls']:,}",
            _usd(row["lost_usd"]),
            style="bold" if not row["group"] else "",
        )
    return table


def _usd(amount: str) -> str:
    return f"${Decimal(amount):.4f}"
