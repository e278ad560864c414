"""What an OCR engine gives back for one page image, and what an engine is."""

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.domain import Box, Doubt

Image: TypeAlias = npt.NDArray[np.uint8]
"""(height, width, 3), red green blue."""

SURE = 0.7
"""Confidence from which a word is taken as it is read; judged by the looks of what falls below it,
not measured."""


class OcrLine(Struct, frozen=True):
    """One printed line."""

    text: str
    box: Box
    confidence: float
    """The engine's own estimate, 0 to 1."""
    doubts: tuple[Doubt, ...] = ()
    """Words read with less than `SURE`, as spans of the line's text."""


class OcrPage(Struct, frozen=True):
    """A page as read: its paragraphs in reading order, columns one after the other."""

    paragraphs: tuple[tuple[OcrLine, ...], ...] = ()
    rotation: int = 0
    """Degrees (0, 90, 180, 270) by which the image was turned clockwise to be upright; boxes are
    fractions of the turned page."""
    confidence: float = 0.0
    """Mean over the characters of all lines; 0 for a page without text."""


class OcrEngine(Protocol):
    """Page image -> lines in reading order. Loads its models once; not safe for two threads."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Engine, version, models and our tuning: equal fingerprints read an image equally."""
        ...

    def read(self, image: Image) -> OcrPage: ...


def page_of(paragraphs: tuple[tuple[OcrLine, ...], ...], rotation: int) -> OcrPage:
    """The page with its mean confidence, weighted by characters."""
    lines = [line for paragraph in paragraphs for line in paragraph]
    characters = sum(len(line.text) for line in lines)
    weighted = sum(line.confidence * len(line.text) for line in lines)
    return OcrPage(paragraphs, rotation, weighted / characters if characters else 0.0)
