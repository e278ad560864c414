"""What a line of text says: its image -> characters with a confidence.

The network reads an image 48 pixels high and says for every 8 pixels of its width which character
is there, or none (connectionist temporal classification: Graves et al., ICML 2006).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from msgspec import Struct

from rag.domain import Doubt
from rag.local.ocr.detection import Quads
from rag.local.ocr.lookalikes import repaired
from rag.local.ocr.models import Floats, Network, normalized
from rag.local.ocr.page import SURE, Image

HEIGHT = 48
"""Pixels; fixed by the network."""

SQUEEZE = 0.85
"""Share of a line's width that is kept. On 14 pages (books, magazines, worn 150 dpi print) letters
were read as well as at 1.0 and more spaces were seen; the cost falls with the width."""

BATCH_PIXELS = 1600
"""Width of all images of a batch together: bounds memory, since each 8 pixels cost 18,710
probabilities. A longer line goes alone."""


SPECK = 10
"""An accent is believed when the letter with it is so many times as likely as without. Printed
accents came out 40 times as likely and more; of five specks of dirt above letters three were at 5
to 7, which this catches, and two at 75 and 140, which it does not."""


WORD = re.compile(r"\S+")


class Alphabet:
    """What the network's classes stand for."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = characters
        classes = {character: i for i, character in enumerate(characters)}
        self.bare = np.array([classes.get(_bare(c), i) for i, c in enumerate(characters)])
        """For each class, that of the same letter without an accent, or itself."""


def _bare(character: str) -> str:
    parts = unicodedata.normalize("NFD", character)
    return parts[0] if len(parts) > 1 and parts[0].isascii() else character


class Reading(Struct, frozen=True):
    text: str
    confidence: float
    """Mean over its characters; 0 where there are none."""
    doubts: tuple[Doubt, ...] = ()
    """Words read with less than `SURE`, as spans of the text."""


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


def recognize(lines: Sequence[Image], network: Network, alphabet: Alphabet) -> list[Reading]:
    """What each line says, in the order given. Lines of like width are read together."""
    scaled = [_scaled(line) for line in lines]
    by_width = sorted(range(len(lines)), key=lambda i: scaled[i].shape[1])
    readings: dict[int, Reading] = {}
    for batch in _batches(by_width, [line.shape[1] for line in scaled]):
        probabilities = network(_padded([scaled[i] for i in batch]))
        for i, steps in zip(batch, probabilities, strict=True):
            readings[i] = _decoded(steps, alphabet)
    return [readings[i] for i in range(len(lines))]


def _scaled(line: Image) -> Image:
    height, width = line.shape[:2]
    to_width = max(8, round(width * HEIGHT / height * SQUEEZE))
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


def _decoded(steps: Floats, alphabet: Alphabet) -> Reading:
    """Best character per step, repetitions folded, blanks dropped."""
    every = np.arange(len(steps))
    best = steps.argmax(axis=1)
    bare = alphabet.bare[best]
    best = np.where(steps[every, bare] * SPECK > steps[every, best], bare, best)
    starts = np.flatnonzero((best != 0) & (np.diff(best, prepend=0) != 0))
    if not starts.size:
        return Reading("", 0.0)
    text = "".join(alphabet.characters[best[start]] for start in starts)
    sure = steps[starts, best[starts]]
    return Reading(repaired(text), float(sure.mean()), tuple(_doubts(text, sure)))


def _doubts(text: str, sure: Floats) -> Iterator[Doubt]:
    """
    Args:
        sure: of each character.
    """
    for word in WORD.finditer(text):
        confidence = float(sure[word.start() : word.end()].mean())
        if confidence < SURE:
            yield Doubt(word.start(), word.end(), confidence)
