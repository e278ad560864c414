"""`rag check`: does the library agree with itself, and what is done where it does not."""

import asyncio
import json
import sys
from functools import partial
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.cli.door import Door, run

LOOK = 0.2  # seconds between two looks at how far it is


@click.command("check")
@click.option("--repair", is_flag=True, help="Mend what needs nobody's judgment.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(repair: bool, as_json: bool, quiet: bool) -> None:
    """Compare the library's rows, vectors, files and indexes with one another.

    With --repair, indexes are built again, counts are counted again, what belongs to nobody is
    removed, and documents whose vectors are damaged are embedded anew. It works while `rag serve`
    runs, and while it does not.

    Exit code 0: all is well, or was mended; 1: something is wrong, and what to do is said.
    """
    sys.exit(run(partial(_check, repair=repair, as_json=as_json, quiet=quiet)))


async def _check(door: Door, *, repair: bool, as_json: bool, quiet: bool) -> int:
    await door.call("POST", "/v1/check", json={"repair": repair})
    with Progress(
        TextColumn("checking {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=show.aside,
        disable=quiet,
    ) as bar:
        task = bar.add_task("")
        while (checked := await door.call("GET", "/v1/check"))["state"] == "running":
            bar.update(
                task,
                description=checked["part"] or "",
                completed=checked["done"],
                total=checked["total"],
            )
            await asyncio.sleep(LOOK)
        bar.update(task, description="", completed=checked["done"], total=checked["total"])
    if as_json:
        click.echo(json.dumps(checked))
    else:
        _show(checked)
    return 0 if checked["sound"] else 1


def _show(checked: dict[str, Any]) -> None:
    if checked["state"] != "done":
        show.results.print(Text("The check was broken off; look at the log.", style="red"))
    if not checked["flaws"]:
        show.results.print(Text(f"{checked['done']} parts agree with one another.", style="green"))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("part", "what is wrong", "what is done about it"):
        table.add_column(title)
    for flaw in checked["flaws"]:
        table.add_row(flaw["part"], Text(flaw["what"]), _remedy(flaw))
    show.results.print(table)
    if not checked["repair"] and any(not flaw["by_hand"] for flaw in checked["flaws"]):
        show.results.print("\n`rag check --repair` mends what is not for a person to mend.")


def _remedy(flaw: dict[str, Any]) -> Text:
    if flaw["repaired"]:
        return Text(f"mended: {flaw['remedy']}", style="green")
    if flaw["by_hand"]:
        return Text(f"for you: {flaw['remedy']}", style="red")
    return Text(f"with --repair: {flaw['remedy']}", style="yellow")
