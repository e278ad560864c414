"""`rag search`: one question, or a file of them."""

from pathlib import Path
from typing import Any

import click

from rag.cli import show
from rag.cli.door import Door, run
from rag.cli.filtering import filters_option, parse_filters
from rag.cli.questions import Asked, answer_each, one_or_many


@click.command("search")
@click.argument("text", required=False, metavar="TEXT")
@click.option("-C", "--collection", default="default", show_default=True)
@click.option("-k", "k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "words"]),
    default="hybrid",
    show_default=True,
    help="By meaning and words, by meaning alone, or by words alone.",
)
@click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON lines {"id", "text"}: one JSON line out for each.',
)
@filters_option
@click.option("--explain", is_flag=True, help="What each leg of the search said (with --json).")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    text: str | None,
    collection: str,
    k: int,
    mode: str,
    queries: Path | None,
    filters: tuple[str, ...],
    explain: bool,
    as_json: bool,
) -> None:
    """The passages nearest to TEXT, best first."""
    asked = one_or_many(text, queries)
    wanted = parse_filters(filters)

    async def one(question: Asked, door: Door) -> Any:
        body: dict[str, Any] = {"query": question.text, "k": k, "mode": mode, "explain": explain}
        if wanted is not None:
            body["filter"] = wanted
        return await door.call("POST", f"/v1/collections/{collection}/search", json=body)

    def shown(result: dict[str, Any]) -> None:
        show.degraded(result)
        show.hits(result["data"])
        if not result["data"]:
            show.results.print("Nothing found.")

    run(lambda door: answer_each(asked, lambda q: one(q, door), as_json or bool(queries), shown))
