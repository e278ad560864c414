"""What is cited, marked on the picture of its page as with a felt pen, and cut out with the print
around it."""

from math import ceil, floor

import numpy as np
from PIL import Image

from rag.domain import Box

INK = (255, 236, 90)
"""What white paper becomes under the pen; black print stays black."""

GROWN = 0.003
"""Of the page's longer side, by which a mark is larger than its box: boxes end where letters do."""

AROUND = 0.06
"""Of the page's height, shown above and below: a few lines. The whole width is shown, for a line
that is cut off is hard to place."""


def cut_out(image: Image.Image, boxes: tuple[Box, ...]) -> Image.Image:
    """The strip of the page in which the marked boxes are, in the page's resolution."""
    marked = _marked(image, boxes)
    top = min(y0 for _, y0, _, _ in boxes) - AROUND
    bottom = max(y1 for _, _, _, y1 in boxes) + AROUND
    height = image.height
    upper, lower = round(max(0.0, top) * height), round(min(1.0, bottom) * height)
    return marked.crop((0, upper, image.width, max(lower, upper + 1)))


def _marked(image: Image.Image, boxes: tuple[Box, ...]) -> Image.Image:
    """Overlapping boxes are marked once: a second stroke would be darker."""
    under = np.zeros((image.height, image.width), bool)
    more = GROWN * max(image.size)
    for x0, y0, x1, y1 in boxes:
        left, right = floor(x0 * image.width - more), ceil(x1 * image.width + more)
        upper, lower = floor(y0 * image.height - more), ceil(y1 * image.height + more)
        under[max(0, upper) : max(0, lower), max(0, left) : max(0, right)] = True
    pixels = np.array(image.convert("RGB"), np.uint16)
    pixels[under] = pixels[under] * np.array(INK, np.uint16) // 255
    return Image.fromarray(pixels.astype(np.uint8))
