"""OCR by the `tesseract` program, where the machine has it with its English data.

Blocks, paragraphs and reading order are its own.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from pathlib import Path

import cv2
import numpy as np
from msgspec import Struct, structs

from rag.domain import Box, Doubt
from rag.errors import DocumentTooLarge, InvalidDocument, ModelUnavailable
from rag.lifetimes import mortal
from rag.local.ocr.leaning import leaning
from rag.local.ocr.models import Floats
from rag.local.ocr.page import SURE, Image, OcrLine, OcrPage, page_of
from rag.local.ocr.turning import as_it_lay, straightened, turned

TUNING = 4
"""Goes up whenever the same image would be read differently, so that kept readings are redone."""

PAGE_SECONDS = 120
"""Longest that one page may take. The slowest page measured took 23 s of processor time."""

MOST_LANGUAGES = 4
"""With more data installed than this, English alone is used: each is tried on the page."""

CONFIDENT = 0.3
"""A line read with less is taken for a picture's texture."""

SURE_OF_ROTATION = 1.0
"""Tesseract's own measure; below, the page stays as it is."""

TURNING_SIDE = 2_200
"""Pixels of the longer side of the image from which the rotation is told: A4 at 190 dpi."""

ASKEW = 2.0
"""Degrees from which a page is straightened for Tesseract. Two columns that lean by 3 degrees it
reads without a mistake, and at 5 as a jumble."""

SAMPLED = 4
"""Of so many rows and columns one is looked at for color."""

TINT = 32
"""Levels of 256 between a pixel's channels from which it is colored: aged paper has fewer."""

COLORED = 0.002
"""Share of colored pixels from which a page is: a heading has five times as many."""


class Installation(Struct, frozen=True):
    """A usable Tesseract on this machine."""

    program: str
    version: str
    languages: tuple[str, ...]
    """English first."""
    data: tuple[int, ...]
    """Bytes of each language's data: there are three editions of each (fast, standard, best)."""
    installed: dict[str, int]
    """Every language there is, and the bytes of its data."""


