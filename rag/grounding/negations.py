"""Words that turn a statement into its opposite."""

import re
from collections.abc import Sequence

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
    r"[.!?;:,()\n\x1f。！？；：，、]+"
    r"|\b(?:but|and|while|whereas|although|though|because|which|who"
    r"|aber|und|während|obwohl|weil|mais|et|tandis|parce|pero|y|mientras|aunque|porque)\b"
)
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
    known = [clause for text in shown for clause in _clauses(text)]
    return any(_is_contradicted(clause, known) for clause in _clauses(claim))


def _is_contradicted(clause: str, known: Sequence[str]) -> bool:
    words = _content(clause)
    likeness = [len(words & _content(other)) for other in known]
    most = max(likeness, default=0)
    closest = [other for other, like in zip(known, likeness, strict=True) if like == most]
    is_negated = negations(clause) % 2
    return all(negations(other) % 2 != is_negated for other in closest)


def _clauses(text: str) -> list[str]:
    clauses: list[str] = []
    for part in _CLAUSE_END.split(text):
        words = len(_WORD.findall(part))
        if clauses and (
            words < _SHORTEST_CLAUSE or len(_WORD.findall(clauses[-1])) < _SHORTEST_CLAUSE
        ):
            clauses[-1] += f" {part}"
        elif words:
            clauses.append(part)
    return clauses


def _content(clause: str) -> frozenset[str]:
    words = (word.lower() for word in _WORD.findall(NEGATION.sub(" ", clause)))
    return frozenset(
        word[:6] for word in words if len(word) >= _SHORTEST_CONTENT or not word.isascii()
    )
