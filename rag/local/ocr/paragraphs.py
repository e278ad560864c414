"""Printed lines of one strand -> paragraphs, by what a printer does to mark them: white space
above, an indent, another size of type."""

from collections.abc import Sequence

import numpy as np

from rag.local.ocr.columns import Boxes, Row

GAP = 0.5
"""Line heights of white above a line, beyond what its strand has between lines."""

INDENT = 0.7
"""Line heights between the left edge of a paragraph's first line and that of the others."""

RESIZED = 1.5
"""Ratio of line heights from which two lines are of different type."""


def paragraphs(boxes: Boxes, strand: Sequence[Row]) -> list[list[Row]]:
    """The strand's rows, grouped."""
    frames = np.array([_frame(boxes, row) for row in strand])
    starts = _starts(frames)
    groups: list[list[Row]] = []
    for row, starts_here in zip(strand, starts, strict=True):
        if starts_here or not groups:
            groups.append([row])
        else:
            groups[-1].append(row)
    return groups


def _frame(boxes: Boxes, row: Row) -> tuple[float, float, float, float]:
    """The box around a row; its height is that of its longest piece, so that a drop cap does not
    count."""
    pieces = boxes[list(row)]
    longest = pieces[np.argmax(pieces[:, 2] - pieces[:, 0])]
    return (
        float(pieces[:, 0].min()),
        float(longest[1]),
        float(pieces[:, 2].max()),
        float(longest[3]),
    )


def _starts(frames: Boxes) -> list[bool]:
    if len(frames) < 2:
        return [True] * len(frames)
    left, top, _, bottom = frames.T
    height = bottom - top
    line = float(np.median(height))
    white = top[1:] - bottom[:-1]
    usual = float(np.median(white))
    starts = [True]
    for i in range(1, len(frames)):
        taller, lower = max(height[i], height[i - 1]), min(height[i], height[i - 1])
        apart = white[i - 1] > usual + GAP * line
        resized = taller > RESIZED * lower
        starts.append(bool(apart or resized or _is_indented(left, i, INDENT * line)))
    return starts


def _is_indented(left: np.ndarray, i: int, indent: float) -> bool:
    """Further in than the lines around it."""
    after = left[i + 1] if i + 1 < len(left) else left[i - 1]
    return bool(left[i] - left[i - 1] > indent and left[i] - after > indent)
