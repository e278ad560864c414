import stat
from pathlib import Path

import numpy as np
import pytest
from ocr_pages import LEFT, RIGHT, askew, drawn, lines_of
from PIL import Image

from rag.domain import Box, Doubt
from rag.errors import DocumentTooLarge, InvalidDocument, InvalidSettings, ModelUnavailable
from rag.local.ocr import tesseract
from rag.local.ocr.engine import ocr_engine
from rag.local.ocr.leaning import leaning
from rag.local.ocr.tesseract import Tesseract, installation

installed = pytest.mark.skipif(
    installation() is None, reason="tesseract is not installed with eng and osd data"
)


def pretend(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program called tesseract, alone on the path, that does as the shell script says."""
    program = folder / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(folder))


def listing(folder: Path, *languages: str) -> str:
    """What a Tesseract with such languages answers to --version and --list-langs."""
    for language in languages:
        (folder / f"{language}.traineddata").write_bytes(b"12345")
    names = "\\n".join(languages)
    return f"""case "$1" in
    --version) echo 'tesseract 5.9.1'; exit ;;
    --list-langs) printf 'List of available languages in "{folder}/" (2):\\n{names}\\n'; exit ;;
    esac"""


FIRST, SECOND = LEFT * 3, RIGHT * 3
"""Columns long enough for Tesseract to see that they are columns."""


@installed
def test_two_columns_are_read_one_after_the_other() -> None:
    page = Tesseract().read(drawn(FIRST, SECOND))

    assert lines_of(page) == [*FIRST, *SECOND]
    assert page.confidence > 0.8


@installed
@pytest.mark.parametrize("quarters", [1])
def test_a_turned_page_is_read_upright(quarters: int) -> None:
    page = Tesseract().read(np.ascontiguousarray(np.rot90(drawn(FIRST, SECOND), quarters)))

    assert lines_of(page) == [*FIRST, *SECOND]
    assert page.rotation == 90 * quarters


@installed
def test_a_page_that_lies_askew_is_read_and_its_lines_are_found_where_they_lie() -> None:
    page = drawn(FIRST, SECOND)
    read = Tesseract().read(askew(page, -5.0))

    assert lines_of(read) == [*FIRST, *SECOND]
    lines = [line for paragraph in read.paragraphs for line in paragraph]
    assert is_in(lines[0].box, (70, 95), page.shape, -5.0)
    assert is_in(lines[-1].box, (490, 95 + 40 * (len(SECOND) - 1)), page.shape, -5.0)


def is_in(box: Box, point: tuple[int, int], shape: tuple[int, ...], degrees: float) -> bool:
    """Whether a point of the page is in the box once the page is turned clockwise."""
    height, width = shape[:2]
    x, y = point[0] - width / 2, point[1] - height / 2
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    across = (width / 2 + x * cosine - y * sine) / width
    down = (height / 2 + x * sine + y * cosine) / height
    return bool(box[0] < across < box[2] and box[1] < down < box[3])


@pytest.mark.parametrize("degrees", [-8.3, -2.0, 0.0, 0.6, 3.0, 9.0])
def test_by_how_much_a_page_leans_is_told_from_its_ink(degrees: float) -> None:
    assert leaning(askew(drawn(FIRST, SECOND), degrees)) == pytest.approx(degrees, abs=0.25)


def test_what_has_no_lines_of_print_leans_by_nothing() -> None:
    specks = np.where(np.random.default_rng(1).random((700, 500, 1)) < 0.02, 0, 255)

    assert leaning(np.full((300, 200, 3), 255, np.uint8)) == 0
    assert leaning(np.repeat(specks, 3, axis=2).astype(np.uint8)) == 0


@installed
def test_a_blank_page_has_no_paragraphs() -> None:
    assert Tesseract().read(np.full((300, 200, 3), 255, np.uint8)).paragraphs == ()


def test_words_of_the_table_become_lines_with_boxes_in_fractions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # level page block paragraph line word left top width height confidence text
    table = r"""5\t1\t1\t1\t1\t1\t10\t20\t30\t10\t90\tTwo
