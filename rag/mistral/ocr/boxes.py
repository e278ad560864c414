"""Corners in pixels -> boxes in fractions of the page, as far as they can be believed."""

import math
from collections.abc import Sequence

from rag.domain import Box
from rag.mistral.wire.ocr import Corners, OcrDimensions


def box_of(corners: Corners, frame: OcrDimensions | None) -> Box | None:
    """Cut off at the page's edges; None for a box without an area on the page, and where the
    page's size is not known."""
    x0, y0 = corners.top_left_x, corners.top_left_y
    x1, y1 = corners.bottom_right_x, corners.bottom_right_y
    if x0 is None or y0 is None or x1 is None or y1 is None:
        return None
    if frame is None or frame.width <= 0 or frame.height <= 0:
        return None
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        return None
    left, right = _within(x0 / frame.width), _within(x1 / frame.width)
    top, bottom = _within(y0 / frame.height), _within(y1 / frame.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _within(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def around(boxes: Sequence[Box | None]) -> Box | None:
    """The smallest box that holds them all; None where one of them is not known."""
    known = [box for box in boxes if box is not None]
    if not known or len(known) < len(boxes):
        return None
    lefts, tops, rights, bottoms = zip(*known, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
