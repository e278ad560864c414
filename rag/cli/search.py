"""`rag search`: one question, a file of them, or why a document was missed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click
import msgspec

from rag.cli import show
from rag.cli.door import Door, run
from rag.cli.filtering import filters_option, parse_filters
from rag.cli.pricing import agreed
from rag.cli.progress import progress_of
from rag.cli.questions import Asked, mode_option, one_or_many, queries_option
from rag.errors import InvalidRequest
from rag.storage.batches import batches

AT_ONCE = 32  # questions of one request: they are embedded together

Body: TypeAlias = dict[str, Any]  # of a request or a reply


@click.command("search")
@click.argument("text", required=False, metavar="TEXT")
@click.option("-C", "--collection", default="default", show_default=True)
@click.option("-k", "k", type=click.IntRange(1, 100), default=10, show_default=True)
@mode_option
@queries_option
@filters_option
@click.option("--literal", is_flag=True, help="Quotation marks and minus signs are text.")
@click.option("--per-document", type=click.IntRange(1, 100), help="Hits of one document at most.")
@click.option(
    "--expand",
    type=click.Choice(["variants", "hypothesis"]),
    multiple=True,
    help="Let a chat model write other words for it, or a passage that might answer it.",
)
@click.option("--rerank", is_flag=True, help="Let a chat model put the candidates in order.")
@click.option("--yes", is_flag=True, help="Pay a chat model without asking.")
@click.option("--why", metavar="KEY", help="Where this document was lost, and what would find it.")
@click.option("--explain", is_flag=True, help="What each stage of the search said (with --json).")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    text: str | None,
    collection: str,
    queries: Path | None,
    filters: tuple[str, ...],
    yes: bool,
    why: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """The passages nearest to TEXT, best first.

    "Quoted words" have to stand in a passage as they are; -word and -"quoted words" must not.
    """
    asked = one_or_many(text, queries)
    body = {name: value for name, value in options.items() if value is not None}
    if (wanted := parse_filters(filters)) is not None:
        body["filter"] = wanted
    address = f"/v1/collections/{collection}/search"
    if why is not None:
        if text is None:
            raise InvalidRequest("--why wants one question, not a file of them")
        run(lambda door: _explain_miss(text, why, body, address, door, as_json))
    elif queries is not None:
        run(lambda door: _search_file(asked, body, address, door, yes))
    else:
        run(lambda door: _search_one(asked[0], body, address, door, yes, as_json))


async def _search_one(
    asked: Asked, options: Body, address: str, door: Door, yes: bool, as_json: bool
) -> None:
    body = {"query": asked.text, **options}
    await agreed([body], address, door, yes)
    result = await door.call("POST", address, json=body)
    if as_json:
        click.echo(msgspec.json.encode(result).decode())
        return
    show.degraded(result)
    for note in result["notes"]:
        show.aside.print(note, style="yellow")
    show.hits(result["data"])
    if not result["data"]:
        show.results.print("Nothing found.")


async def _search_file(
    asked: Sequence[Asked], options: Body, address: str, door: Door, yes: bool
) -> None:
    """A JSON line each, in order, as they come."""
    bodies = [{"query": each.text, **options} for each in asked]
    await agreed(bodies, address, door, yes)
    with progress_of(len(asked), doing="searching", unit="questions") as progress:
        for some in batches(list(zip(asked, bodies, strict=True)), AT_ONCE):
            queries = {"queries": [body for _, body in some]}
            results = await door.call("POST", f"{address}/many", json=queries)
            for (each, _), result in zip(some, results, strict=True):
                told = result if each.id is None else {"question_id": each.id, **result}
                click.echo(msgspec.json.encode(told).decode())
                progress.step()


async def _explain_miss(
    text: str, document: str, options: Body, address: str, door: Door, as_json: bool
) -> None:
    known = ("k", "mode", "filter", "literal", "per_document")
    given = {name: value for name, value in options.items() if name in known}
    body = {"query": text, "document": document, **given}
    told = await door.call("POST", f"{address}/why", json=body)
    if as_json:
        click.echo(msgspec.json.encode(told).decode())
    else:
        show.miss(told)
