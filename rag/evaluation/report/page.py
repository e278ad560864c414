"""A run as one page of HTML that needs nothing else: no network, no script."""

from html import escape

from rag.evaluation.advice import advise, compared
from rag.evaluation.answers import Answers, Verdict
from rag.evaluation.paired import in_words
from rag.evaluation.report.misses import Miss, command, misses, ranked
from rag.evaluation.report.plots import (
    differences_plot,
    latency_plot,
    recall_plot,
    settings_plot,
)
from rag.evaluation.report.style import STYLE
from rag.evaluation.runs import HEADLINE, Run
from rag.evaluation.summaries import Spread

MISSES = 40
"""Questions shown that went wrong."""

NAMES = {
    "ndcg@10": "nDCG@10",
    "recall@10": "recall@10",
    "recall@100": "recall@100",
    "mrr@10": "MRR@10",
    "hit_rate@10": "any in 10",
    "page_evidence@5": "page in 5 hits",
    "page_evidence@5_in_document": "page in 5 hits, document known",
}
"""Figures that are shown where they were measured."""


def page(run: Run) -> str:
    parts = [_head(run), _advice(run), _plots(run), _table(run), _differences(run)]
    parts += [_answers(run.answers) if run.answers else "", _misses(run)]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(run.name)}: search measured</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _head(run: Run) -> str:
    head = run.arms[0]
    big = "".join(
        f"<div><small>{escape(NAMES[name])}</small><b>{head.figures[name].mean:.3f}</b>"
        f"<small>{_range(head.figures[name])}</small></div>"
        for name in NAMES
        if name in head.figures and name != "hit_rate@10"
    )
    setting = head.setting
    weight = "" if setting.dense_weight is None else f", dense weight {setting.dense_weight:g}"
    cost = "" if not float(run.cost_usd) else f", ${run.cost_usd} spent"
    return (
        f"<h1>{escape(run.name)}</h1>"
        f'<p class="dim">{run.queries:,} questions over {run.documents:,} documents, judged by the'
        f" {run.grain}; {escape(setting.embedding_model or 'words alone')}, {setting.chunks:,}"
        f" chunks of at most {setting.chunk_tokens} tokens{weight}; rag {escape(run.version)}"
        f"{cost}. Figures are of “{escape(setting.name)}”, with 95 % intervals.</p>"
        f'<div class="big">{big}</div>'
    )


def _advice(run: Run) -> str:
    items = "".join(
        f"<li><b>{escape(each.about)}</b> {escape(each.text)}</li>" for each in advise(run)
    )
    return f'<section class="card"><h2>What to use</h2><ul class="advice">{items}</ul></section>'


def _plots(run: Run) -> str:
    figures = [
        _figure("Settings", f"{NAMES[HEADLINE]} with its 95 % interval.", settings_plot(run)),
        _figure("Recall over hits", "The band is the first setting's interval.", recall_plot(run)),
    ]
    if any(arm.latency_ms for arm in run.arms):
        caption = "Milliseconds of a search for ten hits; the lines are p50 and p99."
        figures.append(_figure("Time", caption, latency_plot(run.arms)))
    for each in compared(run)[:3]:
        apart = each.difference
        caption = (
            f"{apart.wins:,} questions better, {apart.losses:,} worse,"
            f" {apart.questions - apart.wins - apart.losses:,} alike. {in_words(apart)}"
        )
        title = f"{apart.other} against {apart.base}, question by question"
        figures.append(_figure(title, caption, differences_plot(run, apart.base, apart.other)))
    return f'<div class="cards">{"".join(figures)}</div>'


def _figure(title: str, caption: str, drawn: str) -> str:
    return (
        f'<figure class="card"><h2>{escape(title)}</h2>'
        f"<figcaption>{escape(caption)}</figcaption>{drawn}</figure>"
    )


