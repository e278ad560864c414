"""Code that is to be changed, and where a search says it is: figures of cases whose files are
known."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from rag.evaluation.metrics import mrr, recall
from rag.evaluation.paired import Difference, paired
from rag.evaluation.summaries import Latency, Spread, latency, spread

DEPTHS = (1, 5, 10)
BUDGETS = (1_000, 2_000, 4_000, 8_000)
"""Tokens that somebody reads of what was found."""

CHARACTERS = 4
"""Of a token of code, about: the same for every setting, whatever its model counts."""

HEADLINE = "acc@5"
ASKED = 40  # files that are asked for: more than any figure needs


class Found(Struct, frozen=True):
    """A file among the hits of a case, best first."""

    path: str
    characters: int
    """Of the text that is shown of it."""


class CodeArm(Struct, frozen=True):
    """What one setting makes of all cases."""

    name: str
    figures: dict[str, Spread]
    latency_ms: Latency
    scores: dict[str, dict[str, float]]
    """By figure and case."""


def case_scores(found: Sequence[Found], wanted: Sequence[str]) -> dict[str, float]:
    """Of one case. `acc@k` is 1 where all its files are among the first k (as SWE-bench's
    localization counts it)."""
    paths = [each.path for each in found]
    gold = dict.fromkeys(wanted, 1.0)
    scores = {f"acc@{k}": float(recall(paths, gold, k=k) == 1) for k in DEPTHS}
    scores["mrr@10"] = mrr(paths, gold)
    for budget in BUDGETS:
        scores[f"recall@{budget}_tokens"] = recall(_within(found, budget), gold, k=len(paths))
    return scores


def arm_of(
    name: str, scores: Mapping[str, Mapping[str, float]], milliseconds: Sequence[float]
) -> CodeArm:
    """
    Args:
        scores: by case; of one at least.
    """
    figures = next(iter(scores.values()))
    by_figure = {
        figure: {case: each[figure] for case, each in scores.items()} for figure in figures
    }
    return CodeArm(
        name,
        {figure: spread(list(each.values())) for figure, each in by_figure.items()},
        latency(milliseconds),
        by_figure,
    )


def differences(arms: Sequence[CodeArm]) -> list[Difference]:
    """Each setting beside the first."""
    base, *others = arms
    return [
        paired(
            HEADLINE,
            (base.name, base.scores[HEADLINE]),
            (other.name, other.scores[HEADLINE]),
        )
        for other in others
    ]


def _within(found: Sequence[Found], tokens: int) -> list[str]:
    """Files whose text still fits, read in their order."""
    room = tokens * CHARACTERS
    read: list[str] = []
    for each in found:
        room -= each.characters
        if room < 0:
            break
        read.append(each.path)
    return read
