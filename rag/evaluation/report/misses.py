"""Questions that went wrong, and why, as far as the legs can tell."""

import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct

from rag.evaluation.runs import HEADLINE, Asked, Run
from rag.evaluation.scoring import CUTOFFS

FIRST = CUTOFFS[0]  # hits that a person looks at

MODES = {"dense": "meaning", "words": "words"}


class Miss(Struct, frozen=True):
    asked: Asked
    score: float
    why: str


def misses(run: Run, most: int, measure: str = HEADLINE) -> list[Miss]:
    """The worst questions of the first setting, worst first; those that did perfectly are none."""
    head = run.arms[0].setting.name
    scored = sorted(run.questions, key=lambda each: each.traces[head].scores[measure])
    worst = [each for each in scored if each.traces[head].scores[measure] < 1]
    return [Miss(each, each.traces[head].scores[measure], why(each, run)) for each in worst[:most]]


def why(asked: Asked, run: Run) -> str:
    """What each leg had of the best thing that is relevant, and what that says."""
    head = run.arms[0].setting
    here = best_rank(asked.traces[head.name].ranks)
    legs = {
        MODES[arm.setting.mode]: best_rank(asked.traces[arm.setting.name].ranks)
        for arm in run.arms
        if arm.setting.mode in MODES and arm.setting.chunk_tokens == head.chunk_tokens
    }
    by_leg = ", ".join(f"by {leg} {_rank(rank)}" for leg, rank in legs.items())
    together = f"{head.name} {_rank(here)}"
    said = f"{together}; {by_leg}." if by_leg else f"{together}."
    return f"{said[0].upper()}{said[1:]} {_reason(here, legs)}".rstrip()


def best_rank(ranks: Mapping[str, int | None]) -> int | None:
    return min((rank for rank in ranks.values() if rank is not None), default=None)


def _rank(rank: int | None) -> str:
    return "not among the first hundred" if rank is None else f"at rank {rank}"


def _reason(here: int | None, legs: Mapping[str, int | None]) -> str:
    good = [leg for leg, rank in legs.items() if rank is not None and rank <= FIRST]
    if here is not None and here <= FIRST:
        return ""
    if len(good) == 1 and len(legs) > 1:
        other = next(leg for leg in legs if leg not in good)
        return f"The {good[0]} had it, and {other} outweighed that."
    if legs and all(rank is None for rank in legs.values()):
        return (
            "The question shares neither words nor meaning with it: look whether it was read well."
        )
    if here is not None:
        return "It is there, behind others that come nearer."
    return ""


def command(asked: Asked, run: Run) -> str | None:
    """That explains the miss, stage by stage; None where the library was thrown away."""
    if not run.library or not asked.documents:
        return None
    setting = run.arms[0].setting
    words = ["rag", "search", "-C", run.collection, "--mode", setting.mode]
    words += ["--why", asked.documents[0], "--", asked.text]
    return f"RAG_DATA_DIR={shlex.quote(run.library)} {shlex.join(words)}"


def ranked(asked: Asked, settings: Sequence[str]) -> list[tuple[str, list[int | None]]]:
    """Each relevant unit with its rank under each setting."""
    units = asked.traces[settings[0]].ranks
    return [(unit, [asked.traces[name].ranks.get(unit) for name in settings]) for unit in units]
