"""How results look in a terminal."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from rag.cli.outcomes import Outcome, Summary
from rag.cli.pruning import Pruning
from rag.domain import Saved
from rag.errors import BudgetExhausted
from rag.grounding.plain import visible
from rag.sources.found import LeftOut, Trouble

results = Console(highlight=False, soft_wrap=False)
"""Standard output."""

aside = Console(stderr=True, highlight=False)
"""Standard error: everything that is not a result."""

REASONS_SHOWN = 20
KEYS_SHOWN = 5  # of files that are left out for the same reason
PASSAGE_SHOWN = 300  # characters of a passage shown in a list of hits
INDENT = "    "


def left_out(left: Sequence[LeftOut], *, on: Console = aside) -> None:
    """What was not taken by a rule: how much, and the first of it."""
    by_rule: dict[str, list[str]] = {}
    for each in left:
        by_rule.setdefault(each.rule, []).append(each.path)
    for rule, paths in by_rule.items():
        more = ", ..." if len(paths) > KEYS_SHOWN else ""
        line = f"left out, {rule}: {len(paths):,} ({', '.join(paths[:KEYS_SHOWN])}{more})"
        on.print(Text(line, style="dim"))


def troubles(found: Sequence[Trouble], addresses: int, *, on: Console = aside) -> None:
    """What a look at files alone said."""
    for each in found[:REASONS_SHOWN]:
        on.print(Text(f"  {each.key}: {each.reason}", style="yellow"))
    if addresses:
        on.print(f"  {addresses:,} web pages would have to be fetched first, and are left out here")


def pruning(found: Pruning, *, would: bool = False, on: Console = aside) -> None:
    for why in found.spared:
        on.print(Text(f"Nothing is removed: {why}.", style="yellow"))
    if not found.gone:
        on.print("No document's file is gone.", style="green")
        return
    on.print(f"\n{'Would be removed' if would else 'Gone'} ({len(found.gone):,}):", style="yellow")
    for each in found.gone[:REASONS_SHOWN]:
        on.print(Text(f"  {each.key}"))
    if len(found.gone) > REASONS_SHOWN:
        on.print(f"  ... and {len(found.gone) - REASONS_SHOWN:,} more")


def summary(done: Summary, outcomes: Sequence[Outcome], *, on: Console = aside) -> None:
    """The account of a run: counts, then every file that is not in the collection, and why."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("files", f"{done.files:,}")
    for name in ("indexed", "unchanged", "refused", "failed", "removed"):
        if value := getattr(done, name):
            table.add_row(f"  {name}", f"{value:,}")
    table.add_row("pages", f"{done.pages:,}")
    table.add_row("  of them OCRed", f"{done.pages_ocred:,}")
    table.add_row("chunks", f"{done.chunks:,}")
    table.add_row("seconds", f"{done.seconds:,.1f}")
    if done.saved != Saved():
        table.add_row(*saved(done.saved), style="green")
    on.print(table)
    if done.files and not done.sent:
        which = "every file" if done.unchanged == done.files else "every file that can be read"
        on.print(f"Nothing to do: {which} is already there.", style="green")
    not_read([o for o in outcomes if o.state in ("refused", "failed")], on)


def interrupted(outcomes: Iterable[Outcome], files: int, *, on: Console = aside) -> None:
    """How far it came, and what becomes of the rest."""
    states = [outcome.state for outcome in outcomes]
    there = sum(state in ("indexed", "unchanged") for state in states)
    more = f", {len(states) - there:,} not read" if len(states) > there else ""
    on.print(f"Interrupted after {len(states):,} of {files:,} files: {there:,} are in{more}.")
    on.print(
        "What is in stays. What was handed in to a server is read there all the same; the same"
        " command goes on with the rest."
    )


def saved(known: Saved) -> tuple[str, str]:
    """Two cells of a table."""
    pages = f"{known.pages:,} page{'s' if known.pages > 1 else ''}, " if known.pages else ""
    return "known, and not paid again", f"{pages}{known.tokens:,} tokens: ${known.usd:.4f}"


def not_read(bad: Sequence[Outcome], on: Console) -> None:
    """Those with the same reason together."""
    if not bad:
        return
    on.print(f"\nNot in the collection ({len(bad)}):", style="yellow")
    same: dict[tuple[str, str | None], list[Outcome]] = {}
    for outcome in bad:
        alike = outcome.code if outcome.code == BudgetExhausted.code else outcome.reason
        same.setdefault((outcome.state, alike), []).append(outcome)
    for outcomes in list(same.values())[:REASONS_SHOWN]:
        named = ", ".join(outcome.key for outcome in outcomes[:KEYS_SHOWN])
        more = len(outcomes) - KEYS_SHOWN
        line = Text("  ").append(f"{named}{f' and {more:,} more' if more > 0 else ''}: ", "bold")
        line.append(f"{outcomes[0].state}, {outcomes[0].reason}")
        on.print(line)
    left = sum(map(len, list(same.values())[REASONS_SHOWN:]))
    if left:
        on.print(f"  ... and {left} more; --report FILE lists all of them")
    states = {outcome.state for outcome in bad}
    if "failed" in states:
        on.print("The same command tries again what failed.", style="yellow")
    if "refused" in states:
        on.print("What was refused is tried again when it has changed.", style="dim")


def degraded(result: dict[str, Any], *, on: Console = aside) -> None:
    """Why a search, or that of an answer, had less to go by than it should."""
    if result.get("degraded"):
        on.print(result["degraded"], style="yellow")


