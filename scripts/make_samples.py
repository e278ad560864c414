"""Draws the sample documents that are not text: a printed handbook and a scanned letter.

    python scripts/make_samples.py        writes rag/samples/{handbook,inspection-letter}.pdf

Everything in them is made up. The handbook is born digital, with headings, a ruled table and
a two-column page; the letter is a picture of a typed page, turned a little, gray and grainy, so
that only OCR can read it.
"""

import ctypes
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from PIL import Image

SAMPLES = Path(__file__).parents[1] / "rag" / "samples"
WIDTH, HEIGHT = 595.0, 842.0  # A4 in points
MARGIN = 64.0
BODY, HEADING, TITLE = 10.5, 15.0, 24.0  # points
LEADING = 1.4

Fonts = dict[str, raw.FPDF_FONT]


class Sheet:
    """A page that is filled from the top."""

    def __init__(self, document: pdfium.PdfDocument, fonts: Fonts) -> None:
        self._document = document
        self._page = document.new_page(WIDTH, HEIGHT)
        self._fonts = fonts
        self.y = HEIGHT - MARGIN

    def write(self, text: str, *, size: float = BODY, font: str = "body", x: float = MARGIN,
              width: float = WIDTH - 2 * MARGIN, after: float = 6.0) -> None:  # fmt: skip
        for line in self._wrapped(text, size, font, width):
            self.y -= size * LEADING
            self._put(line, x, self.y, size, font)
        self.y -= after

    def table(self, rows: Iterable[tuple[str, ...]], widths: tuple[float, ...]) -> None:
        height = BODY * 2
        for number, row in enumerate(rows):
            x = MARGIN
            for cell, width in zip(row, widths, strict=True):
                self._box(x, self.y - height, width, height)
                font = "bold" if number == 0 else "body"
                self._put(cell, x + 5, self.y - height + 6.5, BODY, font)
                x += width
            self.y -= height
        self.y -= 12

    def close(self) -> None:
        raw.FPDFPage_GenerateContent(self._page)

    def _put(self, text: str, x: float, y: float, size: float, font: str) -> None:
        shown = raw.FPDFPageObj_CreateTextObj(self._document, self._fonts[font], size)
        encoded = (text + "\0").encode("utf-16-le")
        raw.FPDFText_SetText(shown, ctypes.cast(encoded, raw.FPDF_WIDESTRING))
        raw.FPDFPageObj_Transform(shown, 1, 0, 0, 1, x, y)
        raw.FPDFPage_InsertObject(self._page, shown)

    def _box(self, x: float, y: float, width: float, height: float) -> None:
        path = raw.FPDFPageObj_CreateNewRect(x, y, width, height)
        raw.FPDFPageObj_SetStrokeColor(path, 60, 60, 60, 255)
        raw.FPDFPageObj_SetStrokeWidth(path, 0.7)
        raw.FPDFPath_SetDrawMode(path, raw.FPDF_FILLMODE_NONE, True)
        raw.FPDFPage_InsertObject(self._page, path)

    def _wrapped(self, text: str, size: float, font: str, width: float) -> Iterable[str]:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self._width(longer, size, font) > width:
                yield line
                longer = word
            line = longer
        yield line

    def _width(self, text: str, size: float, font: str) -> float:
        total, one = 0.0, ctypes.c_float()
        for character in text:
            raw.FPDFFont_GetGlyphWidth(self._fonts[font], ord(character), size, one)
            total += one.value
        return total


def handbook() -> bytes:
    document = pdfium.PdfDocument.new()
    fonts = _fonts(document, body="Helvetica", bold="Helvetica-Bold")
    _rules(document, fonts)
    _safety(document, fonts)
    return _saved(document)


def _rules(document: pdfium.PdfDocument, fonts: Fonts) -> None:
    page = Sheet(document, fonts)
    page.write("Member Handbook", size=TITLE, font="bold", after=14)
    page.write(
        "This handbook holds the rules of the Harbor Street Tool Library. It was approved by the"
        " general meeting on 21 September 2025 and replaces the edition of 2019."
    )
    page.write("Borrowing", size=HEADING, font="bold")
    page.write(
        "A member may have up to five tools at a time. Hand tools are lent for fourteen days, power"
        " tools for four days, and the trailer for one day. A loan can be extended once, unless"
        " somebody else has reserved the tool."
    )
    page.write(
        "Tools are returned clean and dry. Whoever finds a fault writes it on the red tag; nobody"
        " is charged for honest wear."
    )
    page.write("Fees for late returns", size=HEADING, font="bold")
    page.table(
        [
            ("Kind of tool", "Per day late", "At most"),
            ("Hand tool", "0.50 euros", "10 euros"),
            ("Power tool", "2.00 euros", "40 euros"),
            ("Trailer", "15.00 euros", "150 euros"),
        ],
        (200.0, 120.0, 120.0),
    )
    page.write("Deposits", size=HEADING, font="bold")
    page.write(
        "No deposit is asked for hand tools. For the floor sander, the chainsaw and the trailer a"
        " deposit of 80 euros is left at the desk and given back with the tool."
    )
    page.close()


