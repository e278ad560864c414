"""How an evaluation looks in a terminal."""

from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.evaluation.advice import advise
from rag.evaluation.answers import Answers
from rag.evaluation.runs import HEADLINE, Run
from rag.evaluation.summaries import Spread

COLUMNS = {
    "page_evidence@5_in_document": "page@5\nin document",
    "page_evidence@5": "page@5\nin all",
    HEADLINE: "nDCG@10",
    "recall@10": "recall@10",
    "recall@100": "recall@100",
    "mrr@10": "MRR@10",
}
"""Figures that a row has room for, where they were measured, and how they are headed."""


def show_run(run: Run) -> None:
    """A row for each setting, each figure with its interval; then what is chance."""
    show.results.print(
        Text(f"{run.name}: {run.queries:,} questions over {run.documents:,} documents", "bold")
    )
    table = Table(box=None, pad_edge=False)
    columns = [name for name in COLUMNS if name in run.arms[0].figures]
    table.add_column("")
    for name in columns:
        table.add_column(COLUMNS[name], justify="right")
    table.add_column("ms\np50 p99", justify="right")
    for arm in run.arms:
        time = arm.latency_ms
        table.add_row(
            arm.setting.name,
            *(_figure(arm.figures[name]) for name in columns),
            f"{time.p50:.0f} {time.p99:.0f}" if time else "",
        )
    show.results.print(table)
    show.results.print(Text(_conditions(run), "dim"))
    if run.answers is not None:
        _show_answers(run.answers)
    advice = Table(box=None, pad_edge=False, show_header=False)
    advice.add_column(style="cyan")
    advice.add_column()
    for each in advise(run):
        advice.add_row(each.about, Text(each.text))
    show.results.print(advice)
    for why in run.left_out[: show.REASONS_SHOWN]:
        show.aside.print(Text(f"left out: {why}", style="yellow"))


def _show_answers(answers: Answers) -> None:
    table = Table(box=None, pad_edge=False, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, found in answers.figures.items():
        table.add_row(name.replace("_", " "), _figure(found))
    times = answers.latency_ms
    table.add_row("ms of an answer, p50 p99", f"{times.p50:.0f} {times.p99:.0f}")
    show.results.print(
        Text(
            f"answers by {answers.answerer}: {answers.answerable:,} questions with an answer,"
            f" {answers.unanswerable:,} without",
            "bold",
        )
    )
    show.results.print(table)


def _figure(found: Spread) -> Text:
    low, high = found.interval
    return Text(f"{found.mean:.3f}\n").append(f"{low:.2f}-{high:.2f}", style="dim")


def _conditions(run: Run) -> str:
    setting = run.arms[0].setting
    weight = "" if setting.dense_weight is None else f", dense weight {setting.dense_weight:g}"
    cost = "" if run.cost_usd in ("0", "0.0") else f", ${run.cost_usd}"
    return (
        f"{setting.embedding_model or 'words alone'}, {setting.chunks:,} chunks of at most"
        f" {setting.chunk_tokens} tokens{weight}; judged by the {run.grain}; 95 % intervals{cost}"
    )
