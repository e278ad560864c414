"""What a line of text says: its image -> characters with a confidence.

The network reads an image 48 pixels high and says for every 8 pixels of its width which character
is there, or none (connectionist temporal classification: Graves et al., ICML 2006).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct

from rag.local.ocr.detection import Quads
from rag.local.ocr.models import Floats, Model, normalized
from rag.local.ocr.page import Image

HEIGHT = 48
"""Pixels; fixed by the network."""

BATCH_PIXELS = 8 * 320
"""Width of all images of a batch together: bounds memory, since each 8 pixels cost 18,710
probabilities."""


class Reading(Struct, frozen=True):
    text: str
    confidence: float
    """Mean over its characters; 0 where there are none."""


def cut_out(image: Image, quad: Quads) -> Image:
    """The quadrilateral, straightened."""
    width = max(1, round(float(np.linalg.norm(quad[1] - quad[0]))))
    height = max(1, round(float(np.linalg.norm(quad[3] - quad[0]))))
    target = np.array([[0, 0], [width, 0], [width, height]], np.float32)
    affine = cv2.getAffineTransform(quad[:3].astype(np.float32), target)
    straight = cv2.warpAffine(
        image, affine, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(straight, np.uint8)


def recognize(lines: Sequence[Image], model: Model, alphabet: Sequence[str]) -> list[Reading]:
    """What each line says, in the order given. Lines of like width are read together."""
    scaled = [_scaled(line) for line in lines]
    by_width = sorted(range(len(lines)), key=lambda i: scaled[i].shape[1])
    readings: dict[int, Reading] = {}
    for batch in _batches(by_width, [line.shape[1] for line in scaled]):
        probabilities = model(_padded([scaled[i] for i in batch]))
        for i, steps in zip(batch, probabilities, strict=True):
            readings[i] = _decoded(steps, alphabet)
    return [readings[i] for i in range(len(lines))]


def _scaled(line: Image) -> Image:
    height, width = line.shape[:2]
    to_width = max(8, round(width * HEIGHT / height))
    shrinks = height > HEIGHT
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(line, (to_width, HEIGHT), interpolation=method), np.uint8)


def _batches(order: Sequence[int], widths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in order:
        # sorted by width, so this one is the widest so far and all are padded to it
        if batches and (len(batches[-1]) + 1) * widths[i] <= BATCH_PIXELS:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def _padded(lines: Sequence[Image]) -> Floats:
    width = max(line.shape[1] for line in lines)
    batch = np.zeros((len(lines), 3, HEIGHT, width), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[:, :, : line.shape[1]] = normalized(line)
    return batch


def _decoded(steps: Floats, alphabet: Sequence[str]) -> Reading:
    """Best character per step, repetitions folded, blanks dropped."""
    best = steps.argmax(axis=1)
    starts = np.flatnonzero((best != 0) & (np.diff(best, prepend=0) != 0))
    if not starts.size:
        return Reading("", 0.0)
    confidence = float(steps[starts, best[starts]].mean())
    return Reading("".join(alphabet[best[s]] for s in starts), confidence)
