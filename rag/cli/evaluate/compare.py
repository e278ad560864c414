"""`rag eval compare`: whether two runs differ by more than chance."""

from pathlib import Path

import click
import msgspec

from rag.cli import show
from rag.evaluation.files import from_json
from rag.evaluation.paired import in_words
from rag.evaluation.runs import HEADLINE, between

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("compare")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--setting", help="That both have; the first of each, unless said.")
@click.option("--measure", default=HEADLINE, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(before: Path, after: Path, setting: str | None, measure: str, as_json: bool) -> None:
    """Compare two runs, kept with `rag eval FOLDER --json > FILE`, question by question.

    Tells the difference with its 95 % interval, and whether it is real or chance.
    """
    one, two = (from_json(str(path), path.read_bytes()) for path in (before, after))
    if one.digest != two.digest:
        show.aside.print(
            "The two runs are of different sets: only questions with the same ids are compared.",
            style="yellow",
        )
    names = (setting, setting) if setting else (one.arms[0].setting.name, two.arms[0].setting.name)
    found = between(one, two, names, measure)
    if as_json:
        told = msgspec.to_builtins(found) | {"is_real": found.is_real, "text": in_words(found)}
        click.echo(msgspec.json.encode(told).decode())
        return
    show.results.print(in_words(found))
    show.results.print(
        f"{found.wins:,} questions better, {found.losses:,} worse,"
        f" {found.questions - found.wins - found.losses:,} alike"
    )
