"""What a run says about settings, in words: which leg, which weight, which size of chunks, how many
hits."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from msgspec import Struct

from rag.evaluation.paired import LEVEL, Difference, chance, corrected
from rag.evaluation.runs import HEADLINE, Arm, Run, curve, within

WORTH = 0.005
"""Of the headline measure: a better setting that gains less is not worth a change."""

STEP = 0.02
"""Of recall: where more hits add less, fewer will do."""

MOST_READ = 20  # hits

FEW = 50
"""Questions below which little can be told apart."""


class Advice(Struct, frozen=True):
    about: str
    """leg | weight | chunks | hits | certainty"""
    text: str


class Compared(Struct, frozen=True):
    """Another setting against the first."""

    arm: Arm
    difference: Difference
    p: float
    """Corrected for how many were tried."""

    @property
    def is_better(self) -> bool:
        return self.p < LEVEL and self.difference.mean >= WORTH

    @property
    def is_worse(self) -> bool:
        return self.p < LEVEL and self.difference.mean < 0


def compared(run: Run, measure: str = HEADLINE) -> tuple[Compared, ...]:
    """All settings against the first."""
    base = run.arms[0].setting.name
    others = run.arms[1:]
    found = [within(run, base, arm.setting.name, measure) for arm in others]
    chances = corrected([each.p for each in found])
    return tuple(map(Compared, others, found, chances))


def advise(run: Run, measure: str = HEADLINE) -> tuple[Advice, ...]:
    tried = compared(run, measure)
    first = run.arms[0].setting
    said = [
        _about("leg", tried, lambda arm: arm.setting.mode != first.mode, run),
        _about("weight", tried, lambda arm: _differs_in_weight(arm, run.arms[0]), run),
        _about("chunks", tried, lambda arm: arm.setting.chunk_tokens != first.chunk_tokens, run),
        _hits(run.arms[0]),
        _certainty(run, tried),
    ]
    return tuple(each for each in said if each is not None)


def _differs_in_weight(arm: Arm, first: Arm) -> bool:
    one, two = arm.setting, first.setting
    return (one.mode, one.chunk_tokens) == (
        two.mode,
        two.chunk_tokens,
    ) and one.dense_weight != two.dense_weight


def _about(
    about: str, tried: Sequence[Compared], is_meant: Callable[[Arm], bool], run: Run
) -> Advice | None:
    meant = [each for each in tried if is_meant(each.arm)]
    if not meant:
        return None
    best = max(meant, key=lambda each: each.difference.mean)
    base = run.arms[0]
    if best.is_better:
        better = _named(about, best.arm)
        return Advice(about, f"Take {better}: it is better ({_gain(best)}). {_how(about, best)}")
    worse = [each for each in meant if each.is_worse]
    kept = _named(about, base)
    if len(worse) == len(meant):
        return Advice(about, f"Keep {kept}: it beats {_all(about, meant)} ({_gain(best)}).")
    return Advice(
        about,
        f"Keep {kept}: nothing tried is better beyond chance (best of {_all(about, meant)}:"
        f" {_gain(best)}).",
    )


def _named(about: str, arm: Arm) -> str:
    setting = arm.setting
    if about == "weight":
        return f"a dense weight of {setting.dense_weight:g}"
    if about == "chunks":
        return f"chunks of {setting.chunk_tokens} tokens"
    return {"hybrid": "meaning and words together", "dense": "meaning alone"}.get(
        setting.mode, "words alone"
    )


def _all(about: str, meant: Sequence[Compared]) -> str:
    names = [_named(about, each.arm) for each in meant]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _gain(found: Compared) -> str:
    low, high = found.difference.interval
    return (
        f"{found.arm.setting.name} {found.difference.mean:+.3f} {found.difference.measure}, 95 %"
        f" {low:+.3f} to {high:+.3f}, {chance(found.p)}"
    )


def _how(about: str, best: Compared) -> str:
    setting = best.arm.setting
    if about == "weight":
        return f'Set it: PATCH /v1/collections/NAME {{"dense_weight": {setting.dense_weight:g}}}.'
    if about == "chunks":
        return f"Set it: rag reindex -C NAME --chunk-tokens {setting.chunk_tokens} --switch."
    return f"Ask so: rag search --mode {setting.mode}."


def _hits(arm: Arm) -> Advice:
    """As many as go on adding, of as many as anybody reads."""
    points = curve(arm)
    read = [(k, spread.mean) for k, spread in points if k <= MOST_READ]
    told = ", ".join(f"{share:.0%} in {k}" for k, share in read)
    for (k, here), (_, after) in pairwise(read):
        if here > 0 and after - here < STEP:
            return Advice("hits", f"k = {k}: of what is relevant, {told}; more hits add little.")
    _, all_of_them = points[-1]
    return Advice(
        "hits",
        f"k = {MOST_READ} at least: of what is relevant, {told}, and {all_of_them.mean:.0%} in"
        f" {points[-1][0]}.",
    )


def _certainty(run: Run, tried: Sequence[Compared]) -> Advice:
    said = [f"{run.queries:,} questions."]
    if tried:
        seen = max(each.difference.visible for each in tried)
        said.append(f"Differences below about {seen:.3f} may stay hidden in this set.")
    if run.queries < FEW:
        said.append("These are few: write or make more.")
    if run.made_by == "rag":
        said.append(
            "A program worded them from the documents' own words, which favors words over meaning:"
            " of leg and weight, believe the collection's self-check before this set."
        )
    return Advice("certainty", " ".join(said))
