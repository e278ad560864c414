"""`rag indexes`: what a collection is cut and embedded into, and which of it serves."""

from functools import partial
from typing import Any

import click
import msgspec
from rich.table import Table

from rag.cli import show
from rag.cli.door import Door, run

BOTH_COST = (
    "All of them are kept up: what is ingested is embedded for each. `rag indexes --drop INDEX`"
    " ends that."
)


@click.command("indexes")
@click.argument("collection", default="default", metavar="[COLLECTION]")
@click.option("--switch", metavar="INDEX", help="Make it serve; the former one is kept up.")
@click.option("--drop", metavar="INDEX", help="Remove one that does not serve.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(collection: str, switch: str | None, drop: str | None, as_json: bool) -> None:
    """The indexes of COLLECTION, the one that serves first.

    --switch makes another one serve in one step, and going back is the same; --drop removes one.
    """
    run(partial(_act, collection, switch, drop, as_json))


async def _act(
    collection: str, switch: str | None, drop: str | None, as_json: bool, door: Door
) -> None:
    path = f"/v1/collections/{collection}/indexes"
    if switch is not None:
        await door.call("PUT", f"{path}/current", json={"index": switch})
    if drop is not None:
        await door.call("DELETE", f"{path}/{drop}")
    found = (await door.call("GET", path))["data"]
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        show_indexes(found)


def show_indexes(found: list[dict[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("index", "model", "numbers", "chunk tokens", "documents", "chunks", "state"):
        table.add_column(name, justify="right" if name in RIGHT else "left")
    for one in found:
        has, total = one["documents"], one["documents_total"]
        table.add_row(
            one["id"],
            one["embedding_model"] or "words alone",
            str(one["dimension"] or ""),
            str(one["chunk_tokens"]),
            f"{has:,}" if has == total else f"{has:,} of {total:,}",
            f"{one['chunks']:,}",
            f"{one['state']}, serves" if one["serves"] else one["state"],
            style="bold" if one["serves"] else None,
        )
    show.results.print(table)
    if len(found) > 1:
        show.aside.print(BOTH_COST, style="dim")


RIGHT = ("numbers", "chunk tokens", "documents", "chunks")
