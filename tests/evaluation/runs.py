"""Runs made up from scores, for what is said of them."""

from collections.abc import Mapping, Sequence

from rag.evaluation.runs import Arm, Asked, Run, Setting, Shown, Trace, figures
from rag.evaluation.scoring import CURVE
from rag.evaluation.summaries import latency


def setting(name: str, mode: str = "hybrid", *, tokens: int = 256, weight: float = 0.7) -> Setting:
    return Setting(name, mode, "tiny", tokens, weight if mode == "hybrid" else None, 1_000)


def run_of(arms: Mapping[Setting, Sequence[float]], *, made_by: str = "") -> Run:
    """
    Args:
        arms: of each question, its nDCG@10; recall is as good at every number of hits.
    """
    traces = {each.name: [_trace(score) for score in scores] for each, scores in arms.items()}
    number = len(next(iter(arms.values())))
    questions = tuple(
        Asked(
            str(n),
            f"question {n}?",
            {name: found[n] for name, found in traces.items()},
            (Shown("a.md", "A", "some text"),),
            ("a.md",),
        )
        for n in range(number)
    )
    judged = tuple(
        Arm(each, figures([t.scores for t in traces[each.name]]), latency([4.0, 5.0, 9.0]))
        for each in arms
    )
    return Run("made up", "document", number, 20, judged, questions, "digest", made_by=made_by)


def _trace(score: float) -> Trace:
    scores = {"ndcg@10": score, "mrr@10": score} | {f"recall@{k}": score for k in CURVE}
    return Trace(scores, {"a.md": 1 if score else None})
