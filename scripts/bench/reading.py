"""How fast and how faithfully documents are read.

    python scripts/bench/reading.py FOLDER... [--truth FOLDER]

Reads every PDF, HTML, markdown and text file below the folders in this process, without OCR, and
prints pages per CPU-second for each PDF and over all, and the peak of resident memory. With
`--truth`, a folder of `<file name>.md`, also word recall and precision without markup.
"""

import argparse
import re
import resource
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rag.domain import Document, Source
from rag.errors import InvalidDocument
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import sniff
from rag.local.reading.parser import parse

WORD = re.compile(r"[^\W_]+")
KINDS = {".pdf", ".html", ".md", ".txt"}
LINK = re.compile(r"\]\([^)]*\)|<!--.*?-->|&[a-z]+;")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folders", nargs="+", type=Path)
    arguments.add_argument("--truth", type=Path)
    options = arguments.parse_args()
    files = [
        f for folder in options.folders for f in sorted(folder.rglob("*")) if f.suffix in KINDS
    ]
    pages, seconds = 0, 0.0
    for file in files:
        before = time.process_time()
        document = read(file)
        took = time.process_time() - before
        if document is None:
            continue
        if document.pages:
            pages, seconds = pages + len(document.pages), seconds + took
        print(f"{file.name[:48]:48} {len(document.pages):4} pages {took:6.2f} s", end=" ")
        print(fidelity(document, options.truth / f"{file.name}.md") if options.truth else "")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{pages} pages of PDF, {pages / seconds:.0f} per CPU-second, peak {peak} MB")


def read(file: Path) -> Document | None:
    content = file.read_bytes()
    source = Source(key=file.name, content=content)
    try:
        return parse(source, sniff(content, None, file.name), DEFAULT_LIMITS, without_ocr)
    except InvalidDocument as error:
        print(f"{file.name[:48]:48} {type(error).__name__}: {error}")
        return None


def without_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    return [Failed("not_tried", "not part of this measurement")] * len(bitmaps)


def fidelity(document: Document, truth: Path) -> str:
    if not truth.exists():
        return "no truth"
    found, wanted = words(document.text), words(truth.read_text())
    common = (found & wanted).total()
    return f"recall {common / wanted.total():.3f} precision {common / found.total():.3f}"


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(LINK.sub(" ", text).casefold()))


if __name__ == "__main__":
    main()
