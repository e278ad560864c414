"""`rag code eval`: how well a repository is searched, by the questions of its own history."""

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from rag.cli import show
from rag.cli.door import Door, Refused, run
from rag.cli.repositories import UNAVAILABLE, embed_all, wanted_repository
from rag.errors import InvalidRequest
from rag.evaluation.localization import (
    ASKED,
    CodeArm,
    Found,
    arm_of,
    case_scores,
    differences,
)
from rag.evaluation.paired import in_words
from rag.evaluation.summaries import Spread

MODES = ("words", "dense", "hybrid")
SHOWN = ("acc@1", "acc@5", "acc@10", "mrr@10", "recall@2000_tokens", "recall@8000_tokens")
"""Figures that a terminal has room for; --json has all."""

KNOWN = 0.5
"""Share of the chunks that must be embedded already for meaning to be measured unasked."""


@click.command("eval")
@click.option("--repo", help="By name or path; by default, the one you are in.")
@click.option("--ref", help="Whose history is asked; by default, the current commit's.")
@click.option(
    "--most", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Cases."
)
@click.option(
    "--mode",
    "modes",
    type=click.Choice(MODES),
    multiple=True,
    help="Settings to measure side by side; may be repeated. By default all, by meaning where the"
    " repository is embedded.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    repo: str | None, ref: str | None, most: int, modes: tuple[str, ...], as_json: bool
) -> None:
    """How well the code is found that a commit changed, asked with what the commit says.

    The questions are mined from the repository's own history and asked of the state before the
    oldest of them, which is indexed aside for it. A commit that names its file asks for nothing,
    and is left out.

    \b
    Acc@k     all its files are among the first k
    MRR       1 / rank of the first of them
    in N tok  share of its files in the first N tokens of what is shown
    """
    run(partial(_evaluate, repo, ref, most, modes, as_json))


async def _evaluate(
    repo: str | None, ref: str | None, most: int, modes: tuple[str, ...], as_json: bool, door: Door
) -> None:
    repository = await wanted_repository(repo or ".", door)
    params = {"most": most} | ({"ref": ref} if ref else {})
    mined = await door.call("GET", f"/v1/repositories/{repository['id']}/cases", params=params)
    if not mined["cases"]:
        raise InvalidRequest("no commit makes a case: its files came later, or are named by it")
    aside = f"{repository['name']} before {mined['cases'][-1]['id'][:12]}"
    location = repository["location"]
    body = {
        "url" if location.startswith("http") else "path": location,
        "ref": mined["base"],
        "name": aside,
        "words_only": True,  # or a server would embed it, whatever is to be measured
    }
    indexed = await door.call("POST", "/v1/repositories", json=body)
    place = f"/v1/repositories/{await _id_of(aside, door)}"
    try:
        chosen = modes or await _measurable(place, door)
        if set(chosen) != {"words"}:
            await embed_all(indexed["snapshot"], door)
        arms = [await _arm(mode, mined["cases"], place, door) for mode in chosen]
    finally:
        await door.call("DELETE", place)
    if as_json:
        click.echo(msgspec.json.encode(_told(repository, mined, indexed, arms)).decode())
    else:
        _show(repository, mined, indexed, arms)


async def _id_of(name: str, door: Door) -> str:
    found = await door.call("GET", f"/v1/repositories/{name}")
    return str(found["repository"]["id"])


async def _measurable(place: str, door: Door) -> Sequence[str]:
    """All settings where most is embedded already; else the one that costs nothing, and what the
    others would take."""
    try:
        plan = await door.call("GET", f"{place}/plan")
    except Refused as refused:
        if refused.status != UNAVAILABLE:
            raise
        return ("words",)
    if plan["known"] >= KNOWN * plan["chunks"]:
        return MODES
    show.aside.print(
        f"by words alone: {plan['chunks'] - plan['known']:,} chunks are not embedded"
        f" ({plan['tokens']:,} tokens); --mode words --mode hybrid embeds them",
        style="yellow",
    )
    return ("words",)


async def _arm(mode: str, cases: Sequence[dict[str, Any]], place: str, door: Door) -> CodeArm:
    scores: dict[str, dict[str, float]] = {}
    times: list[float] = []
    for case in cases:
        started = perf_counter()
        body = {"query": case["question"], "k": ASKED, "mode": mode}
        hits = (await door.call("POST", f"{place}/search", json=body))["hits"]
        times.append(1000 * (perf_counter() - started))
        found = [Found(hit["path"], len(hit["text"])) for hit in hits]
        scores[case["id"]] = case_scores(found, case["paths"])
    return arm_of(mode, scores, times)


def _told(
    repository: dict[str, Any],
    mined: dict[str, Any],
    indexed: dict[str, Any],
    arms: Sequence[CodeArm],
) -> dict[str, Any]:
    return {
        "repository": repository["name"],
        "base": mined["base"],
        "files": indexed["snapshot"]["indexed"],
        "cases": mined["cases"],
        "commits_read": mined["read"],
        "left_out": mined["left_out"],
        "arms": arms,
        "differences": differences(arms),
    }


def _show(
    repository: dict[str, Any],
    mined: dict[str, Any],
    indexed: dict[str, Any],
    arms: Sequence[CodeArm],
) -> None:
    cases, state = len(mined["cases"]), indexed["snapshot"]
    head = f"{repository['name']}: {cases:,} commits asked of {state['indexed']:,} files"
    show.results.print(Text(f"{head} at {mined['base'][:12]}", "bold"))
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in SHOWN:
        table.add_column(_heading(name), justify="right", no_wrap=True)
    table.add_column("ms\np50 p99", justify="right", no_wrap=True)
    for arm in arms:
        time = arm.latency_ms
        figures = (_figure(arm.figures[name]) for name in SHOWN)
        table.add_row(arm.name, *figures, f"{time.p50:.0f} {time.p99:.0f}")
    show.results.print(table)
    for each in differences(arms):
        show.results.print(Text(in_words(each), "cyan"))
    left_out = ", ".join(f"{count:,}: {why}" for why, count in mined["left_out"].items())
    told = f"95 % intervals; of {mined['read']:,} commits these make no case: {left_out or 'none'}"
    show.results.print(Text(told, "dim"))


def _heading(figure: str) -> str:
    name, _, depth = figure.partition("@")
    if depth.endswith("_tokens"):
        return f"in\n{int(depth.removesuffix('_tokens')) // 1000}k tok"
    return f"{name.upper() if name == 'mrr' else name.capitalize()}\n@{depth}"


def _figure(found: Spread) -> Text:
    low, high = (f"{end:.2f}".removeprefix("0") for end in found.interval)
    return Text(f"{found.mean:.3f}\n").append(f"{low}-{high}", style="dim")