5\t1\t1\t1\t1\t2\t50\t20\t50\t10\t60\twords
5\t1\t1\t1\t2\t1\t10\t40\t40\t10\t99\tbelow
5\t1\t2\t1\t1\t1\t10\t70\t40\t10\t12\tspeck
4\t1\t2\t1\t1\t0\t10\t70\t40\t10\t-1\t"""
    pretend(tmp_path, f"{listing(tmp_path, 'eng', 'osd')}\nprintf '{table}\\n'", monkeypatch)

    [[first, second]] = Tesseract().read(np.zeros((100, 200, 3), np.uint8)).paragraphs

    assert (first.text, first.box) == ("Two words", (0.05, 0.2, 0.5, 0.3))
    assert first.confidence == pytest.approx((3 * 0.9 + 5 * 0.6) / 8)
    assert first.doubts == (Doubt(4, 9, 0.6),)
    assert second.doubts == ()
    assert second.text == "below"


def test_a_page_that_takes_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, f"{listing(tmp_path, 'eng', 'osd')}\nexec /bin/sleep 60", monkeypatch)
    engine = Tesseract()
    monkeypatch.setattr(tesseract, "PAGE_SECONDS", 0.2)

    with pytest.raises(DocumentTooLarge, match=r"did not finish a page within 0\.2 s"):
        engine.read(drawn(LEFT))


def test_what_tesseract_says_of_a_failure_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"{listing(tmp_path, 'eng', 'osd')}\necho 'Image too large' >&2; exit 1"
    pretend(tmp_path, script, monkeypatch)

    with pytest.raises(InvalidDocument, match="Image too large"):
        Tesseract().read(drawn(LEFT))


def test_the_fingerprint_tells_editions_of_the_data_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, listing(tmp_path, "deu", "eng", "osd"), monkeypatch)
    before = Tesseract().fingerprint
    (tmp_path / "deu.traineddata").write_bytes(b"another edition")

    assert before == "tesseract 5.9.1 eng:5,deu:5 tuning 4"
    assert Tesseract().fingerprint == "tesseract 5.9.1 eng:5,deu:15 tuning 4"


@pytest.mark.parametrize("languages", [("eng",), ("osd",), ("deu", "osd")])
def test_without_data_for_english_and_orientation_it_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, languages: tuple[str, ...]
) -> None:
    pretend(tmp_path, listing(tmp_path, *languages), monkeypatch)

    with pytest.raises(ModelUnavailable, match="apt install tesseract-ocr"):
        Tesseract()


def test_where_there_is_no_such_program_it_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert installation() is None


@installed
def test_colored_print_is_read_as_well_as_black() -> None:
    page = drawn(FIRST).copy()
    page[page.max(axis=2) < 128] = (200, 30, 30)

    assert lines_of(Tesseract().read(page)) == [*FIRST]


def test_tesseract_is_given_one_value_a_pixel_of_a_page_without_color(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = f"/bin/cat > {tmp_path}/given.png"
    pretend(tmp_path, f"{listing(tmp_path, 'eng', 'osd')}\n{keep}", monkeypatch)

    Tesseract().read(np.full((300, 200, 3), 255, np.uint8))
    white = mode(tmp_path / "given.png")
    Tesseract().read(np.full((300, 200, 3), (255, 200, 0), np.uint8))

    assert (white, mode(tmp_path / "given.png")) == ("L", "RGB")


def mode(file: Path) -> str:
    with Image.open(file) as image:
        return image.mode


def test_languages_that_are_named_are_read_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = f'echo "$@" >> {tmp_path}/asked'
    pretend(tmp_path, f"{listing(tmp_path, 'deu', 'eng', 'fra', 'osd')}\n{keep}", monkeypatch)

    engine = ocr_engine("auto:fra+deu")
    engine.read(np.full((300, 200, 3), 255, np.uint8))

    assert "fra:5,deu:5" in engine.fingerprint
    assert "-l fra+deu --psm 3" in (tmp_path / "asked").read_text()


def test_a_language_that_is_not_installed_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(tmp_path, listing(tmp_path, "eng", "osd"), monkeypatch)

    with pytest.raises(ModelUnavailable, match=r"for deu .*apt install tesseract-ocr-deu"):
        ocr_engine("tesseract:eng+deu")


def test_the_engine_in_the_box_cannot_be_told_languages() -> None:
    with pytest.raises(InvalidSettings, match="one model"):
        ocr_engine("rapidocr:deu")
