"""Words that turn a statement into its opposite."""

import re
from collections.abc import Sequence
from functools import lru_cache

NEGATION = re.compile(
    r"""
    \b(?! no\.?\s?\d)  (?:           # "no. 5" is a fifth, not none
      not | no | never | none | nor | neither | without | cannot | nothing | nobody | nowhere | non
    | nicht | kein(?:e[mnrs]?)? | nie | niemals | ohne | weder | nichts | niemand
    | pas | jamais | aucune? | sans | rien      # `ne` only ever comes with one of these
    | nunca | jamás | ningún | ningun[oa] | sin | tampoco | nada | não | sem | nenhuma?
    | niet | geen | nooit | zonder | не | нет | ни | без | никогда
    | لا | لم | لن | ليس | ليست | غير | לא | אין | בלי
    )\b
    | n't\b | [不没沒無无非未勿] | ない | なかった | ません | 않 | 못
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Of normal text, in which apostrophes are straight."""

_REACH = 16
"""Characters: longer than any negation with the space after it."""


def negations(text: str) -> int:
    """How often a text says no."""
    return len(NEGATION.findall(text))


def is_negated_before(text: str, at: int) -> bool:
    """Whether a negation stands right before `at`: what follows says the opposite without it."""
    before = text[max(0, at - _REACH) : at].rstrip()
    return any(match.end() == len(before) for match in NEGATION.finditer(before))


def is_negated_after(text: str, at: int) -> bool:
    """Whether a negation follows `at` in the same breath."""
    return NEGATION.match(text, at + (text[at : at + 1] == " ")) is not None


_CLAUSE_END = re.compile(
    r"[.!?;:()\n\x1f。！？；：]+"
    r"|\b(?:but|and|while|whereas|although|though|because|which|who"
    r"|aber|und|während|obwohl|weil|mais|et|tandis|parce|pero|y|mientras|aunque|porque)\b"
)
_COMMA = re.compile("[,，、]")
_WORD = re.compile("[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff]|[^\\W_]+")
_SHORTEST_CLAUSE = 3
"""Words: what is shorter is a part of its neighbor (did not, however, rise)."""
_SHORTEST_CONTENT = 3
"""Letters of a word that says what a clause is about; is, of, it say nothing."""


def contradicts(claim: str, shown: Sequence[str]) -> bool:
    """Whether a clause of the claim says no where the clause most like it says yes, or the
    reverse. Clauses are compared, so that a negation about something else does not count.

    >>> contradicts("Sales rose.", ["Sales did not rise, and costs fell."])
    True
    >>> contradicts("Costs fell.", ["Sales did not rise, and costs fell."])
    False
    """
    if not any(map(NEGATION.search, (claim, *shown))):
        return False
    return any(_is_contradicted(clause, shown) for clause in _clauses(claim))


def _is_contradicted(clause: str, shown: Sequence[str]) -> bool:
    words, is_negated = _content(clause), negations(clause) % 2
    alike: list[tuple[float, int]] = []
    for text in shown:
        for words_shown, negated in _neighborhoods(text):
            shared = len(words & words_shown)
            alike.append((shared / (len(words | words_shown) or 1), negated % 2))
    most = max((likeness for likeness, _ in alike), default=0.0)
    return all(negated != is_negated for likeness, negated in alike if likeness == most)


@lru_cache(maxsize=256)
def _neighborhoods(text: str) -> tuple[tuple[frozenset[str], int], ...]:
    """Content and negations of each clause, and of it with the one or two that follow: a claim
    may say in one clause what its quotation says in three."""
    clauses = [(_content(clause), negations(clause)) for clause in _clauses(text)]
    return tuple(
        (frozenset().union(*(words for words, _ in part)), sum(count for _, count in part))
        for length in (1, 2, 3)
        for part in (clauses[at : at + length] for at in range(len(clauses) - length + 1))
    )


def _clauses(text: str) -> list[str]:
    return [
        clause
        for part in _CLAUSE_END.split(text)
        for clause in _between_commas(part)
        if _WORD.search(clause)
    ]


def _between_commas(text: str) -> list[str]:
    clauses: list[str] = []
    for part in _COMMA.split(text):
        if clauses and min(map(_length, (part, clauses[-1]))) < _SHORTEST_CLAUSE:
            clauses[-1] += f" {part}"
        else:
            clauses.append(part)
    return clauses


def _length(clause: str) -> int:
    return len(_WORD.findall(clause))


def _content(clause: str) -> frozenset[str]:
    words = (word.lower() for word in _WORD.findall(NEGATION.sub(" ", clause)))
    return frozenset(
        word[:6] for word in words if len(word) >= _SHORTEST_CONTENT or not word.isascii()
    )
