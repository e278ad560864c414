"""What an evaluation found, as it is kept in a file and compared with later ones."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from rag.errors import InvalidRequest
from rag.evaluation.answers import Answers
from rag.evaluation.intervals import bootstrap
from rag.evaluation.paired import Difference, paired
from rag.evaluation.scoring import CURVE
from rag.evaluation.sets import Grain
from rag.evaluation.summaries import Latency, Spread

HEADLINE = "ndcg@10"
"""The measure by which settings are compared, unless another is named."""


class Setting(Struct, frozen=True):
    """How the library was asked, and how it was cut."""

    name: str
    mode: str
    embedding_model: str | None
    chunk_tokens: int
    dense_weight: float | None
    """Of a fusion; None where one leg was asked."""
    chunks: int


class Arm(Struct, frozen=True):
    """One setting, and how it did on all questions together."""

    setting: Setting
    figures: Mapping[str, Spread]
    latency_ms: Latency | None = None
    """Of a search for ten hits, the question's embedding included."""


class Shown(Struct, frozen=True):
    """A hit, for a person who wonders why another was not first."""

    key: str
    title: str
    snippet: str
    pages: tuple[int, ...] = ()


class Trace(Struct, frozen=True):
    """One question under one setting."""

    scores: Mapping[str, float]
    ranks: Mapping[str, int | None]
    """Of what is relevant, from 1; None where it is not among the first hundred."""


class Asked(Struct, frozen=True):
    """One question under all settings."""

    id: str
    text: str
    traces: Mapping[str, Trace]
    """By the setting's name."""
    first: tuple[Shown, ...] = ()
    """What the first setting found."""
    documents: tuple[str, ...] = ()
    """That answer it, by their keys in the library."""


class Run(Struct, frozen=True):
    """One evaluation. The first arm is the one its headline is about."""

    name: str
    """Of the set."""
    grain: Grain
    queries: int
    """Questions that were scored."""
    documents: int
    arms: tuple[Arm, ...]
    questions: tuple[Asked, ...]
    digest: str = ""
    """Of the set's files: two runs are comparable where it is the same."""
    seconds: float = 0.0
    """Of bringing the documents in."""
    cost_usd: str = "0"
    version: str = ""
    """Of this service."""
    made_by: str = ""
    """What worded the questions: `rag`, or a model's id; empty where people did, or who knows."""
    library: str = ""
    """The folder of the library that was asked; empty where it was thrown away."""
    collection: str = ""
    answers: Answers | None = None
    """None where nothing was answered."""
    left_out: tuple[str, ...] = ()
    """What of the set could not be measured, and why."""


def figures(traces: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """Means over questions, with their intervals.

    Args:
        traces: scores of each question; all have the same measures.
    """
    names = list(traces[0])
    scores = np.array([[trace[name] for name in names] for trace in traces], dtype=float)
    means = scores.mean(axis=0)
    return {
        name: Spread(float(mean), ends)
        for name, mean, ends in zip(names, means, bootstrap(scores), strict=True)
    }


def scores_of(run: Run, setting: str, measure: str) -> dict[str, float]:
    """By question.

    Raises:
        InvalidRequest: it was not measured.
    """
    known = [arm.setting.name for arm in run.arms]
    if setting not in known:
        raise InvalidRequest(f"no setting {setting!r} in this run, but: {', '.join(known)}")
    if measure not in run.questions[0].traces[setting].scores:
        measures = ", ".join(run.questions[0].traces[setting].scores)
        raise InvalidRequest(f"{measure!r} was not measured, but: {measures}")
    return {each.id: each.traces[setting].scores[measure] for each in run.questions}


def within(run: Run, base: str, other: str, measure: str = HEADLINE) -> Difference:
    """Two settings of one run."""
    return paired(
        measure,
        (base, scores_of(run, base, measure)),
        (other, scores_of(run, other, measure)),
    )


def between(
    before: Run, after: Run, settings: tuple[str, str], measure: str = HEADLINE
) -> Difference:
    """A setting of each of two runs.

    Raises:
        InvalidRequest: they were not asked the same questions.
    """
    one = scores_of(before, settings[0], measure)
    two = scores_of(after, settings[1], measure)
    if not one.keys() & two.keys():
        raise InvalidRequest("the two runs have no question in common: they are of other sets")
    return paired(measure, ("before", one), ("after", two))


def curve(arm: Arm) -> list[tuple[int, Spread]]:
    """Recall over the number of hits."""
    return [(k, arm.figures[f"recall@{k}"]) for k in CURVE]
