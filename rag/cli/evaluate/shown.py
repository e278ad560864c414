"""How an evaluation looks in a terminal."""

from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.evaluation.paired import in_words
from rag.evaluation.runs import HEADLINE, Run, Spread, within

FIRST_COLUMNS = (HEADLINE, "recall@10", "recall@100", "mrr@10", "hit_rate@10")


def show_run(run: Run) -> None:
    """A row for each setting, each figure with its interval; then what is chance."""
    show.results.print(
        Text(f"{run.name}: {run.queries:,} questions over {run.documents:,} documents", "bold")
    )
    table = Table(box=None, pad_edge=False)
    columns = [name for name in _columns(run) if name in run.arms[0].figures]
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("ms p50 p99", justify="right")
    for arm in run.arms:
        time = arm.latency_ms
        table.add_row(
            arm.setting.name,
            *(_figure(arm.figures[name]) for name in columns),
            f"{time.p50:.0f} {time.p99:.0f}" if time else "",
        )
    show.results.print(table)
    show.results.print(Text(_conditions(run), "dim"))
    for other in run.arms[1:]:
        said = in_words(within(run, other.setting.name, run.arms[0].setting.name))
        show.results.print(Text(said))
    for why in run.left_out[: show.REASONS_SHOWN]:
        show.aside.print(Text(f"left out: {why}", style="yellow"))


def _columns(run: Run) -> tuple[str, ...]:
    pages = tuple(name for name in run.arms[0].figures if name.startswith("page_evidence"))
    return (*pages, *FIRST_COLUMNS)


def _figure(found: Spread) -> Text:
    low, high = found.interval
    return Text(f"{found.mean:.3f} ").append(f"{low:.3f}-{high:.3f}", style="dim")


def _conditions(run: Run) -> str:
    setting = run.arms[0].setting
    weight = "" if setting.dense_weight is None else f", dense weight {setting.dense_weight:g}"
    cost = "" if run.cost_usd in ("0", "0.0") else f", ${run.cost_usd}"
    return (
        f"{setting.embedding_model or 'words alone'}, {setting.chunks:,} chunks of at most"
        f" {setting.chunk_tokens} tokens{weight}; judged by the {run.grain}; 95 % intervals{cost}"
    )