def installation() -> Installation | None:
    """None unless there is a program that runs, with data for English and for orientation."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    version = _run([program, "--version"]).splitlines()[0].removeprefix("tesseract ").strip()
    listing = _run([program, "--list-langs"])
    folder = re.search(r'"(.+)"', listing)
    installed = [line for line in listing.splitlines()[1:] if line]
    if folder is None or not {"eng", "osd"} <= set(installed):
        return None
    others = sorted(set(installed) - {"eng", "osd"})
    languages = ("eng", *others) if len(others) < MOST_LANGUAGES else ("eng",)
    sizes = {
        language: (Path(folder[1]) / f"{language}.traineddata").stat().st_size
        for language in ("eng", *others)
    }
    data = tuple(sizes[language] for language in languages)
    return Installation(program, version, languages, data, sizes)


def _restricted(found: Installation, languages: Sequence[str]) -> Installation:
    """
    Raises:
        ModelUnavailable: one of the languages is not installed.
    """
    missing = [language for language in languages if language not in found.installed]
    if missing:
        packages = " ".join(f"tesseract-ocr-{language}" for language in missing)
        raise ModelUnavailable(
            f"tesseract is not installed with data for {', '.join(missing)}"
            f" (it has {', '.join(sorted(found.installed))}; on Debian: apt install {packages})"
        )
    data = tuple(found.installed[language] for language in languages)
    return structs.replace(found, languages=tuple(languages), data=data)


class Tesseract:
    """An OcrEngine."""

    name = "tesseract"

    def __init__(self, languages: str | None = None) -> None:
        """
        Args:
            languages: Tesseract's names of them, joined by `+`; those that are installed where
                there are few.

        Raises:
            ModelUnavailable: the program or its data are not installed.
        """
        found = installation()
        if found is None:
            raise ModelUnavailable(
                "tesseract is not installed with its English and orientation data "
                "(on Debian: apt install tesseract-ocr); the engine 'rapidocr' needs neither"
            )
        self._installation = _restricted(found, languages.split("+")) if languages else found

    @property
    def fingerprint(self) -> str:
        has = self._installation
        data = ",".join(
            f"{name}:{size}" for name, size in zip(has.languages, has.data, strict=True)
        )
        return f"tesseract {has.version} {data} tuning {TUNING}"

    def read(self, image: Image) -> OcrPage:
        """
        Raises:
            DocumentTooLarge: the page took longer than two minutes.
            InvalidDocument: Tesseract could not read the image.
        """
        seen = _as_seen(image)
        rotation = self._rotation(seen)
        upright = turned(seen, rotation // 90)
        degrees = leaning(upright)
        straight, back = straightened(upright, degrees if abs(degrees) > ASKEW else 0.0)
        languages = "+".join(self._installation.languages)
        table = self._ask(straight, "-l", languages, "--psm", "3", "tsv")
        return page_of(_paragraphs(_words(table), back, upright.shape), rotation)

    def _rotation(self, image: Image) -> int:
        """Degrees clockwise that bring the page upright; 0 where too little text is on it."""
        scale = min(1.0, TURNING_SIDE / max(image.shape))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        try:
            report = self._ask(np.asarray(small, np.uint8), "-l", "osd", "--psm", "0")
        except InvalidDocument:  # "Too few characters", as for a page of one line
            return 0
        degrees = re.search(r"Rotate: (\d+)", report)
        sure = re.search(r"Orientation confidence: ([\d.]+)", report)
        if degrees is None or sure is None or float(sure[1]) < SURE_OF_ROTATION:
            return 0
        return int(degrees[1])

    def _ask(self, image: Image, *options: str) -> str:
        return _run([self._installation.program, "stdin", "stdout", *options], _png(image))


def _as_seen(image: Image) -> Image:
    """One value a pixel where the page has no color, which tesseract reads the same, and sooner."""
    sample = image[::SAMPLED, ::SAMPLED]
    colored = sample.max(axis=2).astype(np.int16) - sample.min(axis=2) > TINT
    if colored.mean() > COLORED:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _png(image: Image) -> bytes:
    """Tesseract takes its input byte by byte and decodes plain pixels one by one: from 60 MB of
    them a page took 8 s of processor time, and from 0.1 MB 1 s."""
    ordered = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _run(command: list[str], given: bytes = b"") -> str:
    # one thread a page: pages are read side by side in processes of their own
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(  # noqa: S603 (a program found by name; no shell, no user's words)
            mortal(command), input=given, capture_output=True, timeout=PAGE_SECONDS, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentTooLarge(
            f"tesseract did not finish a page within {PAGE_SECONDS} s"
        ) from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise InvalidDocument(f"tesseract could not read the page image: {message[-1]}")
    return done.stdout.decode(errors="replace")


class _Word(Struct, frozen=True):
    paragraph: tuple[int, int]
    line: int
    box: Box
    """In pixels."""
    confidence: float
    text: str


def _words(table: str) -> Iterable[_Word]:
    """Of Tesseract's table: level, page, block, paragraph, line, word, left, top, width, height,
    confidence in percent, text. Only rows of level 5 are words."""
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) == 12 and cells[0] == "5" and cells[11].strip():
            block, paragraph, line = map(int, cells[2:5])
            left, top, width, height = map(float, cells[6:10])
            box = (left, top, left + width, top + height)
            yield _Word((block, paragraph), line, box, float(cells[10]) / 100, cells[11].strip())


def _paragraphs(
    words: Iterable[_Word], back: Floats, shape: tuple[int, ...]
) -> tuple[tuple[OcrLine, ...], ...]:
    grouped = (
        tuple(
            _line(list(in_line), back, shape)
            for _, in_line in groupby(in_paragraph, key=lambda word: word.line)
        )
        for _, in_paragraph in groupby(words, key=lambda word: word.paragraph)
    )
    sure = (tuple(line for line in lines if line.confidence >= CONFIDENT) for lines in grouped)
    return tuple(lines for lines in sure if lines)


def _line(words: list[_Word], back: Floats, shape: tuple[int, ...]) -> OcrLine:
    characters = sum(len(word.text) for word in words)
    starts = accumulate((len(word.text) + 1 for word in words), initial=0)
    return OcrLine(
        text=" ".join(word.text for word in words),
        box=as_it_lay(_around(words), back, shape),
        confidence=sum(word.confidence * len(word.text) for word in words) / characters,
        doubts=tuple(
            Doubt(start, start + len(word.text), word.confidence)
            for start, word in zip(starts, words, strict=False)
            if word.confidence < SURE
        ),
    )


def _around(words: list[_Word]) -> Box:
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
