"""By how much a page leans, told from its ink alone: where lines of print lie level, rows of pixels
are either full of it or empty."""

import cv2
import numpy as np
import numpy.typing as npt

from rag.local.ocr.page import Image

SIDE = 700
"""Pixels of the longer side of what is looked at: a line of print is nine high."""
MOST = 10.0
"""Degrees that are tried: a sheet that was laid into a scanner lies less askew."""
COARSE, FINE = 1.0, 0.2
"""Degrees between two tries, and around the best of them."""
CLEARLY = 1.5
"""Times that rows differ more at the angle that is told than as the page lies: drawings and specks
have no angle at which they are lines."""


def leaning(image: Image) -> float:
    """Degrees, clockwise, by which lines of print run askew; 0 where they do not, or there are
    none."""
    ink = _ink(image)
    coarse = max(np.arange(-MOST, MOST + COARSE, COARSE), key=lambda angle: _evenness(ink, angle))
    around = np.arange(coarse - COARSE, coarse + COARSE + FINE, FINE)
    best = max(around, key=lambda angle: _evenness(ink, angle))
    is_clear = _evenness(ink, best) > CLEARLY * _evenness(ink, 0.0)
    return float(best) if is_clear else 0.0


def _ink(image: Image) -> npt.NDArray[np.uint8]:
    """1 where it is dark."""
    gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, SIDE / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, ink = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return np.asarray(ink, np.uint8)


def _evenness(ink: npt.NDArray[np.uint8], degrees: float) -> float:
    """How much neighboring rows differ once the page is turned counterclockwise by so much."""
    height, width = ink.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_NEAREST)
    return float((np.diff(turned.sum(axis=1, dtype=np.int64)) ** 2).sum())
