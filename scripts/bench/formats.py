"""How fast and how faithfully office files, mail and texts are read, beside another converter.

    python scripts/bench/formats.py FOLDER [--truth FOLDER] [--peer PYTHON] [--rounds N]

Reads every file below the folder that has text of its own (no PDF, no image) in this process, and
prints files per CPU-second and word recall without markup against `<file name>.md` in `--truth`.
`--peer` is the Python of an environment with markitdown, which is asked for the same files in a
plain loop, one file after the other, after it has been imported.
"""

import argparse
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from rag.domain import Source
from rag.errors import InvalidDocument
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import PAPER, sniff
from rag.local.reading.parser import parse

WORD = re.compile(r"[^\W_]+")
MARKUP = re.compile(r"\]\([^)]*\)|<!--.*?-->|&[a-z]+;")
PEER = """
import json, sys, time
from markitdown import MarkItDown
converter = MarkItDown()
for name in json.load(sys.stdin):
    began = time.process_time()
    try:
        text = converter.convert(name).text_content
    except Exception as error:
        text = None
    print(json.dumps({"seconds": time.process_time() - began, "text": text}))
"""


class Outcome(Struct, frozen=True):
    seconds: float
    """Of CPU."""
    text: str | None
    """None where it was refused."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--truth", type=Path)
    arguments.add_argument("--peer")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    files = [file for file in sorted(options.folder.rglob("*")) if is_asked(file)]
    ours = fastest([{file: read(file) for file in files} for _ in range(options.rounds)])
    report("rag", ours, options.truth)
    if not options.peer:
        return
    asked = (ask(options.peer, files) for _ in range(options.rounds))
    theirs = fastest([dict(zip(files, outcomes, strict=True)) for outcomes in asked])
    report("markitdown", theirs, options.truth)
    both = [file for file in files if ours[file].text and theirs[file].text]
    print("\nof the files that both read:")
    report("rag", {file: ours[file] for file in both}, options.truth)
    report("markitdown", {file: theirs[file] for file in both}, options.truth)


def is_asked(file: Path) -> bool:
    try:
        return file.is_file() and sniff(file.read_bytes(), None, file.name) not in PAPER
    except InvalidDocument:
        return False


def read(file: Path) -> Outcome:
    began = time.process_time()
    content = file.read_bytes()
    source = Source(key=file.name, content=content)
    try:
        kind = sniff(content, None, file.name)
        text = parse(source, kind, DEFAULT_LIMITS, without_ocr).text
    except InvalidDocument:
        return Outcome(time.process_time() - began, None)
    return Outcome(time.process_time() - began, text)


def without_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    return [Failed("not_tried", "not part of this measurement")] * len(bitmaps)


def ask(python: str, files: Sequence[Path]) -> list[Outcome]:
    names = json.dumps([str(file) for file in files])
    command = [python, "-c", PEER]
    asked = subprocess.run(command, input=names, capture_output=True, text=True, check=True)
    return [Outcome(**json.loads(line)) for line in asked.stdout.splitlines()]


def fastest(rounds: Sequence[Mapping[Path, Outcome]]) -> dict[Path, Outcome]:
    """Of several readings of each file: what disturbs a measurement only ever slows it."""
    return {
        file: min((outcomes[file] for outcomes in rounds), key=lambda each: each.seconds)
        for file in rounds[0]
    }


def report(name: str, outcomes: Mapping[Path, Outcome], truths: Path | None) -> None:
    read = {file: each for file, each in outcomes.items() if each.text is not None}
    seconds = sum(each.seconds for each in read.values())
    print(f"{name}: {len(read)} of {len(outcomes)} files, {len(read) / seconds:.0f} per CPU-second")
    by_kind: dict[str, list[Outcome]] = {}
    for file, each in read.items():
        by_kind.setdefault(file.suffix, []).append(each)
    for kind, several in sorted(by_kind.items()):
        spent = sum(each.seconds for each in several)
        print(f"  {kind:8} {len(several):4} files {1000 * spent / len(several):8.1f} ms each")
    if truths is not None:
        recalls(read, truths)


def recalls(outcomes: Mapping[Path, Outcome], truths: Path) -> None:
    found = wanted = 0
    for file, each in outcomes.items():
        truth = truths / f"{file.name}.md"
        if truth.exists():
            said, true = words(each.text or ""), words(truth.read_text())
            found, wanted = found + (said & true).total(), wanted + true.total()
    print(f"  word recall {found / max(1, wanted):.4f} of {wanted} words")


def words(text: str) -> Counter[str]:
    return Counter(WORD.findall(MARKUP.sub(" ", text).casefold()))


if __name__ == "__main__":
    main()
