"""`rag eval`: how good the search is, on judged questions."""

import asyncio
import sys
from pathlib import Path

import click

from rag.cli import show
from rag.cli.evaluate.asking import Way
from rag.cli.evaluate.folders import read_folder
from rag.cli.evaluate.measuring import LEGS, Plan, measure
from rag.cli.evaluate.shown import show_run
from rag.evaluation.gates import failures, parse_gate
from rag.evaluation.runs import to_json

EXIT_FAILED = 1
"""A gate does not hold."""


@click.command("eval")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Other questions with the same ids, as in another language.",
)
@click.option(
    "--leg", "legs", multiple=True, type=click.Choice(LEGS), help="Only these. Repeatable."
)
@click.option(
    "-k",
    "--k",
    "cutoffs",
    multiple=True,
    type=click.IntRange(1, 100),
    help="Hits that measures look at, besides 10 and 100. Repeatable.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the library stays, to be used again.",
)
@click.option("--gate", "gates", multiple=True, metavar="RULE", help="As ndcg@10>=0.7. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="The run as JSON on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    folder: Path,
    queries: Path | None,
    legs: tuple[str, ...],
    cutoffs: tuple[int, ...],
    keep: Path | None,
    gates: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the search on judged questions.

    FOLDER holds corpus.jsonl, queries.jsonl and qrels.tsv as in BEIR, or qa.jsonl beside a folder
    `pdfs` or `documents`. Its documents go through the real ingest into a library of their own,
    which is thrown away unless --keep names a folder for it; its questions go through the real
    search, by meaning and words together and by each alone.

    Exit code 0: measured, and every gate holds; 1: a gate does not hold, and why is said; 2:
    nothing could be measured.
    """
    rules = tuple(map(parse_gate, gates))
    ground = read_folder(folder, queries)
    plan = Plan(
        ways=tuple(map(Way, legs or LEGS)),
        cutoffs=tuple(sorted({10, 100, *cutoffs})),
        keep=keep,
        quiet=quiet,
    )
    run = asyncio.run(measure(ground, plan))
    if as_json:
        click.echo(to_json(run).decode())
    else:
        show_run(run)
    figures = {name: each.mean for name, each in run.arms[0].figures.items()}
    failed = failures(rules, figures)
    for why in failed:
        show.aside.print(why, style="red")
    sys.exit(EXIT_FAILED if failed else 0)
