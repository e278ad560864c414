"""How near pieces come to a question by meaning, with what their documents are about and without.

A question names its topic and asks something of it. Every sentence of a document on that topic is
near to the question; the one that answers is near in what else it says.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from rag.domain import Vectors

LEAST = 0.01
"""Of what is left of a sentence without its topic, as a square: less is rounding."""


class Likeness(Struct, frozen=True):
    """Of each piece with the question."""

    cosines: tuple[float, ...]
    beyond: tuple[float, ...]
    """Cosines once the direction of the topic, the title of the piece's document, is taken out of
    both: a partial correlation. Where a title says nothing, it is nearly the plain cosine."""

    def of(self, places: Sequence[int]) -> "Likeness":
        """Of some of the pieces, by their positions."""
        cosines, beyond = ([each[n] for n in places] for each in (self.cosines, self.beyond))
        return Likeness(tuple(cosines), tuple(beyond))


def likeness(question: Vectors, pieces: Vectors, topics: Vectors) -> Likeness:
    """
    Args:
        question: (1, d).
        topics: of each piece's document, row by row.
    """
    near, asked, said = pieces @ question[0], topics @ question[0], (pieces * topics).sum(axis=1)
    left = np.maximum((1 - asked**2) * (1 - said**2), LEAST)
    beyond = (near - asked * said) / np.sqrt(left)
    return Likeness(tuple(map(float, near)), tuple(map(float, beyond)))
