"""Hits that say the same thing twice are folded into the better one."""

from collections.abc import Iterable

from msgspec.structs import replace

from rag.domain import Elsewhere, Hit

HEAVY_OVERLAP = 0.5
"""Share of the shorter of two spans of one document beyond which they count as one. Chunks
overlap by a sentence by design, at most 15 %, and those stay apart."""


def fold_duplicates(hits: Iterable[Hit], k: int) -> list[Hit]:
    """The first `k` hits without those that a better one already says; each names the other
    documents in which the same was found. Order kept, best first in, best out.

    Two hits are the same when their texts are equal but for white space (a page in two files, a
    notice on every page), or when they share most of one span of the same document.
    """
    kept: list[Hit] = []
    places: dict[str, int] = {}
    also: list[dict[str, Elsewhere]] = []
    for hit in hits:
        text = " ".join(hit.text.split())
        if text in places:
            at = places[text]
            if hit.document_id != kept[at].document_id:
                also[at].setdefault(hit.document_id, Elsewhere(hit.document_id, hit.key))
        elif len(kept) < k and not any(_overlap_heavily(hit, other) for other in kept):
            places[text] = len(kept)
            kept.append(hit)
            also.append({})
    return [
        replace(hit, also=tuple(others.values())) if others else hit
        for hit, others in zip(kept, also, strict=True)
    ]


def _overlap_heavily(a: Hit, b: Hit) -> bool:
    if a.document_id != b.document_id:
        return False
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared > HEAVY_OVERLAP * min(a.end - a.start, b.end - b.start)
