"""Quotation -> where it stands in what was retrieved, or why it is not believed.

The ladder: in the block it cites, across the blocks next to it, anywhere else in what was
retrieved; then once more by confusions of print that OCR is known for, in blocks it was unsure of.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import islice

from msgspec import Struct

from rag.domain import Evidence, Quotation, Verified
from rag.grounding.cuts import is_cut_clean
from rag.grounding.normalization import BORDER, Normalized, Notation, normalize
from rag.grounding.passages import Part, Passage, even_out_misreadings, is_unsure, runs

MINIMUM_WORDS = 4
MINIMUM_LETTERS = 12
"""A shorter quotation proves nothing unless it is a whole cell, line or block: "the" stands
everywhere."""

MAXIMUM_HYPHENS = 32
"""In one quotation, beyond which none of them is looked for at a line end."""

MAXIMUM_TRIES = 64
"""Occurrences of one quotation looked at in one passage, before one is found that stands alone."""


class Found(Struct, frozen=True):
    """A quotation's place. It has several parts where it runs over the end of a block."""

    verified: Verified
    parts: tuple[Part, ...]
    text: str
    """As the source has it, in normal form."""
    before: str
    """What stands before it in its clause, in normal form: "no evidence that" matters."""


class Rejected(Struct, frozen=True):
    reason: str


NOT_FOUND = Rejected("its quotation does not stand in what was retrieved")
TOO_SHORT = Rejected("its quotation is too short to prove anything")
CUT = Rejected("its quotation cuts through a word, a number or a negation")

Readings = Callable[[Notation], tuple[str, ...]]


class Passages:
    """What was retrieved, searched for quotations."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = {item.label: item for item in evidence}
        self._blocks: dict[int, Passage] = {}

    @cached_property
    def _runs(self) -> list[Passage]:
        return runs(self._evidence.values())

    def _block(self, label: int) -> Passage:
        if label not in self._blocks:
            self._blocks[label] = Passage([self._evidence[label]])
        return self._blocks[label]

    def find(self, quotation: Quotation) -> Found | Rejected:
        """The best place, or the reason why the most promising one was not good enough."""
        readings = cache(lambda notation: readings_of(quotation.quote, notation))
        reason = NOT_FOUND
        for attempt in self._ladder(quotation.block, readings):
            if isinstance(attempt, Found):
                return attempt
            if attempt is not NOT_FOUND:
                reason = attempt
        return reason

    def _ladder(self, label: int, readings: Readings) -> Iterator[Found | Rejected]:
        if label in self._evidence:
            yield find_in(self._block(label), readings, "exact")
            for run in self._runs:
                if label in run.labels and len(run.labels) > 1:
                    yield find_in(run, readings, "exact", touching=label)
        for run in self._runs:
            yield find_in(run, readings, "relocated")
        for other in sorted(self._evidence, key=lambda other: other != label):
            if is_unsure(self._evidence[other]):
                yield find_in(self._block(other), readings, "near")


def readings_of(quote: str, notation: Notation) -> tuple[str, ...]:
    """Normal forms under which a quotation may be looked for, the most literal first.

    All are safe, as the source is only ever read one way: marks without a partner, quotation
    marks and a full stop around the quotation are the model's, and so may be the space that it
    wrote for a line end after a hyphen, and the case of its first letter. Case is kept
    elsewhere: us is not US.
    """
    literal = normalize(quote, notation).text.strip(f" \n{BORDER}")
    bare = literal if notation == "code" else re.sub(r"(?<!\w)[*_`]+|[*_`]+(?!\w)", "", literal)
    bare = bare.lstrip("\"'` ").rstrip(".,;:\"'` ")
    bare = bare.lstrip(". ") if bare.startswith("...") else bare
    mended = re.sub(r"(?<=[^\W\d_])- (?=[^\W\d_])", "", re.sub(r"(?<=\w)- (?=\d)", "-", bare))
    return tuple(
        dict.fromkeys(
            form
            for reading in (literal, bare, mended)
            for form in (reading, reading[:1].swapcase() + reading[1:])
            if any(character.isalnum() for character in form)
        )
    )


def find_in(
    passage: Passage, readings: Readings, verified: Verified, *, touching: int | None = None
) -> Found | Rejected:
    """The first occurrence that stands alone and is long enough.

    Args:
        touching: label of a block that it must overlap.
    """
    reason = NOT_FOUND
    for start, end in _occurrences(passage, readings(passage.notation), verified):
        source_start, source_end = passage.normal.span(start, end)
        parts = passage.parts(source_start, source_end)
        if touching is not None and touching not in {part.evidence.label for part in parts}:
            continue
        text = passage.normal.text
        if not is_cut_clean(text, start, end):
            reason = CUT
        elif not _is_long_enough(passage, start, end):
            reason = TOO_SHORT
        else:
            return Found(verified, parts, text[start:end], _clause_before(text, start))
    return reason


def _occurrences(
    passage: Passage, readings: Sequence[str], verified: Verified
) -> Iterator[tuple[int, int]]:
    """Spans of the passage's normal form."""
    for reading in readings:
        if verified == "near":
            evened = even_out_misreadings(reading)
            found = _all(passage.as_misread.text, evened)
            spans: Iterable[tuple[int, int]] = (
                passage.as_misread.span(start, end) for start, end in found
            )
        else:
            spans = _all_with_hyphens(passage, reading)
        yield from islice(spans, MAXIMUM_TRIES)


