"""Marks on a page, and the strip that is cut out around them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rag.local.reading.marking import cut_out

edges = st.floats(0, 1)


def white(width: int = 400, height: int = 600) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def is_marked(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 2] < pixels[..., 0]


def test_the_mark_lies_on_the_box_and_nowhere_else() -> None:
    pixels = np.asarray(cut_out(white(), ((0.25, 0.5, 0.5, 0.55),)))
    rows, columns = np.nonzero(is_marked(pixels))

    assert abs(columns.min() - 100) <= 3
    assert abs(columns.max() - 200) <= 3
    assert len(pixels) == round(0.61 * 600) - round(0.44 * 600)
    assert abs(rows.min() - 0.06 * 600) <= 3


def test_black_print_stays_black_and_two_strokes_are_one() -> None:
    page = white()
    page.paste("black", (110, 310, 190, 320))
    once = np.asarray(cut_out(page, ((0.25, 0.5, 0.5, 0.55),)))
    twice = np.asarray(cut_out(page, ((0.25, 0.5, 0.5, 0.55), (0.25, 0.5, 0.4, 0.55))))

    assert (once == 0).all(axis=2).any()
    assert (once == twice).all()


@given(st.lists(st.tuples(edges, edges, edges, edges), min_size=1, max_size=5))
def test_whatever_the_boxes_there_is_a_picture(corners) -> None:
    boxes = tuple((min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners)
    strip = cut_out(white(40, 60), boxes)

    assert strip.width == 40
    assert 1 <= strip.height <= 60
    assert is_marked(np.asarray(strip)).any()