def _safety(document: pdfium.PdfDocument, fonts: Fonts) -> None:
    page = Sheet(document, fonts)
    page.write("Safety in the workshop", size=HEADING, font="bold", after=10)
    top, width = page.y, 220.0
    page.write("Nobody works alone with the table saw, the planer or the lathe. Before using any of"
               " the three for the first time, a member takes the two-hour introduction that is"
               " given on the second Thursday of each month.", width=width)  # fmt: skip
    page.write("Ear and eye protection hangs beside the door and is worn by everybody in the room,"
               " not only by the person at the machine.", width=width)  # fmt: skip
    page.write("The extraction fan runs whenever wood is cut and for ten minutes after.",
               width=width)  # fmt: skip
    page.y = top
    right = WIDTH / 2 + 14
    page.write("Lithium batteries are charged only in the steel cabinet. A battery that has fallen,"
               " swollen or been wet is put into the sand bucket outside and reported.",
               x=right, width=width)  # fmt: skip
    page.write("The first-aid box is under the stairs. Injuries are written into the green book the"
               " same day, however small.", x=right, width=width)  # fmt: skip
    page.write("In case of fire everybody leaves by the water side and meets at the rowing club's"
               " flagpole.", x=right, width=width)  # fmt: skip
    page.close()


def letter() -> bytes:
    document = pdfium.PdfDocument.new()
    fonts = _fonts(document, body="Courier", bold="Courier-Bold")
    page = Sheet(document, fonts)
    for line, after in LETTER:
        page.write(line, size=11, after=after)
    page.close()
    bitmap = pdfium.PdfDocument(_saved(document))[0].render(scale=200 / 72, grayscale=True)
    scan = _as_scanned(bitmap.to_pil())
    kept = io.BytesIO()
    scan.save(kept, "PDF", resolution=200.0, quality=60)
    return kept.getvalue()


LETTER = (
    ("MUNICIPAL BUILDING INSPECTION", 0),
    ("Town Hall, Room 112", 20),
    ("3 November 1987", 20),
    ("To the Harbor Street Tool Library", 0),
    ("14 Harbor Street", 20),
    ("Subject: inspection of the former net store", 16),
    ("Dear Mrs. Brandt,", 10),
    (
        "On 27 October 1987 we inspected the roof and the upper floor of your building. The roof is"
        " sound. The upper floor may carry no more than 250 kilograms per square meter, and a sign"
        " saying so must be put up beside the stairs before the end of the year.",
        10,
    ),
    (
        "The chimney of the old stove is cracked above the roof line. The stove may not be lit"
        " until a licensed mason has repaired the chimney and we have seen it again.",
        10,
    ),
    ("The next inspection is due in October 1992.", 20),
    ("Yours sincerely,", 20),
    ("H. Lindqvist, inspector", 0),
)


def _as_scanned(page: Image.Image) -> Image.Image:
    """Turned by 0.8 degrees, paler, on gray paper, with grain; the seed makes it repeatable."""
    turned = page.convert("L").rotate(0.8, resample=Image.Resampling.BICUBIC, fillcolor=255)
    grain = np.random.default_rng(1987).normal(0, 9, (turned.height, turned.width))
    gray = np.asarray(turned, dtype=np.float64) * 0.72 + 52 + grain
    return Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8))


def _fonts(document: pdfium.PdfDocument, **names: str) -> Fonts:
    return {
        role: raw.FPDFText_LoadStandardFont(document, name.encode()) for role, name in names.items()
    }


def _saved(document: pdfium.PdfDocument) -> bytes:
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


if __name__ == "__main__":
    (SAMPLES / "handbook.pdf").write_bytes(handbook())
    (SAMPLES / "inspection-letter.pdf").write_bytes(letter())
