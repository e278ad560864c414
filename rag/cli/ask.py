"""`rag ask`: one question, or a file of them."""

from pathlib import Path
from typing import Any

import click

from rag.cli import show
from rag.cli.door import Door, run
from rag.cli.filtering import filters_option, parse_filters
from rag.cli.pricing import consent
from rag.cli.questions import Asked, answer_each, one_or_many
from rag.cli.repositories import repository_id


@click.command("ask")
@click.argument("text", required=False, metavar="QUESTION")
@click.option("-C", "--collection", "collections", multiple=True, help="May be given repeatedly.")
@click.option(
    "--repo",
    "repositories",
    multiple=True,
    help="Name or path of a repository whose code may be quoted; may be given repeatedly. Without"
    " -C, only code is.",
)
@click.option("--ref", help="Of the repositories; by default, what was indexed last.")
@click.option(
    "--verification",
    type=click.Choice(["strict", "annotate", "off"]),
    default="strict",
    show_default=True,
    help="Drop, mark, or keep what the sources do not support.",
)
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON lines {"id", "text"}: one JSON line out for each.',
)
@filters_option
@click.option("--agentic", is_flag=True, help="Let a chat model look further before it answers.")
@click.option("--steps", type=click.IntRange(1, 20), help="Of looking further, at most.")
@click.option("--max-usd", type=float, help="That an answer may cost, with --agentic.")
@click.option("--yes", is_flag=True, help="Pay for looking further without asking.")
@click.option("--json", "as_json", is_flag=True, help="The answer object on standard output.")
def command(
    text: str | None,
    collections: tuple[str, ...],
    repositories: tuple[str, ...],
    ref: str | None,
    verification: str,
    questions: Path | None,
    filters: tuple[str, ...],
    agentic: bool,
    steps: int | None,
    max_usd: float | None,
    yes: bool,
    as_json: bool,
) -> None:
    """An answer whose every quotation was found in the stored sources, or a refusal.

    The sources are documents (-C), code (--repo), or both.

    A refusal is an answer too: it ends with exit code 0.
    """
    asked = one_or_many(text, questions)
    wanted = parse_filters(filters)
    looking = _looking(steps, max_usd) if agentic else {}

    async def one(question: Asked, door: Door) -> Any:
        body: dict[str, Any] = {"question": question.text, "verification": verification}
        if collections:
            body["collections"] = collections
        if repositories:
            found = [await repository_id(each, door) for each in repositories]
            body |= {"repositories": found, "ref": ref}
        if wanted is not None:
            body["filter"] = wanted
        return await door.call("POST", "/v1/answers", json=body | looking)

    async def all_of_them(door: Door) -> None:
        def shown(answered: dict[str, Any]) -> None:
            show.degraded(answered)
            show.answer(answered, address=door.address)

        if agentic:
            longest = max((each.text for each in asked), key=len)
            body = {"question": longest, **looking}
            price = await door.call("POST", "/v1/answers/price", json=body)
            consent(price, len(asked), yes)
        await answer_each(asked, lambda q: one(q, door), as_json or bool(questions), shown)

    run(all_of_them)


def _looking(steps: int | None, max_usd: float | None) -> dict[str, Any]:
    """What a request says of looking further."""
    limits = {"steps": steps, "usd": None if max_usd is None else str(max_usd)}
    given = {name: value for name, value in limits.items() if value is not None}
    return {"mode": "agentic", "limits": given}