def _all(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        yield at, at + len(wanted)
        at = text.find(wanted, at + 1)


def _all_with_hyphens(passage: Passage, wanted: str) -> Iterator[tuple[int, int]]:
    """All plain occurrences; then those in which a hyphen of the quotation was at a line end of
    the source, where normalization could not know that it was real (well-known)."""
    yield from _all(passage.normal.text, wanted)
    if 0 < wanted.count("-") <= MAXIMUM_HYPHENS and _has_joints(passage.source):
        pattern = "(-?)".join(re.escape(part) for part in wanted.split("-"))
        for match in re.finditer(pattern, passage.normal.text):
            starts = [match.start(group) for group in range(1, match.re.groups + 1)]
            if all(match.group(i + 1) or _is_joint(passage, at) for i, at in enumerate(starts)):
                yield match.span()


def _has_joints(source: str) -> bool:
    return "-\n" in source or "‐\n" in source or "- \n" in source


def _is_joint(passage: Passage, at: int) -> bool:
    """Whether normalization took a visible hyphen out of the source before `at`."""
    normal: Normalized = passage.normal
    if not 0 < at < len(normal.text):
        return False
    removed = passage.source[normal.span(at - 1, at)[1] : normal.span(at, at + 1)[0]]
    return removed[:1] in {"-", "‐"}


_WORD = re.compile("[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]|\\w+(?:[-.,'/:]\\w+)*")
"""Words; in scripts without spaces, characters."""

_CLAUSE_END = re.compile(rf"[.!?;:,()\"\n{BORDER}](?=\D|\Z)")


def _is_long_enough(passage: Passage, start: int, end: int) -> bool:
    text = passage.normal.text[start:end]
    words = len(_WORD.findall(text))
    letters = sum(map(str.isalpha, text))
    return words >= MINIMUM_WORDS or letters >= MINIMUM_LETTERS or _is_whole(passage, start, end)


def _is_whole(passage: Passage, start: int, end: int) -> bool:
    """Whether its line, or in a table its cell, says nothing else."""
    text, span = passage.normal.text, passage.normal.span
    said_before = next((at for at in range(start - 1, -1, -1) if text[at].isalnum()), None)
    said_after = next((at for at in range(end, len(text)) if text[at].isalnum()), None)
    source_start, source_end = span(start, end)
    before = passage.source[
        span(said_before, said_before + 1)[1] if said_before is not None else 0 : source_start
    ]
    after = passage.source[
        source_end : span(said_after, said_after + 1)[0] if said_after is not None else None
    ]
    borders = {"\n", "|", "\t"} if passage.notation == "table" else {"\n"}
    return (said_before is None or not borders.isdisjoint(before)) and (
        said_after is None or not borders.isdisjoint(after)
    )


def _clause_before(text: str, at: int) -> str:
    reach = text[max(0, at - 200) : at]
    return _CLAUSE_END.split(reach)[-1]
