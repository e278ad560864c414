"""How well questions are answered, and how honestly refused, by the embedded answerer.

    python scripts/bench/answers.py FOLDER [--library DIR] [--half 0] [--one-in N] [--hide] [--show]

FOLDER holds `qa.jsonl` and either `corpus.jsonl` (passages, asked over all of them; evidence is
sentences) or `pdfs/` (asked within the question's own document; evidence is pages). Everything
goes through the real ingest, search and answer path. A library given by name is kept, and used
again the next time. Constants of the answerer are set on half 0, and half 1 tells what they are
worth; a question is in half 0 or 1 by the hash of its id.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from hashlib import md5
from pathlib import Path
from statistics import mean, median
from typing import Any

from retrieval import COLLECTION, settled, write_files

from rag.cli.bulk import ingest_files
from rag.cli.door import Door, open_door
from rag.cli.progress import progress_of
from rag.cli.show import summary
from rag.settings import load_settings
from rag.sources.folder import find

RECOGNIZED = 40  # characters of a sentence that tell it from every other

Entry = dict[str, Any]
Result = tuple[Entry, dict[str, Any], float]  # the entry, its answer, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), help="only this half of the questions")
    parser.add_argument("--one-in", type=int, default=1, metavar="N", help="only a sample")
    parser.add_argument(
        "--hide",
        action="store_true",
        help="ask every other answerable question with the passage that answers it hidden",
    )
    parser.add_argument("--show", action="store_true", help="print every question and answer")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = given.library or Path(scratch) / "library"
        corpus = given.folder / "corpus.jsonl"
        by_page = not corpus.exists()
        files = given.folder / "pdfs" if by_page else write_files(corpus, Path(scratch) / "files")
        entries = chosen(given.folder / "qa.jsonl", half=given.half, one_in=given.one_in)
        if given.hide:
            entries = [{**entry, "hide": n % 2 == 1} for n, entry in enumerate(entries)]
        results = asyncio.run(ask_all(entries, files, library, within_document=by_page))
    if given.show:
        for entry, answer, _ in results:
            print(json.dumps({"question": entry["question"], "answer": answer["text"]}))
    report(results, by_page=by_page)


def chosen(path: Path, *, half: int | None, one_in: int) -> list[Entry]:
    entries = map(json.loads, path.read_text().splitlines())
    numbered = ((int(md5(entry["_id"].encode()).hexdigest(), 16), entry) for entry in entries)
    return [
        entry
        for number, entry in numbered
        if (half is None or number % 2 == half) and number // 2 % one_in == 0
    ]


async def ask_all(
    entries: list[Entry], files: Path, library: Path, *, within_document: bool
) -> list[Result]:
    settings = load_settings({"RAG_DATA_DIR": str(library), "RAG_PROVIDER": "local"})
    async with open_door(settings) as door:
        found = list(find([str(files)]))
        with progress_of(len(found)) as progress:
            summary(
                *await ingest_files(
                    found, COLLECTION, door, told=progress.told, paused=progress.paused
                )
            )
        await settled(door)
        return [await ask(entry, door, within_document=within_document) for entry in entries]


async def ask(entry: Entry, door: Door, *, within_document: bool) -> Result:
    body = {"question": entry["question"], "collections": [COLLECTION]}
    if within_document:
        body["filter"] = {"type": "eq", "key": "key", "value": entry["doc"]}
    elif entry.get("hide"):
        body["filter"] = {"type": "ne", "key": "key", "value": f"{entry['doc']}.md"}
    began = time.process_time()
    answer = await door.call("POST", "/v1/answers", json=body)
    return entry, answer, time.process_time() - began


def report(results: list[Result], *, by_page: bool) -> None:
    answerable = [(e, a) for e, a, _ in results if is_answerable(e)]
    answered = [(e, a) for e, a in answerable if a["outcome"] == "answered"]
    unanswerable = [a for e, a, _ in results if not is_answerable(e)]
    kept = len(answered) / len(answerable)
    proves = on_page if by_page else in_evidence
    right = sum(proves(entry, answer["citations"][0]) for entry, answer in answered)
    if unanswerable:
        refused = mean(a["outcome"] != "answered" for a in unanswerable)
        print(f"unanswerable refused         {refused:.3f} of {len(unanswerable)}")
        print(f"balanced accuracy            {(refused + kept) / 2:.3f}")
    print(f"answerable wrongly refused   {1 - kept:.3f} of {len(answerable)}")
    print(f"first citation is evidence   {right / len(answered):.3f} of {len(answered)} answered")
    print(f"... of all answerable        {right / len(answerable):.3f}")
    length = mean(len(answer["text"]) for _, answer in answered)
    print(f"characters of an answer      {length:.0f}")
    print(f"CPU milliseconds a question  {1000 * median(s for *_, s in results):.0f}")


def is_answerable(entry: Entry) -> bool:
    return entry["answerable"] and not entry.get("hide")


def on_page(entry: Mapping[str, Any], citation: Mapping[str, Any]) -> bool:
    pages = {page["number"] for page in citation["pages"]}
    return bool(pages & {evidence["page"] for evidence in entry["evidence"]})


def in_evidence(entry: Mapping[str, Any], citation: Mapping[str, Any]) -> bool:
    """Whether the quotation and the evidence, sentences or exact answers, overlap."""
    quote = folded(citation["quote"])
    if citation["key"].removesuffix(".md") != entry["doc"]:
        return False
    evidence: Iterable[str] = entry.get("evidence") or entry["answers"]
    return any(
        folded(sentence)[:RECOGNIZED] in quote or quote[:RECOGNIZED] in folded(sentence)
        for sentence in evidence
    )


def folded(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
