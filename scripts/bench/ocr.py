"""How well and how fast page images are read.

    python scripts/bench/ocr.py --set FOLDER [--set FOLDER ...] [--engine rapidocr] [--pages]
    python scripts/bench/ocr.py --pdf FILE [--dpi 150] [--skew 1.2] [--noise 12] [--fade 0.5]

A FOLDER holds `images/X.png` (or .tif) and what stands on it, `gt/X.txt`. A PDF's pages are
rendered, made worse as asked, and compared with the file's own text layer.

CER is edit distance over length of the ground truth, on letters and digits alone (NFKC, case
kept). A ground-truth line is lost when none of its words is found in its place. "words" is the
share of ground-truth words that are found in their place, so it sees spaces that are missing.
"""

import argparse
import difflib
import itertools
import re
import resource
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
from msgspec import Struct
from PIL import Image

from rag.local.ocr.engine import OcrEngine, OcrPage, ocr_engine

LINE_WORDS = 8
"""Ground truth that is one long line a paragraph is cut into lines of so many words."""

Pixels = npt.NDArray[np.uint8]


class Sheet(Struct, frozen=True):
    name: str
    image: Pixels
    truth: str


class Score(Struct, frozen=True):
    sheet: str
    cer: float
    words: float
    lines: int
    lost: int
    cpu_seconds: float


# --- scoring ------------------------------------------------------------------------------------


def letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())


def distance(a: str, b: str) -> int:
    """Levenshtein, a row of the table at a time. Insertions run along the row, so the best of
    them is a running minimum of what remains when their cost, 1 a step, is taken off."""
    codes = np.array([ord(c) for c in b], np.int64)
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for i, letter in enumerate(a):
        fresh = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(letter)))
        row = np.minimum.accumulate(np.concatenate([[i + 1], fresh]) - steps) + steps
    return int(row[-1])


def words_of(text: str) -> list[str]:
    """Words of a text, those hyphenated over a line end joined, without punctuation."""
    joined = re.sub(r"(\w)[-‐¬]\s*\n\s*(\w)", r"\1\2", unicodedata.normalize("NFKC", text))
    return [w for w in ("".join(filter(str.isalnum, w)) for w in joined.split()) if w]


def line_lengths(truth: str) -> list[int]:
    """Words in each line, long lines cut."""
    lengths: list[int] = []
    for line in truth.splitlines():
        count = len(words_of(line))
        full, rest = divmod(count, LINE_WORDS)
        lengths += [LINE_WORDS] * full + [rest] * (rest > 0)
    return lengths


def scored(sheet: Sheet, read: str, cpu_seconds: float) -> Score:
    truth = words_of(sheet.truth)
    matcher = difflib.SequenceMatcher(None, truth, words_of(read), autojunk=False)
    found = np.zeros(len(truth) + 1, int)
    for start, _, size in matcher.get_matching_blocks():
        found[start : start + size] = 1
    ends = np.minimum(np.cumsum([0, *line_lengths(sheet.truth)]), len(truth))
    hits = [int(found[a:b].sum()) for a, b in itertools.pairwise(ends) if b > a]
    expected = letters(sheet.truth)
    return Score(
        sheet.name,
        distance(expected, letters(read)) / max(1, len(expected)),
        float(found.sum() / max(1, len(truth))),
        len(hits),
        hits.count(0),
        cpu_seconds,
    )


# --- sheets -------------------------------------------------------------------------------------


def folder_sheets(folder: Path) -> Iterator[Sheet]:
    for image in sorted((folder / "images").iterdir()):
        truth = folder / "gt" / f"{image.stem}.txt"
        if truth.exists():
            pixels = np.asarray(Image.open(image).convert("RGB"))
            yield Sheet(image.stem, pixels, truth.read_text())


def pdf_sheets(path: Path, dpi: int, skew: float, noise: float, fade: float) -> Iterator[Sheet]:
    with pypdfium2.PdfDocument(path) as document:
        for number, page in enumerate(document, 1):
            pixels = np.asarray(page.render(scale=dpi / 72).to_pil().convert("RGB"))
            truth = page.get_textpage().get_text_bounded().replace("\ufffe", "-")
            if len(letters(truth)) >= 200:
                yield Sheet(f"{path.stem} p{number}", worn(pixels, skew, noise, fade), truth)


def worn(image: Pixels, skew: float, noise: float, fade: float) -> Pixels:
    """The page askew by degrees, with less contrast, and with grain (standard deviation of 255)."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0)
    white = (255, 255, 255)
    page = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=white)
    grain = np.random.default_rng(0).normal(0, noise, image.shape[:2])[..., None]
    return np.clip(128 + (page.astype(float) - 128) * (1 - fade) + grain, 0, 255).astype(np.uint8)


# --- measuring ----------------------------------------------------------------------------------


def text_of(page: OcrPage) -> str:
    return "\n\n".join("\n".join(line.text for line in lines) for lines in page.paragraphs)


def cpu_seconds() -> float:
    """Of this process and of the children it has waited for."""
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measured(engine: OcrEngine, sheets: Iterator[Sheet], *, show_pages: bool) -> list[Score]:
    scores = []
    for sheet in sheets:
        before = cpu_seconds()
        page = engine.read(sheet.image)
        score = scored(sheet, text_of(page), cpu_seconds() - before)
        scores.append(score)
        if show_pages:
            print(
                f"  {score.sheet:34} {score.cer:.4f}  words {score.words:.3f}"
                f"  lost {score.lost}/{score.lines}  {score.cpu_seconds:5.2f} s"
                f"  turned {page.rotation}  confidence {page.confidence:.3f}",
                flush=True,
            )
    return scores


def row(name: str, engine: str, scores: list[Score]) -> str:
    worst = max(scores, key=lambda score: score.cer)
    mean = sum(score.cer for score in scores) / len(scores)
    words = sum(score.words for score in scores) / len(scores)
    lost, lines = sum(s.lost for s in scores), sum(s.lines for s in scores)
    seconds = sum(score.cpu_seconds for score in scores) / len(scores)
    return (
        f"| {name} | {engine} | {len(scores)} | {mean:.4f} | {worst.cer:.4f} {worst.sheet}"
        f" | {words:.4f} | {lost} of {lines} | {seconds:.2f} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", action="append", help="rapidocr, tesseract; default: auto")
    parser.add_argument("--set", action="append", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--pdf", action="append", type=Path, default=[], metavar="FILE")
    parser.add_argument("--only", default="", help="names of pages, a regular expression")
    parser.add_argument("--pages", action="store_true", help="one line per page as well")
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--skew", type=float, default=0.0, help="degrees")
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation, of 255")
    parser.add_argument("--fade", type=float, default=0.0, help="contrast lost, 0 to 1")
    options = parser.parse_args()
    rows = []
    for name in options.engine or ["auto"]:
        engine = ocr_engine(name)
        for path in (*options.set, *options.pdf):
            wear = (options.dpi, options.skew, options.noise, options.fade)
            sheets = folder_sheets(path) if path.is_dir() else pdf_sheets(path, *wear)
            chosen = (sheet for sheet in sheets if re.search(options.only, sheet.name))
            scores = measured(engine, chosen, show_pages=options.pages)
            if scores:
                rows.append(row(path.name, engine.name, scores))
    print("| set | engine | pages | mean CER | worst page | words | lost lines | CPU s/page |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    return 0 if rows else 2


if __name__ == "__main__":
    sys.exit(main())
