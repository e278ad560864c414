import numpy as np
import pytest
from ocr_pages import LEFT, RIGHT, askew, drawn, lines_of

from rag.local.ocr.rapidocr import RapidOcr


@pytest.fixture(scope="module")
def engine() -> RapidOcr:
    return RapidOcr()


def test_a_drawn_page_is_read_line_by_line(engine: RapidOcr) -> None:
    page = engine.read(drawn(LEFT))

    assert lines_of(page) == list(LEFT)
    assert page.rotation == 0
    assert page.confidence > 0.9


def test_boxes_lie_where_the_lines_are_drawn(engine: RapidOcr) -> None:
    image = drawn(LEFT)
    height, width = image.shape[:2]

    boxes = [line.box for paragraph in engine.read(image).paragraphs for line in paragraph]

    for row, (x0, y0, x1, y1) in enumerate(boxes):
        ink = np.argwhere(image[80 + 40 * row : 120 + 40 * row].min(axis=2) < 128)
        (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
        drawn_at = np.array([left, 80 + 40 * row + top, right, 80 + 40 * row + bottom])
        assert (
            np.abs(np.array([x0, y0, x1, y1]) * (width, height, width, height) - drawn_at).max()
            < 12
        )


def test_two_columns_are_read_one_after_the_other(engine: RapidOcr) -> None:
    assert lines_of(engine.read(drawn(LEFT, RIGHT))) == [*LEFT, *RIGHT]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_read_upright_with_the_boxes_of_the_upright_page(
    engine: RapidOcr, quarters: int
) -> None:
    image = drawn(LEFT)
    upright = engine.read(image)

    page = engine.read(np.ascontiguousarray(np.rot90(image, quarters)))

    assert lines_of(page) == list(LEFT)
    assert page.rotation == 90 * quarters
    for found, expected in zip(page.paragraphs, upright.paragraphs, strict=True):
        for line, same in zip(found, expected, strict=True):
            assert line.box == pytest.approx(same.box, abs=0.02)


@pytest.mark.parametrize("degrees", [-3.0])
def test_a_page_askew_is_read_in_order(engine: RapidOcr, degrees: float) -> None:
    page = engine.read(askew(drawn(LEFT, RIGHT), degrees))

    assert lines_of(page) == [*LEFT, *RIGHT]
    assert page.rotation == 0


def test_a_blank_page_has_no_paragraphs(engine: RapidOcr) -> None:
    page = engine.read(np.full((300, 200, 3), 255, np.uint8))

    assert page.paragraphs == ()
    assert page.confidence == 0


def test_grain_is_not_text(engine: RapidOcr) -> None:
    grain = np.random.default_rng(0).integers(0, 256, (300, 300, 1), np.uint8).repeat(3, axis=2)

    assert engine.read(grain).paragraphs == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (7, 3)])
def test_images_too_small_for_text_are_read_as_blank(
    engine: RapidOcr, shape: tuple[int, int]
) -> None:
    assert engine.read(np.zeros((*shape, 3), np.uint8)).paragraphs == ()


def test_numbers_keep_their_points_and_signs(engine: RapidOcr) -> None:
    lines = ("Total $1,204.50 in 1987", "down by -3.5% (net)")

    assert lines_of(engine.read(drawn(lines))) == list(lines)


def test_the_fingerprint_names_models_and_tuning() -> None:
    assert "PP-OCRv6_rec_small" in RapidOcr().fingerprint
    assert "tuning" in RapidOcr().fingerprint
