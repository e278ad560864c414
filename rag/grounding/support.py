"""Does a claim go beyond its quotations? A gate that needs no model.

It compares what a rewording may not change: numbers with their units, dates, names, negations.
Each must stand in the quotations, their headings or their document's title. What passes may still
be wrong (sales rose, sales fell); what does not pass is not supported.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache

from rag.domain import Evidence
from rag.grounding.dates import MONTHS, Date, Day, agree, dates
from rag.grounding.matching import Found
from rag.grounding.names import Name, names
from rag.grounding.negations import contradicts, negations
from rag.grounding.normalization import BORDER, normalize
from rag.grounding.opposites import opposed
from rag.grounding.quantities import Quantity, quantities
from rag.grounding.units import scales_of_table, units_standing_alone

_WORD = re.compile(r"\w+")
_COMPARING = re.compile(
    r"\b(?:less|fewer|below|under|up to|at most|more|over|above|exceed\w*|at least|greater|plus or"
    r"|weniger|unter|höchstens|mehr|über|mindestens|moins|plus|menos|más)\b",
    re.IGNORECASE,
)


class Vocabulary:
    """The words of all evidence, gathered when a claim's word cannot be told from a name."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = evidence

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for item in self._evidence for word in _WORD.findall(item.text))

    def has_in_lower_case(self, word: str) -> bool:
        return word.lower() in self._words

    def has_as_written(self, word: str) -> bool:
        return word in self._words


class Proof:
    """All that a claim may draw on: its quotations, and what stands over them."""

    def __init__(self, found: Sequence[Found]) -> None:
        headings = dict.fromkeys(heading for item in found for heading in _headings(item))
        self.sentences = {item.text.rstrip(".") for item in found if not negations(item.before)}
        """What may be repeated without looking closer."""
        self.clauses = [item.before + item.text for item in found]
        self.text = "\n".join([*headings, *(item.text for item in found)]).replace(BORDER, " | ")

    @cached_property
    def dates(self) -> tuple[Day, ...]:
        months: list[Day] = [(None, MONTHS[word], None) for word in self.words if word in MONTHS]
        return (*(day for date in dates(self.text) for day in date.readings), *months)

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """Those inside of dates too: a claim may name the year alone."""
        return quantities(self.text)

    @cached_property
    def units(self) -> frozenset[str]:
        return units_standing_alone(self.text)

    @cached_property
    def scales(self) -> frozenset[Decimal]:
        return scales_of_table(self.text)

    @cached_property
    def initials(self) -> str:
        """Of all capitalized words in their order: World Health Organization has WHO."""
        return "".join(word[0].lower() for word in _WORD.findall(self.text) if word[0].isupper())

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self.text))

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(map(_stem, self.words))


def objections(claim: str, proof: Proof, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What in the claim does not stand in its proof, as sentences; empty where all does."""
    text = normalize(claim).text
    if {text.rstrip("."), normalize(claim, "code").text.rstrip(".")} & proof.sentences:
        return ()
    said = dates(text)
    numbers = quantities(_without(text, said, " "))
    rest = _without(_without(text, said, "0"), numbers, "0")
    return (
        *(f"no quotation has the date {date.text}" for date in said if not _has_date(proof, date)),
        *(
            f"no quotation has the number {number.text}"
            for number in numbers
            if not _has_quantity(proof, number, text)
        ),
        *(
            f"no quotation has the name {name.text}"
            for name in names(rest)
            if not _has_name(proof, name, vocabulary)
        ),
        *(f"its quotations say the opposite of {word!r}" for word in opposed(text, proof.text)),
        *(
            ["its negation is not that of its quotations"]
            if contradicts(text, proof.clauses)
            else []
        ),
    )


def _headings(found: Found) -> Iterator[str]:
    """Title, heading path, and for a table its first row: the heads of its columns."""
    for part in found.parts:
        yield from map(_normal, (part.evidence.title, *part.evidence.heading_path))
        if part.evidence.block.kind == "table":
            yield normalize(part.evidence.text.lstrip().partition("\n")[0], "table").text


@lru_cache(maxsize=256)
def _normal(heading: str) -> str:
    return normalize(heading).text


def _without(text: str, spans: Sequence[Date | Quantity], filler: str) -> str:
    for span in spans:
        text = f"{text[: span.start]}{filler * (span.end - span.start)}{text[span.end :]}"
    return text


def _has_date(proof: Proof, date: Date) -> bool:
    years = {int(value) for number in proof.quantities for value in number.values}
    return any(
        agree(said, (said[0] if shown[0] is None and said[0] in years else shown[0], *shown[1:]))
        for said in date.readings
        for shown in proof.dates
    )


def _has_quantity(proof: Proof, said: Quantity, claim: str) -> bool:
    """As written, or the same number in another notation, with the same unit. A number under a
    heading takes the heading's unit and power of ten: (in millions of dollars)."""
    return any(
        _is_same_value(said, shown, proof)
        and _is_same_unit(said, shown, proof)
        and _is_same_bound(said, shown, claim, proof)
        for shown in proof.quantities
    )


def _is_same_value(said: Quantity, shown: Quantity, proof: Proof) -> bool:
    if not said.values:
        return said.text == shown.text
    scaled = {value * scale for value in shown.values for scale in proof.scales}
    return not said.values.isdisjoint(shown.values | scaled)


def _is_same_unit(said: Quantity, shown: Quantity, proof: Proof) -> bool:
    return said.unit in {"", shown.unit} or (not shown.unit and said.unit in proof.units)


def _is_same_bound(said: Quantity, shown: Quantity, claim: str, proof: Proof) -> bool:
    """< 5 may be put as less than 5, but neither as 5 nor as > 5."""
    if said.bound == shown.bound:
        return True
    in_words = proof.text if said.bound else claim
    return not (said.bound and shown.bound) and _COMPARING.search(in_words) is not None


def _has_name(proof: Proof, name: Name, vocabulary: Vocabulary) -> bool:
    if all(_stem(word) in proof.stems for word in _WORD.findall(name.text)):
        return True
    if name.text in MONTHS and any(shown[1] == MONTHS[name.text] for shown in proof.dates):
        return True
    if name.text.isupper() and name.text.lower() in proof.initials:
        return True
    if name.kind == "first":
        return vocabulary.has_in_lower_case(name.text)
    return name.kind == "noun" and not vocabulary.has_as_written(name.text)


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    """Without case, accents and a plural's s: people write Khloe, and Khloé."""
    letters = unicodedata.normalize("NFD", word) if not word.isascii() else word
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return plain.casefold().removesuffix("s")
