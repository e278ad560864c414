"""Which way up a page is: quarter turns, and the few degrees by which a scan is askew."""

from collections.abc import Sequence

import cv2
import numpy as np

from rag.domain import Box
from rag.local.ocr.detection import Quads
from rag.local.ocr.models import Floats, Network, normalized
from rag.local.ocr.page import Image

ELONGATED = 1.5
"""Ratio of sides from which a box says which way its text runs."""

VOTERS = 24
"""Longest lines that are asked whether they stand on their head."""

READERS = 6
"""Of them, those that are read both ways where the vote is unclear."""

UNCLEAR = (0.15, 0.75)
"""Shares of the vote between which the lines are read. Of 66 pages in four turns each, Latin print
had up to 0.17 upright and 0.80 or more on its head; Korean and Arabic pages lay between."""

SEEN = (48, 192)
"""Height and width in pixels of a line as the orientation network sees it."""

LEVEL = 0.3
"""Degrees; a page less askew is left as it is. Across 80 characters, 0.3 degrees are a fifth of
a line's height."""


def sizes(quads: Quads) -> tuple[Floats, Floats]:
    """Lengths of the top sides and of the left sides."""
    across = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    down = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    return across.astype(np.float32), down.astype(np.float32)


def is_sideways(quads: Quads) -> bool:
    """Whether most text, by length, runs up or down."""
    across, down = sizes(quads)
    upright = across[across > ELONGATED * down].sum()
    sideways = down[down > ELONGATED * across].sum()
    return bool(sideways > upright)


def skew(quads: Quads) -> float:
    """Degrees, clockwise, by which the longer half of the lines run askew: their median."""
    if not len(quads):
        return 0.0
    across, down = sizes(quads)
    long = (across >= np.median(across)) & (across > 5 * down)
    if not long.any():
        return 0.0
    run = quads[long, 1] - quads[long, 0]
    return float(np.median(np.degrees(np.arctan2(run[:, 1], run[:, 0]))))


def longest(quads: Quads) -> Quads:
    """The lines that are asked which way up they are."""
    across, _ = sizes(quads)
    return quads[np.argsort(-across, kind="stable")[:VOTERS]]


def upside_down(lines: Sequence[Image], network: Network) -> float:
    """How sure the lines are, together, that they stand on their head: 0 to 1."""
    votes = network(np.stack([_seen(line) for line in lines]))
    return float(votes[:, 1].mean())


def turned(image: Image, quarters: int) -> Image:
    """By so many quarter turns clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarters))


def straightened(image: Image, degrees: float) -> tuple[Image, Floats]:
    """The image turned counterclockwise by `degrees`, same size, and the (2, 3) affine map from
    its pixels back to the original's. An image that is level enough comes back as it is."""
    if abs(degrees) < LEVEL:
        return image, np.eye(2, 3, dtype=np.float32)
    height, width = image.shape[:2]
    there = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    straight = cv2.warpAffine(
        image, there, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(straight, np.uint8), np.asarray(cv2.invertAffineTransform(there), np.float32)


def as_it_lay(box: Box, back: Floats, shape: tuple[int, ...]) -> Box:
    """Around a box of a page that was straightened: in fractions of the page before that.

    Args:
        box: in pixels.
        back: as of `straightened`.
        shape: height and width of the page.
    """
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ back.T
    fractions = np.clip(corners / (shape[1], shape[0]), 0, 1)
    (left, top), (right, bottom) = fractions.min(axis=0), fractions.max(axis=0)
    return float(left), float(top), float(right), float(bottom)


def _seen(line: Image) -> Floats:
    """Start of the line, scaled to the network's height, padded on the right."""
    height, width = SEEN
    scaled = max(1, round(line.shape[1] * height / line.shape[0]))
    small = np.asarray(cv2.resize(line, (scaled, height)), np.uint8)[:, :width]
    padded = np.zeros((3, height, width), np.float32)
    padded[:, :, : small.shape[1]] = normalized(small)
    return padded
