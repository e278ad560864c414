"""Pages drawn for the tests of both OCR engines."""

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from rag.local.ocr.page import Image, OcrPage

LEFT = (
    "Mountains rise slowly over",
    "millions of quiet years, and",
    "rivers carry them back again",
    "to the sea, grain by grain.",
)
RIGHT = (
    "Bakers begin their work long",
    "before the first light comes,",
    "when the streets are empty",
    "and the ovens are warm.",
)


def drawn(*columns: tuple[str, ...], size: int = 26) -> Image:
    """Columns of black lines side by side on a white page."""
    page = Pictures.new(
        "RGB", (120 + 420 * len(columns), 160 + 40 * max(map(len, columns))), "white"
    )
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=size)
    for number, column in enumerate(columns):
        for row, line in enumerate(column):
            pen.text((60 + 420 * number, 80 + 40 * row), line, fill="black", font=font)
    return np.asarray(page)


def askew(image: Image, degrees: float) -> Image:
    """Turned clockwise by a few degrees, as a sheet lies in a scanner."""
    turned = Pictures.fromarray(image).rotate(
        -degrees, resample=Pictures.Resampling.BICUBIC, fillcolor="white"
    )
    return np.asarray(turned)


def lines_of(page: OcrPage) -> list[str]:
    return [line.text for paragraph in page.paragraphs for line in paragraph]