def answer(answered: dict[str, Any], *, address: str | None = None, on: Console = results) -> None:
    """The answer's text with numbered marks, then each quotation and where it stands.

    Args:
        address: of the server where each can be looked at; None where none runs.
    """
    numbers = {c["id"]: n for n, c in enumerate(answered["citations"], start=1)}
    if answered["outcome"] != "answered":
        on.print(Text(f"No answer ({answered['outcome']}). {answered['text']}", style="yellow"))
        for hit in answered["nearest"][:3]:
            on.print(Text(f"  nearest: {place(hit)}", style="dim"))
        return
    for look in answered["looked"]:
        aside.print(Text(f"looked: {look['verb']} {look['arguments']}", style="dim"))
    on.print(_marked(answered, numbers))
    on.print()
    for citation in answered["citations"]:
        head = Text(f"[{numbers[citation['id']]}] ", style="cyan")
        picture = _picture(citation, address)
        head.append(place(citation), style=Style(bold=True, link=picture))
        if citation["verified"] != "exact":
            head.append(f" ({citation['verified']})", style="dim")
        on.print(head)
        if picture and not on.is_terminal:
            on.print(Text(f"{INDENT}{picture}", style="dim"), soft_wrap=True)
        if citation["code"]:
            code = visible(textwrap.indent(_as_it_stands(citation), INDENT))
            on.print(Text(code), soft_wrap=True)
        else:
            quote = visible(" ".join(citation["quote"].split()))
            on.print(Padding(Text(f"“{quote}”"), (0, 0, 0, len(INDENT))))
    on.print(Text(f"answered by: {answered['answerer']}", style="dim"))


def _picture(citation: dict[str, Any], address: str | None) -> str | None:
    """Where the page with the quotation marked can be looked at; else its document."""
    links = citation["links"]
    path = links.get("image") or links.get("document")
    return f"{address.rstrip('/')}{path}" if address and path else None


def _as_it_stands(citation: dict[str, Any]) -> str:
    """Code on its own lines."""
    return textwrap.dedent(" " * _indent(citation) + citation["quote"])


def _indent(citation: dict[str, Any]) -> int:
    """Of the first line, which a quotation begins after: that of the others, or a step less where
    it opens what they are in."""
    first, *rest = citation["quote"].splitlines()
    least = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    return max(0, least - 4) if first.rstrip().endswith((":", "{", "(", "[")) else least


def hits(found: Iterable[dict[str, Any]], *, on: Console = results) -> None:
    for number, hit in enumerate(found, start=1):
        head = Text(f"{number:2d}. ", style="cyan")
        head.append(place(hit), style="bold")
        head.append(f"  {hit['score']:.3f} {'+'.join(hit['found_by'])}", style="dim")
        on.print(head)
        if hit.get("also"):
            on.print(Text(f"    also in {_also(hit['also'])}", style="dim"))
        passage = visible(" ".join(hit["text"].split()))
        shown = passage[:PASSAGE_SHOWN] + ("…" if len(passage) > PASSAGE_SHOWN else "")
        on.print(Padding(Text(shown), (0, 0, 1, 4)))


def miss(told: dict[str, Any], *, on: Console = results) -> None:
    """Where a document was lost, and what would have found it."""
    style = "green" if told["found"] else "yellow"
    lost = "" if told["found"] else f"{told['lost'].replace('_', ' ')}: "
    on.print(Text(f"{told['key']}: {lost}{told['reason']}", style=style))
    for leg in ("dense", "words"):
        if place := told[leg]:
            rank = f"{place['rank']:,}" if place["rank"] else "far down"
            on.print(Text(f"  {leg}: rank {rank}, score {place['score']:.3f}", style="dim"))
    for each in told["advice"]:
        on.print(Text(f"  would find it: {each}"))


def _also(others: Sequence[dict[str, Any]]) -> str:
    named = ", ".join(each["key"] for each in others[:KEYS_SHOWN])
    more = len(others) - KEYS_SHOWN
    return f"{named} and {more:,} more" if more > 0 else named


def place(where: dict[str, Any]) -> str:
    """Document, page or lines, and headings of a hit or citation, in one line."""
    return visible(_place_in_code(where) if where.get("code") else _place_in_text(where))


def _place_in_text(where: dict[str, Any]) -> str:
    pages = [p["number"] if isinstance(p, dict) else p for p in where.get("pages") or ()]
    parts = [where["key"]]
    if pages:
        parts.append(("page " if len(pages) == 1 else "pages ") + ", ".join(map(str, pages)))
    elif where.get("lines"):
        first, last = where["lines"]
        parts.append(f"line {first}" if first == last else f"lines {first}-{last}")
    headings = (where.get("source") or where).get("heading_path") or ()
    if headings:
        parts.append(" > ".join(headings))
    return ", ".join(parts)


def _place_in_code(where: dict[str, Any]) -> str:
    """`src/http.py:12-14, shop at 0123abcd4567`, as editors and terminals open it."""
    code, (first, last) = where["code"], where["lines"]
    lines = str(first) if first == last else f"{first}-{last}"
    at = f" at {code['commit'][:12]}" if code["commit"] else ""
    changed = " and not committed" if code["dirty"] else ""
    return f"{where['key']}:{lines}, {code['repository']}{at}{changed}"


def _marked(answered: dict[str, Any], numbers: dict[str, int]) -> Text:
    text = Text()
    position = 0
    for claim in answered["claims"]:
        text.append(answered["text"][position : claim["end"]])
        marks = "".join(f"[{numbers[c]}]" for c in claim["citations"])
        text.append(f" {marks}", style="cyan")
        if not claim["supported"]:
            text.append(" (not proven)", style="yellow")
        position = claim["end"]
    text.append(answered["text"][position:])
    return text
