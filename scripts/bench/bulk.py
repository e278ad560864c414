"""How fast and how faithfully many files are read, beside a plain loop over another converter.

    python scripts/bench/bulk.py FOLDER... [--truth FOLDER] [--markitdown PYTHON]
        [--docling PYTHON] [--unstructured PYTHON] [--rounds N]

Takes the born-digital files below the folders: those of which no page is left to OCR. Here they go
through the reader of the service, in child processes with their limits, as in a bulk run; there one
after the other through the converter, which has been imported before, in the Python of an
environment that has it. Both in turns, for so many rounds; the fastest round counts.

Prints files per second of the clock and of the processor, of the files that both read, and word
recall without markup against `<file name>.md` in `--truth`.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.domain import Source, Survey
from rag.errors import InvalidDocument
from rag.local.reading.frames import Failed, Recognitions, SealedScans
from rag.local.reading.reader import LocalReader

WORD = re.compile(r"[^\W_]+")
MARKUP = re.compile(r"\]\([^)]*\)|<!--.*?-->|<[^>]{1,200}>|&[a-z]+;")
LOOP = """
import json, resource, sys, time
{imported}
began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
for name in json.load(sys.stdin):
    try:
        text = {converted}
    except Exception:
        text = None
    print(json.dumps(text))
now = resource.getrusage(resource.RUSAGE_SELF)
cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
print(json.dumps([time.perf_counter() - began, cpu]))
"""
LOOPS = {
    "markitdown": LOOP.format(
        imported="from markitdown import MarkItDown\nconverter = MarkItDown()",
        converted="converter.convert(name).text_content",
    ),
    "docling": LOOP.format(
        imported="from docling.document_converter import DocumentConverter\n"
        "converter = DocumentConverter()",
        converted="converter.convert(name).document.export_to_markdown()",
    ),
    "unstructured": LOOP.format(
        imported="from unstructured.partition.auto import partition",
        converted="'\\n'.join(map(str, partition(name, strategy='fast')))",
    ),
}


class Round(Struct, frozen=True):
    """All files once."""

    texts: Mapping[Path, str | None]
    """None where it was refused."""
    seconds: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    for name in LOOPS:
        parser.add_argument(f"--{name}", metavar="PYTHON")
    asked = parser.parse_args()
    files = born_digital([f for folder in asked.folders for f in sorted(folder.rglob("*"))])
    for name, loop in LOOPS.items():
        if python := getattr(asked, name):
            read = theirs(loop, python, files).texts
            both = [file for file in files if read[file]]
            print(f"{len(files)} files; rag reads all, {name} {len(both)} of them. Those:")
            rounds = [(ours(both), theirs(loop, python, both)) for _ in range(asked.rounds)]
            report("rag", [mine for mine, _ in rounds], asked.truth)
            report(name, [others for _, others in rounds], asked.truth)


def born_digital(files: Sequence[Path]) -> list[Path]:
    surveys = asyncio.run(survey([file for file in files if file.is_file()]))
    return [file for file, each in surveys.items() if each and not each.unread]


def ours(files: Sequence[Path]) -> Round:
    began, used = time.perf_counter(), processor()
    surveys = asyncio.run(survey(files))
    seconds, cpu = time.perf_counter() - began, processor() - used
    texts = {file: each.document.text if each else None for file, each in surveys.items()}
    return Round(texts, seconds, cpu)


class WithoutOcr(LocalReader):
    """Pictures within a document stay unread, as the converters leave them."""

    async def _recognize(self, scans: SealedScans) -> Recognitions:
        failed = msgspec.msgpack.encode(Failed("not_tried", "not part of this measurement"))
        return Recognitions((failed,) * len(scans.bitmaps))


async def survey(files: Sequence[Path]) -> dict[Path, Survey | None]:
    workers = os.cpu_count() or 1
    reader = WithoutOcr(workers=workers)
    waiting = iter(files)
    found: dict[Path, Survey | None] = dict.fromkeys(files)

    async def read_on() -> None:
        for file in waiting:
            with suppress(InvalidDocument):
                found[file] = await reader.survey(Source(file.name, file.read_bytes()))

    await asyncio.gather(*(read_on() for _ in range(workers)))
    await reader.close()
    return found


def theirs(loop: str, python: str, files: Sequence[Path]) -> Round:
    names = json.dumps([str(file) for file in files])
    done = subprocess.run(
        [python, "-c", loop], input=names, stdout=subprocess.PIPE, text=True, check=True
    )
    *texts, [seconds, cpu] = map(json.loads, done.stdout.splitlines())
    return Round(dict(zip(files, texts, strict=True)), seconds, cpu)


def processor() -> float:
    """Seconds of it that this process and its children, those that ended, have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def report(name: str, rounds: Sequence[Round], truths: Path | None) -> None:
    count = len(rounds[0].texts)
    clock = count / min(each.seconds for each in rounds)
    processor = count / min(each.cpu for each in rounds)
    told = f"  {name:12} {clock:7.1f} files a second, {processor:7.1f} a second of the processor"
    print(told + (recall(rounds[0], truths) if truths else ""))


def recall(each: Round, truths: Path) -> str:
    found = wanted = 0
    for file, text in each.texts.items():
        truth = truths / f"{file.name}.md"
        if truth.exists():
            true = words(truth.read_text())
            found += (words(text or "") & true).total()
            wanted += true.total()
    return f", word recall {found / max(1, wanted):.4f} of {wanted:,} words"


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(MARKUP.sub(" ", text).casefold()))


if __name__ == "__main__":
    main()
