"""Lines derived from bytes that are not read: the same bytes, the same lines."""

import hashlib
import io

from PIL import Image, UnidentifiedImageError

from .layouts import SHEET, Item, PageLayout

_WORDS = (
    *("annual", "balance", "cash", "contract", "delivery", "estimate", "freight", "garden"),
    *("harbor", "invoice", "journal", "kettle", "ledger", "margin", "notice", "order", "payment"),
    *("quarter", "receipt", "supply", "total", "unit", "voucher", "warehouse"),
)

_OF_ONE_LINE = 1_024
"""Bytes of an image that says one thing."""

_SMALLEST_FRAME = 64
"""Pixels; a smaller image is read on a sheet."""


def image_pages(content: bytes) -> tuple[PageLayout, ...]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            (width, height), frames = image.size, getattr(image, "n_frames", 1)
    except (UnidentifiedImageError, OSError, ValueError):
        width, height, frames = 0, 0, 1
    if min(width, height) < _SMALLEST_FRAME:
        width, height = SHEET
    what = f"An image of {len(content)} bytes." if frames == 1 else "Frame {}."
    return tuple(
        PageLayout(width, height, derived_lines(content, what.format(n), width, height))
        for n in range(1, frames + 1)
    )


def derived_lines(content: bytes, first: str, width: int, height: int) -> tuple[Item, ...]:
    digest = hashlib.sha256(content + first.encode()).digest()
    said = [first]
    if len(content) > _OF_ONE_LINE:
        said += (_sentence(digest[at : at + 6]) for at in range(0, 24, 6))
    step = height / (len(said) + 2)
    return tuple(
        Item("text", (width // 10, int(step * n), width - width // 10, int(step * (n + 0.8))), text)
        for n, text in enumerate(said, 1)
    )


def _sentence(seed: bytes) -> str:
    words = [_WORDS[byte % len(_WORDS)] for byte in seed[:5]]
    return f"{' '.join(words).capitalize()} {seed[5]}."
