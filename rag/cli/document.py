"""`rag show`: a document as it is kept, or its text from a place on."""

from collections import Counter
from itertools import groupby
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.cli.door import Door, run
from rag.grounding.plain import visible

HEADINGS = 40  # shown; --json has all of them


@click.command("show")
@click.argument("document", metavar="KEY")
@click.option("-C", "--collection", default="default", show_default=True)
@click.option("--page", type=click.IntRange(1), help="Its text, from this page on.")
@click.option("--at", type=click.IntRange(0), help="Its text, from this character on.")
@click.option(
    "--tokens",
    "max_tokens",
    type=click.IntRange(50, 50_000),
    default=1_000,
    show_default=True,
    help="How much of its text, with --page or --at.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    document: str,
    collection: str,
    page: int | None,
    at: int | None,
    max_tokens: int,
    as_json: bool,
) -> None:
    """What is kept of the document KEY: how it was read page by page, its blocks and headings.

    KEY is its path within the collection, or its id. With --page or --at, its text is shown.
    """
    if page is None and at is None:
        run(lambda door: _whole(document, collection, door, as_json))
        return
    asked = {"document": document, "page": page, "at": at, "max_tokens": max_tokens}
    run(lambda door: _part(asked, collection, door, as_json))


async def _part(asked: dict[str, Any], collection: str, door: Door, as_json: bool) -> None:
    opened = await door.call("POST", f"/v1/collections/{collection}/open", json=asked)
    if as_json:
        click.echo(msgspec.json.encode(opened).decode())
        return
    show.aside.print(Text(visible(show.place(opened)), style="bold"))
    show.results.print(Text(visible(opened["text"])), soft_wrap=True)
    if opened["next"] is not None:
        show.aside.print(f"It goes on: --at {opened['next']}", style="dim")


async def _whole(document: str, collection: str, door: Door, as_json: bool) -> None:
    outline = await door.call(
        "POST", f"/v1/collections/{collection}/navigate", json={"document": document}
    )
    path = f"/v1/documents/{outline['document_id']}"
    summary = await door.call("GET", path)
    read = await door.call("GET", f"{path}/text")
    told = {
        "document": summary,
        "pages": read["pages"],
        "blocks": dict(Counter(block["kind"] for block in read["blocks"])),
        "sections": outline["sections"],
    }
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
        return
    show.results.print(_facts(told))
    for line in _pages(told["pages"]):
        show.results.print(Text(f"  {line}"))
    _show_headings(told["sections"], outline["left_out"])


def _facts(told: dict[str, Any]) -> Table:
    document = told["document"]
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(told["blocks"].items()))
    facts = {
        "key": document["key"],
        "title": document["title"],
        "id": document["id"],
        "version": document["version"],
        "kind": document["media_type"],
        "size": f"{document['bytes']:,} bytes, {document['characters']:,} characters",
        "chunks": f"{document['chunks']:,}" if document["chunks"] else "none: it is not found",
        "blocks": kinds or "none",
        "changed": document["updated_at"],
        **{f"  {name}": str(value) for name, value in document["attributes"].items()},
        "pages": f"{document['pages']:,}, of them {document['pages_ocred']:,} by OCR"
        if document["pages"]
        else "none: places are lines",
    }
    for name, value in facts.items():
        table.add_row(name, Text(visible(value)))
    return table


def _pages(pages: list[dict[str, Any]]) -> list[str]:
    """How they were read, those in a row that were read alike together."""
    lines = []
    for how, alike in groupby(pages, key=lambda page: f"{page['reader']}: {page['reason']}"):
        numbers = [page["number"] for page in alike]
        first, last = numbers[0], numbers[-1]
        lines.append(f"{f'page {first}' if first == last else f'pages {first}-{last}'}: {how}")
    return lines


def _show_headings(sections: list[dict[str, Any]], left_out: int) -> None:
    for section in sections[:HEADINGS]:
        indent = "  " * (1 + len(section["heading_path"]))
        line = Text(f"{indent}{visible(section['heading'])}")
        where = f"page {section['page']}" if section["page"] else f"at {section['start']}"
        line.append(f"  {where}", style="dim")
        show.results.print(line)
    if (more := len(sections[HEADINGS:]) + left_out) > 0:
        show.aside.print(f"  ... and {more:,} more headings", style="dim")
