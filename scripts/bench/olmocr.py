"""How many facts about pages hold in what is read of them.

    python scripts/bench/olmocr.py FOLDER [--ocr auto|rapidocr|tesseract] [--only PDF] [--failed]

FOLDER holds `pdfs` and `tests.jsonl` as olmOCR-bench has them, a fact a line: that a text is there
(`present`), or is not (`absent`, `baseline`), comes before another (`order`), or is a cell beside
others (`table`); and that a formula is there in LaTeX (`math`), which no engine on this machine
writes. Documents are read as the service reads them, in child processes.
"""

import argparse
import asyncio
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from rag.domain import Source
from rag.errors import EmptyDocument
from rag.local.reading.reader import LocalReader

SAME = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-"})
MARKS = re.compile(r"\*\*|__|^#+ |^- ", re.MULTILINE)
RULE = re.compile(r"\|?[\s|:-]+\|?")

Row = list[str]


class Fact(Struct, frozen=True):
    pdf: str
    id: str
    type: str
    text: str = ""
    before: str = ""
    after: str = ""
    math: str = ""
    cell: str = ""
    up: str = ""
    down: str = ""
    left: str = ""
    right: str = ""
    top_heading: str = ""
    left_heading: str = ""
    max_diffs: int = 0
    max_length: int = 0
    last_n: int | None = None
    case_sensitive: bool = True


def plain(text: str) -> str:
    """One line, without marks, with one kind of quotes and dashes."""
    unmarked = MARKS.sub("", text).translate(SAME)
    return " ".join(unicodedata.normalize("NFC", unmarked).split())


def places(wanted: str, text: str, diffs: int) -> list[int]:
    """Where the wanted ends in the text, with so many edits at the most (Sellers, 1980)."""
    if not diffs:
        return [found.end() for found in re.finditer(re.escape(wanted), text)]
    codes = np.array([ord(character) for character in text], np.int64)
    steps = np.arange(len(text) + 1)
    row = np.zeros(len(text) + 1, np.int64)
    for i, character in enumerate(wanted, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        row = np.minimum.accumulate(np.concatenate([[i], best]) - steps) + steps
    return [int(end) for end in np.flatnonzero(row <= diffs)]


def holds(fact: Fact, markdown: str) -> bool:
    if fact.type == "table":
        return any(stands(fact, table) for table in tables(markdown))
    if fact.type == "math":
        return "".join(fact.math.split()) in "".join(markdown.split())
    if fact.type == "baseline":
        return len(markdown.strip()) <= fact.max_length
    text = plain(markdown)
    if fact.type == "order":
        starts = places(plain(fact.before), text, fact.max_diffs)
        ends = places(plain(fact.after), text, fact.max_diffs)
        return bool(starts and ends and min(starts) < max(ends))
    wanted, text = plain(fact.text), text[-fact.last_n :] if fact.last_n else text
    if not fact.case_sensitive:
        wanted, text = wanted.casefold(), text.casefold()
    return bool(places(wanted, text, fact.max_diffs)) == (fact.type == "present")


def tables(markdown: str) -> Iterator[list[Row]]:
    for is_table, lines in itertools.groupby(markdown.splitlines(), lambda x: x.startswith("|")):
        if is_table:
            yield [cells(line) for line in lines if not RULE.fullmatch(line)]


def cells(line: str) -> Row:
    return [plain(part.replace("\\|", "|")) for part in re.split(r"(?<!\\)\|", line)[1:-1]]


def stands(fact: Fact, table: Sequence[Row]) -> bool:
    """Whether some cell is the one, beside all that the fact names."""
    return any(
        is_like(fact.cell, text) and is_beside(fact, table, row, column)
        for row, line in enumerate(table)
        for column, text in enumerate(line)
    )


def is_beside(fact: Fact, table: Sequence[Row], row: int, column: int) -> bool:
    def at(row: int, column: int) -> str:
        inside = 0 <= row < len(table) and 0 <= column < len(table[row])
        return table[row][column] if inside else ""

    above = [text for i in range(row) if (text := at(i, column))]
    before = [text for text in table[row][:column] if text]
    return (
        (not fact.up or is_like(fact.up, at(row - 1, column)))
        and (not fact.down or is_like(fact.down, at(row + 1, column)))
        and (not fact.left or is_like(fact.left, at(row, column - 1)))
        and (not fact.right or is_like(fact.right, at(row, column + 1)))
        and (not fact.top_heading or any(is_like(fact.top_heading, text) for text in above))
        and (not fact.left_heading or any(is_like(fact.left_heading, text) for text in before))
    )


def is_like(wanted: str, text: str) -> bool:
    """Equal but for marks of notes and the like: a fifth of it, at the most."""
    wanted = plain(wanted)
    return text == wanted or (
        len(wanted) >= 5 and bool(wanted in text) and len(text) < 1.2 * len(wanted)
    )


async def markdowns(folder: Path, pdfs: Sequence[str], engine: str) -> dict[str, str]:
    reader = LocalReader(ocr=engine, workers=1)
    try:
        return {pdf: await read(reader, folder / "pdfs" / pdf) for pdf in pdfs}
    finally:
        await reader.close()


async def read(reader: LocalReader, file: Path) -> str:
    try:
        return (await reader.read(Source(file.name, file.read_bytes()))).text
    except EmptyDocument:
        return ""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--ocr", default="auto")
    arguments.add_argument("--only", default="", help="PDFs, a regular expression")
    arguments.add_argument("--failed", action="store_true", help="name the facts that do not hold")
    options = arguments.parse_args()
    lines = (options.folder / "tests.jsonl").read_text().splitlines()
    every = [msgspec.json.decode(line, type=Fact) for line in lines]
    facts = [fact for fact in every if re.search(options.only, fact.pdf)]
    texts = asyncio.run(
        markdowns(options.folder, sorted({fact.pdf for fact in facts}), options.ocr)
    )
    held = {fact.id: holds(fact, texts[fact.pdf]) for fact in facts}
    total, true = Counter(fact.type for fact in facts), Counter[str]()
    for fact in facts:
        true[fact.type] += held[fact.id]
        if options.failed and not held[fact.id]:
            print(f"{fact.pdf}: {fact.type} {fact.cell or fact.text or fact.before or fact.math}")
    for kind in sorted(total):
        print(f"{kind:10} {true[kind]:3} of {total[kind]:3}  {true[kind] / total[kind]:.2f}")
    print(f"{'all':10} {true.total():3} of {total.total():3}  {true.total() / total.total():.2f}")


if __name__ == "__main__":
    main()
