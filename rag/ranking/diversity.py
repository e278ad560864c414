"""Hits that say the same thing twice are folded into the better one."""

from collections.abc import Iterable, Iterator

from rag.domain import Hit

HEAVY_OVERLAP = 0.5
"""Share of the shorter of two spans of one document beyond which they count as one. Chunks
overlap by a sentence by design, at most 15 %, and those stay apart."""


def fold_duplicates(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits, as they are asked for, without those that a better one already says; order kept,
    best first in, best out.

    Two hits are the same when their texts are equal but for white space (a page in two files, a
    notice on every page), or when they share most of one span of the same document.
    """
    kept: list[Hit] = []
    texts: set[str] = set()
    for hit in hits:
        text = " ".join(hit.text.split())
        if text in texts or any(_overlap_heavily(hit, other) for other in kept):
            continue
        kept.append(hit)
        texts.add(text)
        yield hit


def _overlap_heavily(a: Hit, b: Hit) -> bool:
    if a.document_id != b.document_id:
        return False
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared > HEAVY_OVERLAP * min(a.end - a.start, b.end - b.start)
