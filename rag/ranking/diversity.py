"""Hits that say the same thing twice are folded into the better one."""

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from rag.domain import DocumentId, Elsewhere, Hit
from rag.ranking.likeness import Said, longest, looks_alike, said, says_all

HEAVY_OVERLAP = 0.5
"""Share of the shorter of two spans of one document beyond which they count as one. Chunks
overlap by a sentence by design, at most 15 %, and those stay apart."""


def fold_duplicates(hits: Iterable[Hit], k: int, *, per_document: int | None = None) -> list[Hit]:
    """The first `k` hits without those that a better one already says; each names the other
    documents in which the same was found. Order kept, best first in, best out.

    Two hits are the same when their texts are equal but for white space (a page in two files, a
    notice on every page), when a better one `says_all` of the other, or when they share most of
    one span of the same document.

    Args:
        per_document: hits of one document at most; as many as there are where None.
    """
    kept = _Kept()
    taken: Counter[DocumentId] = Counter()
    for hit in hits:
        words = tuple(hit.text.split())
        pieces = frozenset(words)
        if (same := kept.place(hit, words, pieces)) is not None:
            kept.note(same, hit)
        elif len(kept.hits) < k and taken[hit.document_id] != per_document:
            kept.add(hit, words, pieces)
            taken[hit.document_id] += 1
    return kept.folded()


class _Kept:
    """Hits, and what is compared of each."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._also: list[dict[str, Elsewhere]] = []
        self._places: dict[tuple[str, ...], int] = {}
        self._of_document: dict[DocumentId, list[int]] = {}
        self._pieces: list[frozenset[str]] = []
        self._said: dict[int, Said] = {}

    def place(self, hit: Hit, words: tuple[str, ...], mine: frozenset[str]) -> int | None:
        """Of the one that already says it.

        Args:
            words: what stands between white space in the hit's text.
            mine: the same, each once.
        """
        if words in self._places:
            return self._places[words]
        for place in self._of_document.get(hit.document_id, ()):
            if _overlap_heavily(hit, self.hits[place]):
                return place
        asked, some = None, longest(mine)
        for place, theirs in enumerate(self._pieces):
            if not theirs.isdisjoint(some) and looks_alike(theirs, mine):
                asked = asked or said(" ".join(words))
                if says_all(self._said_at(place), asked):
                    return place
        return None

    def note(self, place: int, hit: Hit) -> None:
        """That it says the same."""
        if hit.document_id != self.hits[place].document_id:
            self._also[place].setdefault(hit.document_id, Elsewhere(hit.document_id, hit.key))

    def add(self, hit: Hit, words: tuple[str, ...], mine: frozenset[str]) -> None:
        self._places[words] = len(self.hits)
        self._of_document.setdefault(hit.document_id, []).append(len(self.hits))
        self._pieces.append(mine)
        self.hits.append(hit)
        self._also.append({})

    def folded(self) -> list[Hit]:
        return [
            replace(hit, also=tuple(others.values())) if others else hit
            for hit, others in zip(self.hits, self._also, strict=True)
        ]

    def _said_at(self, place: int) -> Said:
        if place not in self._said:
            self._said[place] = said(self.hits[place].text)
        return self._said[place]


def _overlap_heavily(a: Hit, b: Hit) -> bool:
    """Of one document."""
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared > HEAVY_OVERLAP * min(a.end - a.start, b.end - b.start)
