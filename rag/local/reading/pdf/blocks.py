"""Fragments of a page -> blocks: what stands together and looks alike."""

from collections.abc import Sequence

from rag.local.reading.pdf.fragments import Fragment

LEADING = 0.8
"""Of the line's height: a wider gap to the next line begins a new paragraph."""


def gathered(fragments: Sequence[Fragment]) -> list[list[Fragment]]:
    """Runs of consecutive fragments, each below the one before and set alike."""
    blocks: list[list[Fragment]] = []
    for fragment in fragments:
        if blocks and _follows(blocks[-1][-1], fragment):
            blocks[-1].append(fragment)
        else:
            blocks.append([fragment])
    return blocks


def _follows(above: Fragment, below: Fragment) -> bool:
    height = above.box[3] - above.box[1]
    gap = below.box[1] - above.box[3]
    overlaps = min(above.box[2], below.box[2]) > max(above.box[0], below.box[0])
    return overlaps and -0.5 * height < gap < LEADING * height and above.style == below.style
