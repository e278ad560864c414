"""`rag code list`: the repositories of a library, and what of each can be searched."""

from functools import partial
from typing import Any

import click
import msgspec
from rich.table import Table

from rag.cli import show
from rag.cli.door import Door, run


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each repository.")
def command(as_json: bool) -> None:
    """The repositories that are indexed, and their refs."""
    run(partial(_list, as_json))


async def _list(as_json: bool, door: Door) -> None:
    known = [each async for each in door.listing("/v1/repositories")]
    states = [await door.call("GET", f"/v1/repositories/{each['id']}") for each in known]
    if as_json:
        for state in states:
            told = {**state["repository"], "snapshots": state["snapshots"]}
            click.echo(msgspec.json.encode(told).decode())
        return
    if not states:
        show.aside.print("No repository is indexed yet; `rag code index PATH` does it.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "ref", "commit"):
        table.add_column(heading, style="bold" if heading == "name" else "")
    table.add_column("files", justify="right")
    table.add_column("location", style="dim")
    for state in states:
        _add(state, table)
    show.results.print(table)


def _add(state: dict[str, Any], table: Table) -> None:
    repository = state["repository"]
    name, location = repository["name"], repository["location"]
    if not state["snapshots"]:
        table.add_row(name, "", "", "0", location)
    for each in state["snapshots"]:
        commit = (each["commit"] or "")[:12] + (" +" if each["dirty"] else "")
        files = f"{each['indexed']:,} of {each['seen']:,}"
        table.add_row(name, each["ref"] or "(its folder)", commit, files, location)
        name = location = ""
