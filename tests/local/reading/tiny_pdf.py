"""PDFs made by hand: exactly what a test says is on them, and nothing else."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 600, 800  # points
FONTS = {"regular": "Helvetica", "bold": "Helvetica-Bold", "coded": "Helvetica"}
"""Codes of the last stand for the characters that `pdf` is told."""


class Text(NamedTuple):
    x: float
    y: float
    """From the top of the page to the baseline."""
    text: str
    size: float = 10
    font: str = "regular"
    gray: float = 0
    """0 for black, 1 for white."""
    mode: int = 0
    """How it is rendered; 3 is not at all."""


class Fill(NamedTuple):
    """A rectangle."""

    x0: float
    y0: float
    x1: float
    y1: float
    gray: float = 0


class Rule(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float


def pdf(
    *pages: Sequence[Text | Rule | Fill],
    rotate: int = 0,
    title: str = "",
    author: str = "",
    codes: Mapping[str, str] | None = None,
) -> bytes:
    """A PDF of those pages, turned by `rotate` degrees when shown."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    resources = " ".join(f"/{name} {i} 0 R" for i, name in enumerate(FONTS, start=3))
    objects += [f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} >>" for base in FONTS.values()]
    if codes:
        objects[-1] = objects[-1].replace(">>", f"/ToUnicode {len(objects) + 1} 0 R >>")
        objects.append(_to_unicode(codes))
    kids = []
    for page in pages:
        content = "\n".join(_drawn(item) for item in page)
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Rotate {rotate} "
            f"/Contents {len(objects)} 0 R /Resources << /Font << {resources} >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append(f"<< /Title ({title}) /Author ({author}) >>")
    return _file(objects)


def form(printed: str, filled: str, hidden: str) -> bytes:
    """A page of a form with two fields, one of which nobody sees."""
    font = "/Resources << /Font << /F 3 0 R >> >>"

    def shown(text: str) -> str:
        drawn = f"BT /F 10 Tf 2 4 Td ({text}) Tj ET"
        frame = f"/Type /XObject /Subtype /Form /BBox [0 0 200 20] {font}"
        return f"<< {frame} /Length {len(drawn)} >>\nstream\n{drawn}\nendstream"

    def field(y: int, appearance: int, flags: int) -> str:
        return (
            f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f{y}) /Rect [100 {y} 300 {y + 20}]"
            f" /F {flags} /AP << /N {appearance} 0 R >> >>"
        )

    content = f"BT /F 10 Tf 100 700 Td ({printed}) Tj ET"
    return _file(
        [
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R] >> >>",
            "<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents 4 0 R"
            f" {font} /Annots [6 0 R 7 0 R] >>",
            field(600, 8, flags=4),  # printed
            field(500, 9, flags=2),  # hidden
            shown(filled),
            shown(hidden),
            "<< >>",
        ]
    )


def paragraph(x: float, y: float, text: str, *, words: int = 6) -> list[Text]:
    """Lines of that many words, 12 points apart."""
    parts = text.split()
    lines = [" ".join(parts[i : i + words]) for i in range(0, len(parts), words)]
    return [Text(x, y + 12 * i, line) for i, line in enumerate(lines)]


def grid(xs: Sequence[float], ys: Sequence[float]) -> list[Rule]:
    return [Rule(x, ys[0], x, ys[-1]) for x in xs] + [Rule(xs[0], y, xs[-1], y) for y in ys]


def _drawn(item: Text | Rule | Fill) -> str:
    if isinstance(item, Fill):
        size = f"{item.x1 - item.x0} {item.y1 - item.y0}"
        return f"{item.gray} g {item.x0} {HEIGHT - item.y1} {size} re f"
    if isinstance(item, Rule):
        return f"{item.x0} {HEIGHT - item.y0} m {item.x1} {HEIGHT - item.y1} l S"
    shown = item.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    look = f"{item.gray} g {item.mode} Tr" if item.gray or item.mode else "0 g 0 Tr"
    return f"BT {look} /{item.font} {item.size} Tf {item.x} {HEIGHT - item.y} Td ({shown}) Tj ET"


def _to_unicode(codes: Mapping[str, str]) -> str:
    lines = "\n".join(
        f"<{ord(code):02x}> <{text.encode('utf-16-be').hex()}>" for code, text in codes.items()
    )
    content = (
        "/CIDInit /ProcSet findresource begin\nbegincmap\n"
        "1 begincodespacerange\n<00> <ff>\nendcodespacerange\n"
        f"{len(codes)} beginbfchar\n{lines}\nendbfchar\nendcmap"
    )
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def _file(objects: Sequence[str]) -> bytes:
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    count = len(objects) + 1
    body += f"xref\n0 {count}\n0000000000 65535 f \n{entries}"
    body += f"trailer\n<< /Size {count} /Root 1 0 R /Info {count - 1} 0 R >>\n"
    body += f"startxref\n{body.index('xref')}\n%%EOF\n"
    return body.encode("latin-1")
