"""Ranked chunks -> what a response shows: spans as they are, or files with their spans.

A file stands where its evidence puts it: its best chunk, and a share of the others, since a file
about something speaks of it in many places.
"""

from collections.abc import Sequence

from rag.ranking.code.order import CodeRanked

SHARE = 0.12
"""Of what a file's further chunks add to its best one's score."""

COUNTED = 12  # chunks of a file that count; more say no more


def by_file(ranked: Sequence[CodeRanked]) -> list[tuple[float, tuple[CodeRanked, ...]]]:
    """Files, best first, each with its chunks, best first."""
    files: dict[str, list[CodeRanked]] = {}
    for each in ranked:
        files.setdefault(each.candidate.path, []).append(each)
    scored = [(_evidence(chunks), tuple(chunks)) for chunks in files.values()]
    return sorted(scored, key=lambda each: -each[0])


def _evidence(chunks: Sequence[CodeRanked]) -> float:
    return chunks[0].score + SHARE * sum(each.score for each in chunks[1:COUNTED])
