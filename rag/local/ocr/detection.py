"""Where the lines of text are: page image -> slanted rectangles.

The network is a differentiable binarization (Liao et al., "Real-time Scene Text Detection with
Differentiable Binarization", AAAI 2020): it marks the core of each line, about half as high as
the line, so that neighbors do not touch; each core is then grown back to the line's size.
"""

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from rag.local.ocr.models import Floats, Network, normalized
from rag.local.ocr.page import Image

Quads: TypeAlias = npt.NDArray[np.float32]
"""(n, 4, 2): corners in pixels, from the top left clockwise as the text is seen."""

LONG_SIDE = 960
"""Pixels of the page's longer side as the network sees it. On two book pages of 300 dpi, 1280 to
2000 found the same lines at 2 to 5 times the cost."""

CORE = 0.3
"""Probability from which a pixel belongs to the core of a line."""

LINE = 0.5
"""Mean probability of a core from which it is a line."""

GROWTH = 1.6
"""Cores grow on all sides by area * GROWTH / perimeter; the network was trained to shrink so."""

SMALLEST = 3
"""Pixels of the network's image: a core less high is a speck."""


def detect(image: Image, network: Network) -> Quads:
    """The lines of text, in no order."""
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    seen = cv2.resize(image, (_whole(width * scale), _whole(height * scale)), interpolation=3)
    probability = network(normalized(np.asarray(seen, np.uint8))[None])[0, 0]
    cores = [c for c in _cores(probability) if min(c[1]) >= SMALLEST]
    if not cores:
        return np.empty((0, 4, 2), np.float32)
    back = np.array([width / seen.shape[1], height / seen.shape[0]], np.float32)
    quads = np.stack([_corners(core) for core in cores]) * back
    return np.asarray(np.clip(quads, 0, (width, height)), np.float32)


_Rectangle: TypeAlias = tuple[tuple[float, float], tuple[float, float], float]
"""Center, size and slant in degrees, as OpenCV has it."""


def _whole(length: float) -> int:
    """The network halves its image five times."""
    return max(32, round(length / 32) * 32)


def _cores(probability: Floats) -> list[_Rectangle]:
    mask = (probability > CORE).astype(np.uint8)
    count, labels = cv2.connectedComponents(mask)
    area = np.bincount(labels.ravel(), minlength=count)
    mean = np.bincount(labels.ravel(), probability.ravel(), count) / np.maximum(area, 1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [
        cv2.minAreaRect(contour)  # type: ignore[misc]
        for contour in contours
        if mean[labels[contour[0, 0, 1], contour[0, 0, 0]]] >= LINE
    ]


def _corners(core: _Rectangle) -> Quads:
    """The grown rectangle's corners. Text runs along whichever side lies closer to level, unless
    the rectangle is clearly taller than wide."""
    center, (a, b), slant = core
    growth = 2 * GROWTH * a * b / (2 * (a + b))
    corners = np.asarray(cv2.boxPoints((center, (a + growth, b + growth), slant)), np.float32)
    first = int(np.argmin(corners.sum(axis=1)))
    return np.roll(corners, -first, axis=0)
