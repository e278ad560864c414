"""`rag rebuild`: derived indexes, thrown away and built again from the database."""

import asyncio
from functools import partial
from typing import Any

import click

from rag.cli import show
from rag.cli.door import Door, run

LOOK = 0.5  # seconds between two looks at how far they are


@click.command("rebuild")
@click.argument("which", required=False, type=click.Choice(["dense", "words"]))
@click.option("-C", "--collection", default=None, help="All where none is named.")
def command(which: str | None, collection: str | None) -> None:
    """Throw derived indexes away and build them again; both, or one.

    Questions are answered meanwhile: by the word index that is there, and by the vectors in the
    database, which takes longer. Nothing is embedded anew, and nothing is paid.
    """
    run(partial(_rebuild, which=which, collection=collection))


async def _rebuild(door: Door, *, which: str | None, collection: str | None) -> None:
    wanted: dict[str, Any] = {} if which is None else {"index": which}
    if collection is not None:
        wanted["collection"] = collection
    begun = await door.call("POST", "/v1/rebuild", json=wanted)
    with show.aside.status("building"):
        while await _are_building(door):
            await asyncio.sleep(LOOK)
    show.aside.print(f"{begun['indexes']} indexes were built again.", style="green")


async def _are_building(door: Door) -> bool:
    health = await door.call("GET", "/health/ready")
    return any(index["state"] == "rebuilding" for index in health["indexes"])
