"""`rag eval`: how good the search is, on judged questions."""

import asyncio
import sys
from pathlib import Path

import click

from rag.cli import show
from rag.cli.evaluate import compare as comparing
from rag.cli.evaluate import make
from rag.cli.evaluate.folders import drawn, read_folder
from rag.cli.evaluate.measuring import Plan, measure
from rag.cli.evaluate.shown import show_run
from rag.cli.evaluate.wishes import LEGS, ways_of
from rag.evaluation.answers import broken_quotations
from rag.evaluation.files import from_json, plain_figures, to_json
from rag.evaluation.gates import failures, parse_gate
from rag.evaluation.paired import in_words
from rag.evaluation.report.page import page
from rag.evaluation.runs import between

MEASURE = "measure"
"""What is done with a folder, where no other command is named."""

EXIT_FAILED = 1
"""A gate does not hold, or an answer has a quotation that does not stand in its source."""


class Parts(click.Group):
    """`rag eval FOLDER`, and commands by name beside it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_named = bool(args) and args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if is_named or not args else [MEASURE, *args])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "FOLDER [OPTIONS]")
        for name in self.commands:
            if name != MEASURE:
                formatter.write_usage(ctx.command_path, f"{name} [OPTIONS] ...", prefix="       ")


@click.group("eval", cls=Parts)
def command() -> None:
    """Measure the search on judged questions, or make such questions out of your documents.

    `rag eval measure --help` and `rag eval make --help` tell of the options.
    """


@command.command(MEASURE)
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
@click.option(
    "--weight",
    "weights",
    multiple=True,
    type=click.FloatRange(0, 1),
    help="Share of meaning in a fusion to try too. Repeatable.",
)
@click.option(
    "--chunk-tokens",
    "sizes",
    multiple=True,
    type=click.IntRange(32, 400),
    help="A size of chunks to try too. Repeatable.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="SETTING",
    help="To be compared with the first, as mode=hybrid,weight=0.4,chunk_tokens=128. Repeatable.",
)
@click.option("--tune", is_flag=True, help="Try several weights and sizes, and say which to use.")
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier run's JSON: is this one better?",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="Ask only so many of the questions, drawn by chance; always the same ones.",
)
@click.option("--answers", is_flag=True, help="Answer the questions too.")
@click.option(
    "--hide",
    is_flag=True,
    help="With --answers: every other question without the document that answers it.",
)
@click.option("--gate", "gates", multiple=True, metavar="RULE", help="As ndcg@10>=0.7. Repeatable.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A report with plots: one file, which needs no network.",
)
@click.option("--json", "as_json", is_flag=True, help="The run as JSON on standard output.")
@click.option("--yes", is_flag=True, help="Do not ask before documents are paid for.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def measure_folder(
    folder: Path,
    queries: Path | None,
    legs: tuple[str, ...],
    cutoffs: tuple[int, ...],
    keep: Path | None,
    weights: tuple[float, ...],
    sizes: tuple[int, ...],
    against: tuple[str, ...],
    tune: bool,
    compare: Path | None,
    sample: int | None,
    answers: bool,
    hide: bool,
    gates: tuple[str, ...],
    html: Path | None,
    as_json: bool,
    yes: bool,
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
    before = from_json(str(compare), compare.read_bytes()) if compare else None
    ground = drawn(read_folder(folder, queries), sample)
    plan = Plan(
        ways=ways_of(legs, weights, sizes, against, tune=tune),
        answers=answers,
        hide=hide,
        cutoffs=tuple(sorted({10, 100, *cutoffs})),
        keep=keep,
        yes=yes,
        quiet=quiet,
    )
    run = asyncio.run(measure(ground, plan))
    if html is not None:
        html.write_text(page(run))
    if as_json:
        click.echo(to_json(run).decode())
    else:
        show_run(run)
    if before is not None:
        names = (before.arms[0].setting.name, run.arms[0].setting.name)
        show.aside.print(in_words(between(before, run, names)))
    failed = [*broken_quotations(run.answers), *failures(rules, plain_figures(run))]
    for why in failed:
        show.aside.print(why, style="red")
    sys.exit(EXIT_FAILED if failed else 0)


command.add_command(make.command)
command.add_command(comparing.command)
