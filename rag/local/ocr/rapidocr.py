"""OCR by the networks in the `rapidocr` wheel, which every installation has.

A page is brought upright, its lines are found, cut out and read, and put in reading order.
"""

from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version

import numpy as np
from msgspec import structs

from rag.domain import Doubt
from rag.local.ocr.columns import Boxes, Row, strands
from rag.local.ocr.detection import Quads, detect
from rag.local.ocr.models import FILES, Floats, Model
from rag.local.ocr.page import Image, OcrLine, OcrPage, page_of
from rag.local.ocr.paragraphs import paragraphs
from rag.local.ocr.recognition import Alphabet, Reading, cut_out, recognize
from rag.local.ocr.turning import (
    READERS,
    UNCLEAR,
    as_it_lay,
    is_sideways,
    longest,
    skew,
    straightened,
    turned,
    upside_down,
)

TUNING = 3
"""Goes up whenever the same image would be read differently, so that kept readings are redone."""

CONFIDENT = 0.6
"""A line read with less is dropped. Of 13 pages, the printed lines had 0.65 and more; textures in
pictures less than 0.5, and handwriting, of which only nonsense is read, mostly less than 0.6."""


class RapidOcr:
    """An OcrEngine."""

    name = "rapidocr"

    def __init__(self, *, threads: int = 1) -> None:
        """
        Raises:
            ModelUnavailable: the wheel is not installed, or carries other models.
        """
        self._detector = Model("detect", threads=threads)
        self._recognizer = Model("recognize", threads=threads)
        self._orienter = Model("orient", threads=threads)

    @property
    def fingerprint(self) -> str:
        models = ",".join(name.removesuffix(".onnx") for name in FILES.values())
        return f"rapidocr {version('rapidocr')} {models} tuning {TUNING}"

    def read(self, image: Image) -> OcrPage:
        upright, quads, quarters = self._upright(image)
        straight, back = straightened(upright, skew(quads))
        if straight is not upright:
            quads = detect(straight, self._detector)
        readings = self._read([cut_out(straight, quad) for quad in quads])
        kept = [i for i, r in enumerate(readings) if r.text.strip() and r.confidence >= CONFIDENT]
        boxes = _boxes(quads[kept])
        texts = [readings[i] for i in kept]
        return page_of(
            tuple(
                tuple(_line(boxes, texts, row, back, upright.shape[:2]) for row in rows)
                for strand in strands(boxes)
                for rows in paragraphs(boxes, strand)
            ),
            90 * quarters,
        )

    @cached_property
    def _alphabet(self) -> Alphabet:
        return Alphabet(self._recognizer.alphabet)

    def _upright(self, image: Image) -> tuple[Image, Quads, int]:
        """The image turned by quarters, its lines, and the number of quarters, clockwise."""
        quads = detect(image, self._detector)
        quarters = 1 if is_sideways(quads) else 0
        if quarters:
            image = turned(image, 1)
            quads = detect(image, self._detector)
        if self._is_upside_down([cut_out(image, quad) for quad in longest(quads)]):
            quarters += 2
            image = turned(image, 2)
            quads = detect(image, self._detector)
        return image, quads, quarters

    def _is_upside_down(self, lines: list[Image]) -> bool:
        """By the vote of the longest lines; where it is unclear, by how much can be read of them
        either way; where nothing can (a script the network does not know), by the vote again."""
        if not lines:
            return False
        share = upside_down(lines, self._orienter)
        if not UNCLEAR[0] < share < UNCLEAR[1]:
            return share > 0.5
        asked = lines[:READERS]
        as_is, on_head = (
            sum(len(r.text) for r in self._read(some) if r.confidence >= CONFIDENT)
            for some in (asked, [turned(line, 2) for line in asked])
        )
        return on_head > 2 * as_is if as_is or on_head else share > 0.5

    def _read(self, lines: list[Image]) -> list[Reading]:
        return recognize(lines, self._recognizer, self._alphabet)


def _boxes(quads: Quads) -> Boxes:
    if not len(quads):
        return np.empty((0, 4))
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1).astype(np.float64)


def _line(
    boxes: Boxes, readings: list[Reading], row: Row, back: Floats, shape: tuple[int, int]
) -> OcrLine:
    """The pieces of a printed line as one, its box on the upright page before straightening."""
    x0, y0 = boxes[list(row), :2].min(axis=0)
    x1, y1 = boxes[list(row), 2:].max(axis=0)
    characters = sum(len(readings[i].text) for i in row)
    text, doubts = _joined([readings[i] for i in row])
    return OcrLine(
        text=text,
        box=as_it_lay((x0, y0, x1, y1), back, shape),
        confidence=sum(readings[i].confidence * len(readings[i].text) for i in row) / characters,
        doubts=doubts,
    )


def _joined(readings: Sequence[Reading]) -> tuple[str, tuple[Doubt, ...]]:
    """With a space between two, and where in that the doubtful words are."""
    text, doubts = "", []
    for reading in readings:
        text += " " if text else ""
        by = len(text) - (len(reading.text) - len(reading.text.lstrip()))
        doubts += [structs.replace(d, start=d.start + by, end=d.end + by) for d in reading.doubts]
        text += reading.text.strip()
    return text, tuple(doubts)
