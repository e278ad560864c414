import numpy as np
import pytest

from rag.domain import Doubt
from rag.local.ocr.models import Floats
from rag.local.ocr.recognition import Alphabet, Reading, cut_out, recognize

ALPHABET = Alphabet(["", "e", "é", "l", " "])
BLANK, E, E_ACUTE, L, SPACE = range(5)


class Says:
    """A network that gives every line the same probabilities, steps by classes."""

    def __init__(self, *steps: dict[int, float]) -> None:
        self.steps = np.zeros((len(steps), 5), np.float32)
        for row, probabilities in zip(self.steps, steps, strict=True):
            row[list(probabilities)] = list(probabilities.values())

    def __call__(self, batch: Floats) -> Floats:
        return np.repeat(self.steps[None], len(batch), axis=0)


def read(*steps: dict[int, float]) -> Reading:
    line = np.zeros((48, 100, 3), np.uint8)
    [reading] = recognize([line], Says(*steps), ALPHABET)
    return reading


def test_a_character_seen_twice_in_a_row_is_one_unless_a_blank_is_between() -> None:
    assert read({L: 1}, {L: 1}, {E: 1}).text == "le"
    assert read({L: 1}, {BLANK: 1}, {L: 1}, {E: 1}).text == "lle"


def test_confidence_is_the_mean_over_characters() -> None:
    assert read({L: 0.9}, {BLANK: 1}, {E: 0.6}).confidence == pytest.approx((0.9 + 0.6) / 2)


def test_words_that_are_read_with_little_confidence_are_marked() -> None:
    reading = read({L: 0.9}, {SPACE: 0.9}, {E: 0.5}, {L: 0.7}, {SPACE: 0.9}, {L: 0.9})

    assert reading.text == "l el l"
    assert reading.doubts == (Doubt(2, 4, pytest.approx(0.6)),)


def test_nothing_read_has_no_confidence() -> None:
    assert read({BLANK: 1}, {BLANK: 1}) == Reading("", 0.0)


@pytest.mark.parametrize(
    ("accented", "bare", "text"),
    [
        (0.99, 0.005, "é"),  # printed
        (0.6, 0.2, "e"),  # a speck above the letter
    ],
)
def test_an_accent_that_may_be_a_speck_is_not_believed(
    accented: float, bare: float, text: str
) -> None:
    assert read({E_ACUTE: accented, E: bare}).text == text


def test_readings_come_in_the_order_of_the_lines_however_wide_they_are() -> None:
    class Width:
        def __call__(self, batch: Floats) -> Floats:
            """An e for lines whose pixels are white, an l for black."""
            steps = np.zeros((len(batch), 1, 5), np.float32)
            for row, line in zip(steps, batch, strict=True):
                row[0, E if line[0, 0, 0] > 0 else L] = 1
            return steps

    widths, colors = (900, 50, 400, 2000, 51), (255, 0, 255, 0, 255)
    lines = [np.full((48, w, 3), c, np.uint8) for w, c in zip(widths, colors, strict=True)]

    readings = recognize(lines, Width(), ALPHABET)

    assert "".join(reading.text for reading in readings) == "elele"


def test_a_slanted_rectangle_is_cut_out_level() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    for i in range(60):
        image[20 + i // 2 : 30 + i // 2, 20 + i] = 255
    quad = np.array([[20, 20], [79, 49.5], [79, 59.5], [20, 30]], np.float32)

    cut = cut_out(image, quad)

    assert (cut[2:-2, 3:-3] > 128).mean() > 0.95
