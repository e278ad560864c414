"""What `rag.estimation` takes for granted of pages, measured on the evaluation documents.

    python scripts/bench/estimates.py

Prints quantiles of: tokens of a page by our own count, characters of such a token, deflated bytes
of a page's text, and bytes of a page of office files that say how long they are.
"""

import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pypdfium2

from rag.mistral.embedding.packing import estimated_tokens

EVAL = Path(__file__).parents[2] / ".." / "shared" / "eval"
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
SHORT = 2_000  # characters of a document whose averages say little

LENGTHS = {
    ".docx": ("docProps/app.xml", r"<Pages>(\d+)<"),
    ".pptx": ("docProps/app.xml", r"<Slides>(\d+)<"),
    ".odt": ("meta.xml", r'page-count="(\d+)"'),
}
"""Where office files say how many pages they have."""


def pages_of(path: Path) -> list[str]:
    pdf = pypdfium2.PdfDocument(path)
    return [page.get_textpage().get_text_bounded() for page in pdf]


def length_of(path: Path) -> int | None:
    """Pages, as the file says; a sheet is a page."""
    with zipfile.ZipFile(path) as parts:
        if path.suffix == ".xlsx":
            return sum("worksheets/sheet" in name for name in parts.namelist())
        member, pattern = LENGTHS[path.suffix]
        said = re.search(pattern, parts.read(member).decode())
    return int(said[1]) if said else None


def show(what: str, values: Sequence[float]) -> None:
    ordered = sorted(values)
    shown = (ordered[min(int(len(ordered) * q), len(ordered) - 1)] for q in QUANTILES)
    print(f"{what} (n = {len(ordered)}):", "  ".join(f"{value:,.2f}" for value in shown))


def main() -> None:
    print("quantiles", QUANTILES)
    documents = [
        pages_of(path) for path in sorted(EVAL.rglob("*.pdf")) if "hostile" not in path.parts
    ]
    show(
        "tokens of a page", [estimated_tokens(p) for pages in documents for p in pages if p.strip()]
    )
    long = [pages for pages in documents if sum(map(len, pages)) >= SHORT]
    texts = ["\n".join(pages) for pages in long]
    show("characters a token", [len(text) / estimated_tokens(text) for text in texts])
    deflated = (len(zlib.compress(text.encode())) for text in texts)
    show(
        "deflated bytes of a page",
        [n / len(pages) for n, pages in zip(deflated, long, strict=True)],
    )
    office = [
        path for path in EVAL.rglob("docs/files/files/*") if path.suffix in {*LENGTHS, ".xlsx"}
    ]
    known = [(path.stat().st_size, length_of(path)) for path in office]
    show("bytes of a page of an office file", [size / n for size, n in known if n])
    scans = [path.read_text() for path in EVAL.glob("ocr/*/gt/*.txt")]
    show("tokens of a scan", [estimated_tokens(text) for text in scans])


if __name__ == "__main__":
    main()