def _table(run: Run) -> str:
    names = [name for name in NAMES if name in run.arms[0].figures]
    head = "".join(f"<th>{escape(NAMES[name])}</th>" for name in names)
    rows = "".join(
        f"<tr><td>{escape(arm.setting.name)}</td>"
        + "".join(
            f"<td>{arm.figures[name].mean:.3f}<small>{_range(arm.figures[name])}</small></td>"
            for name in names
        )
        + "</tr>"
        for arm in run.arms
    )
    return (
        '<section class="card"><h2>All figures</h2><div class="scroll"><table>'
        f"<tr><th></th>{head}</tr>{rows}</table></div></section>"
    )


def _differences(run: Run) -> str:
    """Of settings beyond those that are drawn."""
    rest = compared(run)[3:]
    items = "".join(f"<li>{escape(in_words(each.difference))}</li>" for each in rest)
    drawn = f'<section class="card after"><h2>Other settings</h2><ul>{items}</ul></section>'
    return drawn if rest else ""


def _answers(answers: Answers) -> str:
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{found.mean:.3f}"
        f"<small>{_range(found)}</small></td></tr>"
        for name, found in answers.figures.items()
    )
    times = answers.latency_ms
    wrong = [each for each in answers.verdicts if each.answerable != each.is_answered]
    wrong += [each for each in answers.verdicts if each.first_is_evidence is False]
    told = "".join(_verdict(each) for each in wrong[:MISSES])
    return (
        f'<section class="card after"><h2>Answers by {escape(answers.answerer)}</h2>'
        f'<p class="dim">{answers.answerable:,} questions with an answer,'
        f" {answers.unanswerable:,} without; p50 {times.p50:.0f} ms, p99 {times.p99:.0f} ms.</p>"
        f'<div class="scroll"><table>{rows}</table></div></section>'
        f'<h2 class="after">Answers that went wrong</h2><p class="dim">{len(wrong):,} of'
        f" {len(answers.verdicts):,}: refused or given wrongly, or cited beside the evidence.</p>"
        f"{told}"
    )


def _verdict(verdict: Verdict) -> str:
    if not verdict.is_answered:
        why = "refused"
    elif not verdict.answerable:
        why = "should be refused"
    else:
        why = "beside the evidence"
    return (
        f"<details><summary><b>{why}</b> {escape(verdict.text)}</summary>"
        f"<p>{escape(verdict.answer)}</p></details>"
    )


def _misses(run: Run) -> str:
    found = misses(run, MISSES)
    if not found:
        return "<p>No question went wrong.</p>"
    imperfect = len(misses(run, run.queries))
    told = "".join(_miss(each, run) for each in found)
    return (
        '<h2 class="after">Questions that went wrong</h2>'
        f'<p class="dim">The worst {len(found)} of {imperfect:,} that are not perfect, with their'
        f" {NAMES[HEADLINE]}.</p>{told}"
    )


def _miss(miss: Miss, run: Run) -> str:
    settings = [arm.setting.name for arm in run.arms]
    head = "".join(f"<th>{escape(name)}</th>" for name in settings)
    rows = "".join(
        f"<tr><td>{escape(unit)}</td>"
        + "".join(f"<td>{rank or '–'}</td>" for rank in ranks)
        + "</tr>"
        for unit, ranks in ranked(miss.asked, settings)
    )
    hits = "".join(
        f'<li>{escape(hit.title or hit.key)} <span class="dim">{escape(hit.key)}'
        f"{', page ' + str(hit.pages[0]) if hit.pages else ''}</span><br>"
        f'<span class="dim">{escape(hit.snippet)}</span></li>'
        for hit in miss.asked.first
    )
    line = command(miss.asked, run)
    explained = f'<p class="dim">Why: <code>{escape(line)}</code></p>' if line else ""
    return (
        f'<details id="q-{escape(miss.asked.id)}"><summary><b>{miss.score:.2f}</b>'
        f" {escape(miss.asked.text)}</summary><p>{escape(miss.why)}</p>"
        f'<div class="scroll"><table><tr><th>rank of what is relevant</th>{head}</tr>{rows}</table>'
        f'</div><p class="dim">Found first:</p><ol>{hits}</ol>{explained}</details>'
    )


def _range(spread: Spread) -> str:
    low, high = spread.interval
    return f"{low:.3f} to {high:.3f}"
