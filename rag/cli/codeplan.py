"""`rag code index --dry-run`: what it would do and cost."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.cli.door import Door


async def foresee(
    places: Sequence[dict[str, str]], ref: str | None, as_json: bool, door: Door
) -> None:
    for place in places:
        body = {**place, "ref": ref}
        found = await door.call("POST", "/v1/repositories", json=body, params={"dry_run": "true"})
        if as_json:
            click.echo(msgspec.json.encode({**place, **found}).decode())
        else:
            _show(place, found)


def _show(place: dict[str, str], found: dict[str, Any]) -> None:
    show.results.print(Text(next(iter(place.values())), "bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("files", f"{found['files']:,}")
    table.add_row("  searched", f"{found['searched']:,}")
    for reason, count in found["left_out"].items():
        table.add_row(f"  left out, {reason}", f"{count:,}")
    table.add_row("new contents", f"{found['new_files']:,}")
    table.add_row("chunks", f"{found['chunks']:,}")
    if found["model"]:
        table.add_row("  embedded already", f"{found['known']:,}")
        table.add_row("tokens to embed", f"{found['tokens']:,}")
        table.add_row(f"price with {found['model']}", f"${float(found['cost_usd']):.4f}")
    show.results.print(table)
    show.aside.print("Nothing was kept or sent.", style="green")
