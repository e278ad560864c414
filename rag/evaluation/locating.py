"""Where the evidence of a question stands in the documents as they were read."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from rag.evaluation.scoring import passage_unit
from rag.evaluation.sets import Question

Places: TypeAlias = dict[str, list[tuple[str, int, int]]]
"""Document, start and end, by unit."""


def evidence_spans(question: Question, texts: Mapping[str, str]) -> Places:
    """Every place at which each quotation stands in its document, by unit; a unit whose quotation
    is not in it is left out.

    Args:
        texts: of documents, by id.
    """
    spans = {
        passage_unit(n): [
            (place.doc, start, end)
            for start, end in occurrences(place.quote or "", texts.get(place.doc, ""))
        ]
        for n, place in enumerate(question.evidence)
    }
    return {unit: places for unit, places in spans.items() if places}


def occurrences(quote: str, text: str) -> list[tuple[int, int]]:
    """Wherever spaces and line ends fall differently too.

    >>> occurrences("so it was", "And so it\\n was.")
    [(4, 14)]
    """
    words = quote.split()
    if not words:
        return []
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    return [match.span() for match in pattern.finditer(text)]
